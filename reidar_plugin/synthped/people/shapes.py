"""Shapes that things beside a person are made of: boxes and wheels."""

import numpy as np

from reidar_plugin.synthped.drawing.colours import Ramp
from reidar_plugin.synthped.drawing.sketch import Part
from reidar_plugin.synthped.people.body import Figure
from reidar_plugin.synthped.people.looks import COLOURS
from reidar_plugin.synthped.people.skeleton import LEFT, RIGHT, point
from reidar_plugin.synthped.seeded_random import Array, turn_cos, turn_sin

__all__ = ["Shapes", "Spot"]

Spot = tuple[float, float, float]
"""A point in body heights: to the left of the person, up from the ground, ahead."""

_WHEEL = np.arange(19) / 18


class Shapes:
    """Draws boxes and wheels beside a person, and knows where the hands are.

    Args:
        figure: the person, who gets the parts.
        phase: how far the cycle of the gait or of the pedals has come, in turns, ``(F,)``.
    """

    def __init__(self, figure: Figure, phase: Array) -> None:
        self.sketch, self.view, self.colours = figure.sketch, figure.view, figure.colours
        self.look, self.bones, self.phase = figure.look, figure.bones, phase
        self.side, self.sign = (RIGHT, -1.0) if self.look.right_handed else (LEFT, 1.0)
        self.colour = self.colours.ramp(COLOURS[self.look.item_colour])
        self.metal = self.colours.ramp((120, 122, 126))
        self.tyre = self.colours.ramp((34, 34, 36))
        self.screen = self.colours.ramp((206, 222, 236))

    def spot(self, x: float | Array, y: float | Array, z: float | Array) -> Array:
        """A point beside the person in each frame, ``(F, 3)``."""
        spot = point(x, y, z)
        return np.repeat(spot, self.view.frames, axis=0) if len(spot) == 1 else spot

    def at(self, x: float | Array, y: float | Array, z: float | Array) -> Array:
        """Pixels of a point beside the person, ``(F, 2)``."""
        return self.view.pixel(self.spot(x, y, z))

    def hand(self, side: int) -> Array:
        """The palm of a hand, ``(F, 3)``: a little beyond the wrist."""
        return self.bones.wrists[side] + (self.bones.wrists[side] - self.bones.elbows[side]) * 0.15

    def away(self, spot: Array, front: float, back: float | None = None) -> Array:
        """Rank of a thing among the parts of the person: ``front`` before the trunk, ``-back`` behind it.

        Args:
            spot: where the thing is, ``(F, 3)``.
            front: rank if that is nearer to the camera than the trunk.
            back: rank, negated, if it is not; ``front`` by default.
        """
        depth = self.view.depth(spot - self.bones.pelvis)
        return np.where(depth > -0.012, front, -(front if back is None else back))

    def wheel(self, part: Part, hub: Spot, radius: float, thick: float, spokes: float | None = None) -> None:
        """Add a wheel that rolls ahead.

        Args:
            part: what the wheel is added to.
            hub: the middle of the wheel.
            radius: radius in body heights.
            thick: width of the tyre in pixels.
            spokes: angle of the first spoke, in turns; None for no spokes.
        """
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
        """Add a box along the axes of the body; only the faces that look at the camera are drawn.

        Args:
            middle: centre of the box, ``(F, 3)``.
            half: half its size to the side, up and ahead, in body heights.
            ramp: colours in shade, as it is, and in light.
            near: rank among the parts of the person, ``(F,)``.
            shown: frames in which the box is drawn, ``(F,)`` bool.
            grid: whether the sides are lined, as a shopping cart's.
        """
        hx, hy, hz = half
        faces = (
            ((1, 0), -self.view.sin, ramp[1]), ((-1, 0), self.view.sin, ramp[1]),
            ((0, 1), self.view.cos, ramp[0]), ((0, -1), -self.view.cos, ramp[0]),
        )  # fmt: skip

        def corner(x: int, y: float, z: int) -> Array:
            return self.view.pixel(middle + point(x * hx, y * hy, z * hz))

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
