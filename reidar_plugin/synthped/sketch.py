"""Paper and pencil: polygons of all frames of a tracklet, projected, shaded and painted back to front."""

from dataclasses import dataclass, field
from itertools import pairwise

import cv2
import numpy as np

from .dice import Array, turn_cos, turn_sin

__all__ = ["Colour", "Eye", "Ink", "Part", "Ramp", "Sketch", "paint"]

#: Blue, green, red as the camera sees them, 0 to 255 each.
Colour = tuple[int, int, int]
Ramp = tuple[Colour, Colour, Colour]  #: shade, own colour, light; BGR as the camera sees it

_BITS = 4  # sub-pixel bits of OpenCV's fixed-point coordinates
_ARC = np.arange(7) / 6 * 0.5 - 0.25  # half a circle, in turns
_COS, _SIN = turn_cos(_ARC), turn_sin(_ARC)
_ROUND = np.arange(16) / 16
_LEVELS = (
    (1.0, 0.0),
    (0.80, 0.13),
    (0.46, 0.30),
)  # size and shift towards the light of shade, colour and light


class Ink:
    """Turns daylight colours (RGB) into what one camera sees of them (BGR), with shade and light.

    Args:
        grade: ``(3, 256)`` uint8, the curve of each of R, G, B.
        exposure: how bright the light on the person is.
    """

    def __init__(self, grade: Array, exposure: float = 1.0) -> None:
        self._grade = grade
        self._exposure = exposure

    def colour(self, rgb: tuple[int, int, int], gain: float = 1.0) -> Colour:
        """A colour as the camera sees it, from RGB in daylight and how bright it is lit."""
        red, green, blue = (min(255, max(0, int(value * gain * self._exposure))) for value in rgb)
        return int(self._grade[2, blue]), int(self._grade[1, green]), int(self._grade[0, red])

    def ramp(self, rgb: tuple[int, int, int], gain: float = 1.0) -> Ramp:
        """The same in shade, as it is, and in the light."""
        lifted = (rgb[0] + 10, rgb[1] + 10, rgb[2] + 9)
        return self.colour(rgb, 0.72 * gain), self.colour(rgb, 0.92 * gain), self.colour(lifted, 1.06 * gain)


class Eye:
    """Where a point of the body falls in the picture.

    Args:
        heading: direction the person faces, in turns, ``(F,)``; 0 faces the camera, 0.25 goes to the right.
        pitch: how far the camera looks down, in turns.
        scale: pixels a body height, ``(F,)``.
        ground: pixel under the person, ``(F, 2)``.
        light: -1 (from the left) ... 1 (from the right).
    """

    def __init__(self, heading: Array, pitch: float, scale: Array, ground: Array, light: float) -> None:
        self.cos, self.sin = turn_cos(heading), turn_sin(heading)
        self.pitch_cos, self.pitch_sin = float(turn_cos(pitch)), float(turn_sin(pitch))
        self.scale, self.ground, self.light = scale, ground, light
        self.frames = len(heading)

    def depth(self, body: Array) -> Array:
        """How near the camera, ``(F,)``, in body heights."""
        return body[:, 2] * self.cos - body[:, 0] * self.sin

    def pixel(self, body: Array) -> Array:
        """Pixels ``(F, 2)`` of a point ``(F, 3)``."""
        across = body[:, 0] * self.cos + body[:, 2] * self.sin
        up = body[:, 1] * self.pitch_cos - self.depth(body) * self.pitch_sin
        return np.stack(
            [self.ground[:, 0] + self.scale * across, self.ground[:, 1] - self.scale * up], axis=1
        )

    def width(self, lateral: float | Array, deep: float | Array) -> Array:
        """Half width in pixels of a trunk with these half axes, ``(F,)``."""
        across, along = lateral * self.cos, deep * self.sin
        return self.scale * np.sqrt(across * across + along * along)


@dataclass
class Part:
    """Strokes that are painted together; parts are painted in the order of ``near``."""

    near: Array
    shown: Array
    eye: Eye
    strokes: list[tuple[Array, Colour, int]] = field(default_factory=list)

    def fill(self, points: Array, colour: Colour) -> None:
        """A polygon ``(F, V, 2)``; any horizontal line may cut its outline twice at most."""
        self.strokes.append((_fixed(points), colour, 0))

    def line(self, points: Array, colour: Colour, width: float) -> None:
        """An open line through ``(F, V, 2)``, ``width`` pixels thick."""
        self.strokes.append((_fixed(points), colour, max(1, int(width + 0.5))))

    def limb(self, joints: list[Array], radii: list[float], ramp: Ramp, levels: int = 3) -> None:
        """A rounded, shaded chain of bones through pixels ``(F, 2)`` with a radius (body heights) at each joint.

        Each shade is laid over the whole chain before the next, so that joints leave no seam.
        """
        rings = [self._ring(a, b) for a, b in pairwise(joints)]
        scale = self.eye.scale[:, None, None]
        for level in range(levels):
            size, shift = _LEVELS[level]
            offset = scale * (shift * min(radii)) * np.array([self.eye.light, -0.45])
            for bone, ring in enumerate(rings):
                start = joints[bone][:, None] - ring * (scale * radii[bone] * size) + offset
                end = joints[bone + 1][:, None] + ring * (scale * radii[bone + 1] * size) + offset
                self.fill(np.concatenate([end, start], axis=1), ramp[level])

    @staticmethod
    def _ring(a: Array, b: Array) -> Array:
        """Half a circle round the far end of the bone from a to b, ``(F, 7, 2)``."""
        gap = b - a
        far = np.sqrt(gap[:, 0] * gap[:, 0] + gap[:, 1] * gap[:, 1])
        along = (gap / np.maximum(far, 1e-3)[:, None])[:, None]
        aside = np.stack([-along[..., 1], along[..., 0]], axis=-1)
        return _COS[:, None] * along + _SIN[:, None] * aside

    def ball(self, centre: Array, rx: Array | float, ry: Array | float, ramp: Ramp, levels: int = 3) -> None:
        """A shaded ellipse round pixel ``(F, 2)``; radii in body heights, a number or ``(F,)``."""
        radii = np.stack(np.broadcast_arrays(np.atleast_1d(rx), np.atleast_1d(ry)), axis=1)[
            :, None
        ]  # (F or 1, 1, 2)
        circle = np.stack([turn_cos(_ROUND), turn_sin(_ROUND)], axis=1)
        scale = self.eye.scale[:, None, None]
        for level in range(levels):
            size, shift = _LEVELS[level]
            offset = np.array([self.eye.light, -0.45]) * shift
            self.fill(centre[:, None] + scale * radii * (circle * size + offset), ramp[level])


class Sketch:
    """All parts of one figure."""

    def __init__(self, eye: Eye) -> None:
        self.eye = eye
        self.parts: list[Part] = []

    def part(self, near: Array | float, shown: Array | bool = True) -> Part:
        """A new part: the larger ``near`` (``(F,)`` or a number), the later it is painted, in the frames ``shown``."""
        frames = (self.eye.frames,)
        near = np.broadcast_to(np.asarray(near, dtype=np.float64), frames)
        part = Part(near, np.broadcast_to(shown, frames), self.eye)
        self.parts.append(part)
        return part

    def order(self) -> list[list[int]]:
        """For each frame the parts that show, from back to front."""
        ranks = np.argsort(np.stack([part.near for part in self.parts]), axis=0, kind="stable").T
        shown = np.stack([part.shown for part in self.parts], axis=1)
        return [rank[seen[rank]].tolist() for rank, seen in zip(ranks, shown, strict=True)]


def paint(canvas: Array, parts: list[Part], order: list[int], frame: int) -> None:
    """Paint one frame on a canvas, uint8 ``(H, W, 3)`` BGR, in place."""
    for place in order:
        for points, colour, width in parts[place].strokes:
            if width:
                cv2.polylines(canvas, [points[frame]], False, colour, width, cv2.LINE_AA, _BITS)
            else:
                cv2.fillConvexPoly(canvas, points[frame], colour, cv2.LINE_8, _BITS)


def _fixed(points: Array) -> Array:
    return np.rint(np.clip(points, -2000.0, 2000.0) * (1 << _BITS)).astype(np.int32)
