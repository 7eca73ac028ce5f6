"""Boxes, wheels and the hands that hold them: how things beside a person are drawn."""

import numpy as np

from .dice import Array, turn_cos, turn_sin
from .people import COLOURS, Look
from .skeleton import LEFT, RIGHT, Skeleton, point
from .sketch import Ink, Part, Ramp, Sketch

__all__ = ["Place", "Things"]

Place = tuple[float, float, float]
"""A spot in body heights: to the left of the person, up, ahead."""

_WHEEL = np.arange(19) / 18


class Things:
    """What is needed to draw things that belong to a person.

    Args:
        sketch: where the parts go.
        look: whose things they are.
        bones: where the hands are.
        phase: of the gait or the pedals, ``(F,)``.
        ink: how the camera sees colours.
        base: moves all parts towards the camera.
    """

    def __init__(
        self, sketch: Sketch, look: Look, bones: Skeleton, phase: Array, ink: Ink, base: float
    ) -> None:
        self.sketch, self.eye, self.ink = sketch, sketch.eye, ink
        self.look, self.bones, self.phase, self.base = look, bones, phase, base
        self.side, self.sign = (RIGHT, -1.0) if look.right_handed else (LEFT, 1.0)
        self.colour = ink.ramp(COLOURS[look.item_colour])
        self.metal = ink.ramp((120, 122, 126))
        self.tyre = ink.ramp((34, 34, 36))
        self.screen = ink.ramp((206, 222, 236))

    def place(self, x: float | Array, y: float | Array, z: float | Array) -> Array:
        """A spot beside the person, ``(F, 3)``."""
        spot = point(x, y, z)
        return np.repeat(spot, self.eye.frames, axis=0) if len(spot) == 1 else spot

    def at(self, x: float | Array, y: float | Array, z: float | Array) -> Array:
        """Pixel of a spot, ``(F, 2)``."""
        return self.eye.pixel(self.place(x, y, z))

    def hand(self, side: int) -> Array:
        """The palm, a little beyond the wrist."""
        return self.bones.wrists[side] + (self.bones.wrists[side] - self.bones.elbows[side]) * 0.15

    def away(self, spot: Array, front: float, back: float | None = None) -> Array:
        """Before or behind the trunk, by where the thing is."""
        depth = self.eye.depth(spot - self.bones.pelvis)
        return np.where(depth > -0.012, front, -(front if back is None else back))

    def wheel(self, part: Part, hub: Place, radius: float, thick: float, spokes: float | None = None) -> None:
        """A tyre round a hub, in the plane of the way; with spokes that turn with the pedals, from a turn on."""
        x, y, z = hub
        rim = [self.at(x, y + radius * turn_sin(t), z + radius * turn_cos(t)) for t in _WHEEL]
        for spoke in range(5) if spokes is not None else ():
            turn = self.phase + spokes + spoke / 5
            tip = self.at(x, y + radius * turn_sin(turn), z + radius * turn_cos(turn))
            part.line(np.stack([self.at(*hub), tip], axis=1), self.metal[1], 1)
        part.line(np.stack(rim, axis=1), self.tyre[0], thick)

    def box(
        self,
        middle: Array,
        half: tuple[float, float, float],
        ramp: Ramp,
        near: Array,
        shown: Array,
        grid: bool = False,
    ) -> None:
        """A box along the axes of the body; of its faces those that look at the camera."""
        hx, hy, hz = half
        faces = (
            ((1, 0), -self.eye.sin, ramp[1]), ((-1, 0), self.eye.sin, ramp[1]),
            ((0, 1), self.eye.cos, ramp[0]), ((0, -1), -self.eye.cos, ramp[0]),
        )  # fmt: skip

        def corner(x: int, y: float, z: int) -> Array:
            return self.eye.pixel(middle + point(x * hx, y * hy, z * hz))

        for (fx, fz), facing, colour in faces:
            part = self.sketch.part(near, shown & (facing > 0.02))
            ends = [(fx, -1), (fx, 1)] if fx else [(-1, fz), (1, fz)]
            (ax, az), (bx, bz) = ends
            part.fill(
                np.stack(
                    [corner(ax, -1, az), corner(ax, 1, az), corner(bx, 1, bz), corner(bx, -1, bz)], axis=1
                ),
                colour,
            )
            for at in (-0.6, -0.2, 0.2, 0.6) if grid else ():
                part.line(np.stack([corner(ax, at, az), corner(bx, at, bz)], axis=1), ramp[0], 2)
        top = self.sketch.part(near + 0.001, shown)
        top.fill(
            np.stack([corner(-1, 1, -1), corner(-1, 1, 1), corner(1, 1, 1), corner(1, 1, -1)], axis=1),
            ramp[2],
        )
