"""A person in action: what the body does over the frames, with the things in hand, as one sketch."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .body import proportions
from .dice import Array
from .figure import draw_person
from .people import Look
from .props import draw_props, hand_goals
from .skeleton import pose
from .sketch import Eye, Ink, Sketch

__all__ = ["Motion", "stage_actor"]


@dataclass(frozen=True)
class Motion:
    """What somebody does, frame by frame."""

    phase: Array  #: gait or pedal cycle, in turns, ``(F,)``
    energy: Array  #: 0 stands, 1 walks, 1.6 runs, ``(F,)``
    doing: Mapping[str, Array]  #: how far each action is taken up, 0 ... 1, ``(F,)``; the rest is walking


def stage_actor(look: Look, motion: Motion, eye: Eye, ink: Ink) -> Sketch:
    """The sketch of a person doing something before an eye."""
    body = proportions(look)
    none = np.zeros(eye.frames)
    doing = motion.doing
    bones = pose(
        motion.phase,
        motion.energy,
        shoulder=body.shoulder * 0.84,
        hip=body.hip * 0.55,
        hands=_hands(look, doing, eye.frames),
        riding=doing.get("riding", none),
        nod=0.045 * doing.get("phone_to_face", none),
        lean=0.03 + 0.06 * doing.get("trolley", none) * (look.vehicle != "suitcase"),
    )
    sketch = Sketch(eye)
    draw_person(sketch, look, body, bones, ink)
    held = {action: taken > 0.5 for action, taken in doing.items()}
    draw_props(sketch, look, bones, motion.phase, held, ink, base=0.0)
    return sketch


def _hands(look: Look, doing: Mapping[str, Array], frames: int) -> dict[int, tuple[Array, Array]]:
    """Goal of each wrist: the mean of what the actions ask for, by how far each is taken up."""
    sums: dict[int, tuple[Array, Array]] = {}
    for action, taken in doing.items():
        for side, goal in hand_goals(action, look).items():
            total, held = sums.get(side, (np.zeros((frames, 3)), np.zeros(frames)))
            sums[side] = total + taken[:, None] * np.array(goal), held + taken
    return {side: (total / np.maximum(held, 1e-9)[:, None], held) for side, (total, held) in sums.items()}
