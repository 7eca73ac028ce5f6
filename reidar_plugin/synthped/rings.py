"""Cloth: shapes that hang between rings, each a centre ``(F, 2)`` and a half width ``(F,)`` in pixels."""

import numpy as np

from .dice import Array
from .sketch import Part, Ramp

__all__ = ["Rings", "band", "outline", "shaded"]

#: From the top to the hem: centre ``(F, 2)`` and half width ``(F,)`` of each ring, in pixels.
Rings = list[tuple[Array, Array]]


def shaded(part: Part, rings: Rings, ramp: Ramp) -> None:
    """Fill the shape in shade, colour and light."""
    for colour, size, shift in zip(ramp, (1.0, 0.83, 0.48), (0.0, 0.11, 0.28), strict=True):
        part.fill(outline(rings, size, shift * part.eye.light), colour)


def outline(rings: Rings, size: float, shift: float) -> Array:
    """Polygon ``(F, 2R, 2)`` down the left and up the right of a row of rings, shrunk and moved sideways."""
    left = [centre + np.stack([half * (shift - size), np.zeros_like(half)], axis=1) for centre, half in rings]
    right = [
        centre + np.stack([half * (shift + size), np.zeros_like(half)], axis=1) for centre, half in rings
    ]
    return np.stack(left + right[::-1], axis=1)


def band(
    rings: Rings,
    top: float,
    low: float,
    left: Array | float,
    right: Array | float,
    size: float,
) -> Array:
    """Polygon on the trunk between two heights (0 collar ... 1 hem) and two sides (-1 ... 1 of the width there)."""
    count = len(rings) - 1
    inner = [at / count for at in range(1, count) if top < at / count < low]
    heights = [top, *inner, low]
    left, right = np.clip(left, -size, size), np.clip(right, -size, size)
    sides: tuple[list[Array], list[Array]] = ([], [])
    for height in heights:
        place = min(int(height * count), count - 1)
        part = height * count - place
        (c0, w0), (c1, w1) = rings[place], rings[place + 1]
        centre, half = c0 * (1 - part) + c1 * part, w0 * (1 - part) + w1 * part
        for points, turn in zip(sides, (left, right), strict=True):
            points.append(centre + np.stack([half * turn, np.zeros_like(half)], axis=1))
    return np.stack(sides[0] + sides[1][::-1], axis=1)
