"""How wide a person is, and a person on paper whom clothes, head and bags are added to."""

from dataclasses import dataclass

import numpy as np

from .dice import Array
from .people import COLOURS, SKINS, Look
from .skeleton import Skeleton
from .sketch import Ink, Ramp, Sketch

__all__ = ["UP", "Body", "Figure", "proportions"]

BUILDS = {"slim": 0.90, "medium": 1.0, "heavy": 1.17}
UP = np.array([0.0, -1.0])  #: in the picture


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
    """Width of the parts of a person: men broader at the shoulder, women at the hip, children with larger heads."""
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
    """What every stroke of a person needs: the paper, the look, the joints, and the inks of skin and clothes.

    Args:
        sketch: where the parts go.
        look: how the person is dressed.
        body: how wide the person is.
        bones: how the person stands.
        ink: how the camera sees colours.
        base: moves all parts towards the camera.
    """

    def __init__(
        self, sketch: Sketch, look: Look, body: Body, bones: Skeleton, ink: Ink, base: float
    ) -> None:
        self.sketch, self.eye = sketch, sketch.eye
        self.look, self.body, self.bones, self.ink, self.base = look, body, bones, ink, base
        self.skin = ink.ramp(SKINS[look.skin])
        self.top = ink.ramp(COLOURS[look.top_colour])
        self.second = ink.ramp(COLOURS[look.top_second])
        self.bottom = self._bottom_ramp()
        self.wide = 1.28 if look.top in ("jacket", "coat", "hoodie") else 1.08

    def _bottom_ramp(self) -> Ramp:
        return self.top if self.look.bottom == "dress" else self.ink.ramp(COLOURS[self.look.bottom_colour])

    def px(self, joint: Array) -> Array:
        """Pixel ``(F, 2)`` of a joint ``(F, 3)``."""
        return self.eye.pixel(joint)
