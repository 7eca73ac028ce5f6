"""Cloth and soft bags: shapes that hang between horizontal cross-sections."""

import numpy as np

from reidar_plugin.synthped.drawing.colours import Ramp
from reidar_plugin.synthped.drawing.sketch import Part
from reidar_plugin.synthped.seeded_random import Array

__all__ = ["Sections", "band", "outline", "shaded"]

#: Cross-sections from top to bottom: the centre ``(F, 2)`` and half width ``(F,)`` of each, in pixels.
Sections = list[tuple[Array, Array]]


def shaded(part: Part, sections: Sections, ramp: Ramp) -> None:
    """Fill the shape in shade, colour and light."""
    for colour, size, shift in zip(ramp, (1.0, 0.83, 0.48), (0.0, 0.11, 0.28), strict=True):
        part.fill(outline(sections, size, shift * part.view.light), colour)


def outline(sections: Sections, size: float, shift: float) -> Array:
    """Polygon ``(F, 2S, 2)`` down the left side of S sections and up the right side.

    Args:
        sections: the cross-sections of the shape.
        size: factor on their widths.
        shift: how far to move them to the right, as a part of their half widths.
    """
    centres, halves = (np.stack(each, axis=1) for each in zip(*sections, strict=True))
    left, right = centres, centres.copy()
    left[..., 0] += halves * (shift - size)
    right[..., 0] += halves * (shift + size)
    return np.concatenate([left, right[:, ::-1]], axis=1)


def band(
    sections: Sections,
    top: float,
    low: float,
    left: Array | float,
    right: Array | float,
    size: float,
) -> Array:
    """Polygon of a patch of the shape, ``(F, V, 2)``.

    Args:
        sections: the cross-sections of the shape.
        top: upper edge of the patch; 0 is the first section, 1 the last.
        low: lower edge of the patch.
        left: left edge, ``(F,)`` or a number, from -1 to 1 across the width of the shape.
        right: right edge.
        size: bound on the left and right edges.
    """
    count = len(sections) - 1
    inner = [at / count for at in range(1, count) if top < at / count < low]
    left, right = np.clip(left, -size, size), np.clip(right, -size, size)
    sides: tuple[list[Array], list[Array]] = ([], [])
    for height in [top, *inner, low]:
        index = min(int(height * count), count - 1)
        part = height * count - index
        (c0, w0), (c1, w1) = sections[index], sections[index + 1]
        centre, half = c0 * (1 - part) + c1 * part, w0 * (1 - part) + w1 * part
        for points, turn in zip(sides, (left, right), strict=True):
            points.append(centre + np.stack([half * turn, np.zeros_like(half)], axis=1))
    return np.stack(sides[0] + sides[1][::-1], axis=1)
