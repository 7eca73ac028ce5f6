"""How wide the parts of a body are, and the figure that clothes, head, bags and things are added to."""

from dataclasses import dataclass

import numpy as np

from reidar_plugin.synthped.drawing.colours import CameraColours
from reidar_plugin.synthped.drawing.sketch import Sketch
from reidar_plugin.synthped.drawing.view import View
from reidar_plugin.synthped.people.looks import COLOURS, SKINS, Look
from reidar_plugin.synthped.people.skeleton import Skeleton
from reidar_plugin.synthped.seeded_random import Array

__all__ = ["UP", "Body", "Figure", "proportions"]

BUILDS = {"slim": 0.90, "medium": 1.0, "heavy": 1.17}
UP = np.array([0.0, -1.0])  #: upwards, in pixels


@dataclass(frozen=True)
class Body:
    """Half widths and radii of a person, in body heights."""

    shoulder: float
    waist: float
    hip: float
    deep: float
    arm: float
    leg: float
    head: float


def proportions(look: Look) -> Body:
    """Widths by build, gender and age: men are broader at the shoulder, women at the hip, children have larger heads."""
    wide = BUILDS[look.build]
    female, child = look.gender == "female", look.age == "child"
    return Body(
        shoulder=(0.104 if female else 0.118) * (0.5 + 0.5 * wide),
        waist=(0.070 if female else 0.082) * wide,
        hip=(0.092 if female else 0.086) * (0.3 + 0.7 * wide),
        deep=0.066 * wide * wide,
        arm=(0.024 if female else 0.028) * (0.4 + 0.6 * wide),
        leg=0.046 * (0.3 + 0.7 * wide),
        head=1.22 if child else 1.0,
    )


class Figure:
    """A person while being drawn: a sketch, and all that its parts depend on.

    Args:
        look: how the person is dressed.
        body: how wide the person is.
        bones: how the person stands in each frame.
        view: from where the camera sees the person.
        colours: how the camera sees colours.
    """

    def __init__(self, look: Look, body: Body, bones: Skeleton, view: View, colours: CameraColours) -> None:
        self.look, self.body, self.bones, self.view, self.colours = look, body, bones, view, colours
        self.sketch = Sketch(view)
        self.skin = colours.ramp(SKINS[look.skin])
        self.top = colours.ramp(COLOURS[look.top_colour])
        self.second = colours.ramp(COLOURS[look.top_second])
        self.bottom = self.top if look.bottom == "dress" else colours.ramp(COLOURS[look.bottom_colour])
        self.wide = 1.28 if look.top in ("jacket", "coat", "hoodie") else 1.08  # of the clothes, to the body

    def pixel(self, joint: Array) -> Array:
        """Pixels ``(F, 2)`` of a joint ``(F, 3)``."""
        return self.view.pixel(joint)
