"""Sketches: polygons of all frames of a tracklet, shaded, and painted from back to front."""

from dataclasses import dataclass, field
from itertools import pairwise

import cv2
import numpy as np

from reidar_plugin.synthped.drawing.colours import Colour, Ramp
from reidar_plugin.synthped.drawing.view import View
from reidar_plugin.synthped.seeded_random import Array, turn_cos, turn_sin

__all__ = ["Part", "Sketch", "paint"]

_BITS = 4  # sub-pixel bits of OpenCV's fixed-point coordinates
_ARC = np.arange(7) / 6 * 0.5 - 0.25  # half a circle, in turns
_COS, _SIN = turn_cos(_ARC), turn_sin(_ARC)
_ROUND = np.arange(16) / 16
_LEVELS = (
    (1.0, 0.0),
    (0.80, 0.13),
    (0.46, 0.30),
)  # size, and shift towards the light, of shade, colour, light


@dataclass
class Part:
    """Polygons and lines that are painted together, in the frames where the part is shown."""

    near: Array  #: rank towards the camera, ``(F,)``; nearer parts are painted later
    shown: Array  #: ``(F,)`` bool
    view: View
    strokes: list[tuple[Array, Colour, int]] = field(default_factory=list)

    def fill(self, points: Array, colour: Colour) -> None:
        """A polygon ``(F, V, 2)``; a horizontal line must not cut its outline more than twice."""
        self.strokes.append((_fixed(points), colour, 0))

    def line(self, points: Array, colour: Colour, width: float) -> None:
        """An open line through ``(F, V, 2)``, ``width`` pixels thick."""
        self.strokes.append((_fixed(points), colour, max(1, int(width + 0.5))))

    def limb(self, joints: list[Array], radii: list[float], ramp: Ramp, levels: int = 3) -> None:
        """A rounded, shaded chain of bones. Each shade covers the whole chain before the next, so joints leave no seam.

        Args:
            joints: pixels of the joints, ``(F, 2)`` each.
            radii: radius at each joint, in body heights.
            ramp: colours in shade, as it is, and in light.
            levels: how many of these shades to use.
        """
        arcs = [self._arc(a, b) for a, b in pairwise(joints)]
        scale = self.view.scale[:, None, None]
        for level in range(levels):
            size, shift = _LEVELS[level]
            offset = scale * (shift * min(radii)) * np.array([self.view.light, -0.45])
            for bone, arc in enumerate(arcs):
                start = joints[bone][:, None] - arc * (scale * radii[bone] * size) + offset
                end = joints[bone + 1][:, None] + arc * (scale * radii[bone + 1] * size) + offset
                self.fill(np.concatenate([end, start], axis=1), ramp[level])

    @staticmethod
    def _arc(a: Array, b: Array) -> Array:
        """Half a circle round the far end of the bone from a to b, ``(F, 7, 2)``."""
        gap = b - a
        far = np.sqrt(gap[:, 0] * gap[:, 0] + gap[:, 1] * gap[:, 1])
        along = (gap / np.maximum(far, 1e-3)[:, None])[:, None]
        aside = np.stack([-along[..., 1], along[..., 0]], axis=-1)
        return _COS[:, None] * along + _SIN[:, None] * aside

    def ball(self, centre: Array, rx: Array | float, ry: Array | float, ramp: Ramp, levels: int = 3) -> None:
        """A shaded ellipse round the pixels ``centre`` ``(F, 2)``; radii in body heights, a number or ``(F,)``."""
        radii = np.stack(np.broadcast_arrays(np.atleast_1d(rx), np.atleast_1d(ry)), axis=1)[:, None]
        circle = np.stack([turn_cos(_ROUND), turn_sin(_ROUND)], axis=1)
        scale = self.view.scale[:, None, None]
        for level in range(levels):
            size, shift = _LEVELS[level]
            offset = np.array([self.view.light, -0.45]) * shift
            self.fill(centre[:, None] + scale * radii * (circle * size + offset), ramp[level])


class Sketch:
    """All parts of one person or thing.

    Args:
        view: how the camera sees it.
    """

    def __init__(self, view: View) -> None:
        self.view = view
        self.parts: list[Part] = []

    def part(self, near: Array | float, shown: Array | bool = True) -> Part:
        """Add a part.

        Args:
            near: rank towards the camera, ``(F,)`` or a number; the larger, the later the part is painted.
            shown: frames in which the part is painted, ``(F,)`` bool or one value for all.
        """
        frames = (self.view.frames,)
        near = np.broadcast_to(np.asarray(near, dtype=np.float64), frames)
        part = Part(near, np.broadcast_to(shown, frames), self.view)
        self.parts.append(part)
        return part

    def order(self) -> list[list[int]]:
        """For each frame the indices of the parts that are shown, from back to front."""
        ranks = np.argsort(np.stack([part.near for part in self.parts]), axis=0, kind="stable").T
        shown = np.stack([part.shown for part in self.parts], axis=1)
        return [rank[seen[rank]].tolist() for rank, seen in zip(ranks, shown, strict=True)]


def paint(image: Array, parts: list[Part], order: list[int], frame: int) -> None:
    """Paint the parts of one frame, in the given order, on an image, uint8 ``(H, W, 3)`` BGR, in place."""
    for index in order:
        for points, colour, width in parts[index].strokes:
            if width:
                cv2.polylines(image, [points[frame]], False, colour, width, cv2.LINE_AA, _BITS)
            else:
                cv2.fillConvexPoly(image, points[frame], colour, cv2.LINE_8, _BITS)


def _fixed(points: Array) -> Array:
    """Pixels as OpenCV's fixed-point numbers, so that rounding is the same on every machine."""
    return np.rint(np.clip(points, -2000.0, 2000.0) * (1 << _BITS)).astype(np.int32)
