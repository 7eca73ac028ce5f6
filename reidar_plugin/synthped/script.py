"""What a script says: who is in each frame of a tracklet, where, and what stands in front of them."""

from dataclasses import dataclass, field

import numpy as np

from reidar_plugin.synthped.people.looks import Look
from reidar_plugin.synthped.people.person import Motion
from reidar_plugin.synthped.seeded_random import Array, SeededRandom
from reidar_plugin.synthped.street.camera import Camera

__all__ = ["MOTIONS", "POSES", "Obstacle", "Recording", "Role", "Script"]

POSES = ("frontal", "lateral-front", "lateral", "lateral-back", "back", "various")
"""Values of ``pose`` in the attribute file, in the order of their numbers."""

MOTIONS = ("walking", "standing", "running", "riding", "various")
"""Values of ``motion`` in the attribute file, in the order of their numbers."""


@dataclass(frozen=True)
class Role:
    """Somebody in the picture, over F frames. Lengths are parts of the picture's height."""

    look: Look
    motion: Motion
    heading: Array  #: direction in which the person faces, in turns, ``(F,)``; 0 faces the camera
    x: Array  #: distance of the feet from the middle of the box, to the right, ``(F,)``
    y: Array  #: distance of the feet from the usual line of the feet, downwards, ``(F,)``
    tall: Array  #: height of the person, ``(F,)``


@dataclass(frozen=True)
class Obstacle:
    """A pole or a plant between the camera and the people. Lengths are parts of the picture's height."""

    kind: str  #: pole, plant
    x: Array  #: distance of its foot from the middle of the box, to the right, ``(F,)``
    high: float
    wide: float
    seed: int  #: seed of a plant's leaves


@dataclass
class Script:
    """All that happens in a tracklet of F frames."""

    actions: list[str]  #: what really happens, F names of actions; '' where nobody is
    pose: str  #: one of ``POSES``
    motion: str  #: one of ``MOTIONS``
    window_x: Array  #: how far along the background the box is, in picture heights, ``(F,)``
    window_y: Array  #: how far the box has slipped down the background, in picture heights, ``(F,)``
    exposure: float  #: factor on the light
    behind: list[Role] = field(default_factory=list)  #: people behind the person
    cast: list[Role] = field(default_factory=list)  #: the person, and who is held by the hand
    front: list[Role | Obstacle] = field(default_factory=list)  #: what is between them and the camera
    occluded: Array = field(
        default_factory=lambda: np.zeros(0, bool)
    )  #: middle of the person hidden, ``(F,)``


class Recording:
    """What all of a tracklet share while its script is written: length, camera, random numbers, and time.

    Args:
        length: number of frames.
        camera: the camera that sees the tracklet.
        random: where every decision comes from.
        lost: share of the frames in which the detector misses the person; time jumps there.
    """

    def __init__(self, length: int, camera: Camera, random: SeededRandom, lost: float = 0.03) -> None:
        self.length, self.camera, self.random = length, camera, random
        missed = random.uniform(0.0, 1.0, size=length) < lost
        steps = 1.0 + missed * np.floor(random.uniform(1.0, 4.0, size=length))
        self.time = np.cumsum(steps) - steps[0]  # in frames
        self.pace = camera.cycle * random.uniform(0.92, 1.08)
