"""The ground of a street as a camera sees it. Lengths are parts of the picture's height, y goes down."""

from dataclasses import dataclass

import numpy as np

from reidar_plugin.synthped.seeded_random import Array, turn_sin
from reidar_plugin.synthped.street.camera import Camera
from reidar_plugin.synthped.street.painting import Canvas

__all__ = ["BACK", "FARTHEST", "NEAREST", "UNIT", "Ground", "street_canvas"]

BACK = 0.42
"""Where the pavement ends at the wall."""
FARTHEST, NEAREST = 0.50, 0.84
"""Where people cross the street, at the feet."""
UNIT = 0.47
"""Of the painted background: the height of its windows and doors follows from it."""

_HORIZON, _SLOPE = -0.61, 0.27  # a person is 0.30 of the picture at FARTHEST


@dataclass(frozen=True)
class Ground:
    """Where somebody walks, and how tall he is there."""

    tilt: float  #: sine of the angle by which the camera looks down
    size: float  #: height of the person beside that of others

    @classmethod
    def of(cls, camera: Camera, size: float) -> "Ground":
        """The ground that this camera sees, for a person of this size."""
        return cls(float(turn_sin(camera.pitch)), size)

    def tall(self, y: Array) -> Array:
        """Height of the person whose feet are at y: it grows with the distance from the horizon."""
        return self.size * _SLOPE * (y - _HORIZON)

    def walk(self, strides: Array, heading: Array, middle: int, x: float, y: float) -> tuple[Array, Array]:
        """Where the feet are in each frame, ``(F,)`` each.

        Args:
            strides: way since the frame before, in body heights, ``(F,)``.
            heading: direction in turns, ``(F,)``; 0 comes towards the camera.
            middle: the frame in which the feet are at (x, y).
            x: from the left edge, in picture heights.
            y: from the upper edge.
        """
        growth = np.cumprod(1.0 + strides * turn_sin(heading + 0.25) * self.tilt * self.size * _SLOPE)
        ys = _HORIZON + (y - _HORIZON) * growth / growth[middle]
        way = np.cumsum(strides * self.tall(ys) * turn_sin(heading))
        return x + way - way[middle], ys


def street_canvas(size: tuple[int, int]) -> tuple[Canvas, int]:
    """What the place is painted on for pictures of this height and width, and the column where the picture begins.

    The canvas is wider than the picture, so that nothing is seen of its seam.
    """
    height, width = size
    unit = int(UNIT * height)
    return Canvas(height, width + 3 * unit, unit, BACK * height), unit
