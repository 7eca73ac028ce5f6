"""A person in action: the body as it moves over the frames, dressed, with the things in hand."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from reidar_plugin.synthped.drawing.colours import CameraColours
from reidar_plugin.synthped.drawing.sketch import Sketch
from reidar_plugin.synthped.drawing.view import View
from reidar_plugin.synthped.people.bags import draw_bag
from reidar_plugin.synthped.people.body import Figure, proportions
from reidar_plugin.synthped.people.clothes import draw_clothes
from reidar_plugin.synthped.people.head import draw_head
from reidar_plugin.synthped.people.looks import Look
from reidar_plugin.synthped.people.props import draw_props, hand_goals
from reidar_plugin.synthped.people.skeleton import pose
from reidar_plugin.synthped.seeded_random import Array

__all__ = ["Motion", "draw_person"]


@dataclass(frozen=True)
class Motion:
    """What somebody does, frame by frame."""

    phase: Array  #: how far the cycle of the gait or of the pedals has come, in turns, ``(F,)``
    energy: Array  #: 0 stands, 1 walks, 1.6 runs, ``(F,)``
    doing: Mapping[str, Array]  #: how far each action but walking is taken up, from 0 to 1, ``(F,)``


def draw_person(look: Look, motion: Motion, view: View, colours: CameraColours) -> Sketch:
    """Sketch a person in all frames.

    Args:
        look: how the person is built and dressed.
        motion: what the person does.
        view: from where the camera sees the person.
        colours: how the camera sees colours.
    """
    body = proportions(look)
    none = np.zeros(view.frames)
    doing = motion.doing
    bones = pose(
        motion.phase,
        motion.energy,
        shoulder=body.shoulder * 0.84,
        hip=body.hip * 0.55,
        hands=_hands(look, doing, view.frames),
        riding=doing.get("riding", none),
        nod=0.045 * doing.get("phone_to_face", none),
        lean=0.03 + 0.06 * doing.get("trolley", none) * (look.vehicle != "suitcase"),
    )
    figure = Figure(look, body, bones, view, colours)
    draw_clothes(figure)
    draw_head(figure)
    draw_bag(figure)
    draw_props(figure, motion.phase, {action: taken > 0.5 for action, taken in doing.items()})
    return figure.sketch


def _hands(look: Look, doing: Mapping[str, Array], frames: int) -> dict[int, tuple[Array, Array]]:
    """Goal of each wrist ``(F, 3)`` and how far it holds ``(F,)``: the mean of what the actions ask for."""
    sums: dict[int, tuple[Array, Array]] = {}
    for action, taken in doing.items():
        for side, goal in hand_goals(action, look).items():
            total, held = sums.get(side, (np.zeros((frames, 3)), np.zeros(frames)))
            sums[side] = total + taken[:, None] * np.array(goal), held + taken
    return {side: (total / np.maximum(held, 1e-9)[:, None], held) for side, (total, held) in sums.items()}
