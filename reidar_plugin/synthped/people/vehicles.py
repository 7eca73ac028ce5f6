"""Things on wheels: bicycles, suitcases, shopping carts, prams."""

import numpy as np

from reidar_plugin.synthped.drawing.colours import Ramp
from reidar_plugin.synthped.people.shapes import Shapes
from reidar_plugin.synthped.people.skeleton import point
from reidar_plugin.synthped.seeded_random import Array

__all__ = ["Vehicles"]


class Vehicles(Shapes):
    """Draws things on wheels."""

    def bicycle(self, shown: Array) -> None:
        """A bicycle under a rider."""
        at = self.at
        thin = float(self.view.scale[0]) * 0.016
        back, front = (0.185, -0.285), (0.185, 0.375)
        part = self.sketch.part(-0.3, shown)
        for (y, z), turn in ((back, 0.0), (front, 0.3)):
            self.wheel(part, (0.0, y, z), 0.178, thin, spokes=turn)
        seat, crank, head = (0.49, -0.115), (0.175, 0.02), (0.52, 0.285)
        frame = ((seat, crank), (crank, head), (seat, head), (crank, back), (seat, back), (head, front))
        for a, b in frame:
            part.limb([at(0.0, *a), at(0.0, *b)], [0.0125, 0.0125], self.colour, levels=2)
        part.limb([at(0.0, *head), at(0.0, 0.60, 0.265)], [0.010, 0.010], self.metal, levels=2)
        part.limb([at(0.0, 0.525, -0.16), at(0.0, 0.530, -0.07)], [0.022, 0.014], self.tyre, levels=2)
        bar = self.sketch.part(np.where(self.view.cos > 0.1, 0.55, -0.55), shown)
        bar.limb([at(-0.135, 0.625, 0.255), at(0.135, 0.625, 0.255)], [0.010, 0.010], self.metal, levels=2)
        bar.limb([at(0.0, 0.625, 0.265), at(0.0, 0.57, 0.275)], [0.010, 0.010], self.metal, levels=2)

    def trolley(self, shown: Array) -> None:
        """The kind of trolley that this person has."""
        {"suitcase": self.suitcase, "cart": self.cart, "pram": self.pram}[self.look.vehicle](shown)

    def suitcase(self, shown: Array) -> None:
        """A suitcase on wheels, pulled."""
        x, wrist = self.sign * 0.125, self.bones.wrists[self.side]
        case = self.spot(x, 0.19, -0.30)
        near = self.away(case, 0.85)
        handle = self.sketch.part(near - 0.01, shown)
        handle.limb(
            [self.view.pixel(wrist), self.view.pixel(case + point(0.0, 0.13, 0.03))],
            [0.009, 0.009],
            self.metal,
            levels=2,
        )
        for dx in (-0.07, 0.07):
            handle.ball(self.at(x + dx, 0.020, -0.30), 0.022, 0.022, self.tyre, levels=2)
        self.box(case, (0.078, 0.145, 0.050), self.colour, near, shown)

    def cart(self, shown: Array) -> None:
        """A shopping cart, pushed."""
        basket = self.spot(0.0, 0.43, 0.37)
        near = self.away(basket, 0.85)
        self.chassis(shown, near, self.metal)
        self.box(basket, (0.105, 0.085, 0.135), self.colours.ramp((150, 154, 158)), near, shown, grid=True)

    def pram(self, shown: Array) -> None:
        """A pram, pushed."""
        tub = self.spot(0.0, 0.37, 0.37)
        near = self.away(tub, 0.85)
        self.chassis(shown, near, self.tyre)
        self.box(tub, (0.085, 0.075, 0.130), self.colour, near, shown)
        hood = self.sketch.part(near + 0.02, shown)
        hood.ball(self.at(0.0, 0.49, 0.30), 0.092, 0.085, self.colour)

    def chassis(self, shown: Array, near: Array, ramp: Ramp) -> None:
        """Handles, legs and four wheels."""
        part = self.sketch.part(near - 0.02, shown)
        for x in (-0.10, 0.10):
            grip, back, front = (self.at(x * 0.9, *yz) for yz in ((0.575, 0.235), (0.10, 0.26), (0.10, 0.49)))
            part.limb([grip, back], [0.009, 0.009], ramp, levels=2)
            part.limb([back, front], [0.009, 0.009], ramp, levels=2)
            for z in (0.26, 0.49):
                self.wheel(part, (x, 0.05, z), 0.045, float(self.view.scale[0]) * 0.016)
        grips = [self.at(x, 0.580, 0.232) for x in (-0.10, 0.10)]
        bar = self.sketch.part(np.where(self.view.cos > 0.1, 0.8, -0.7), shown)
        bar.limb(grips, [0.011, 0.011], ramp, levels=2)
