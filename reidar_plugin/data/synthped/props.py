"""What people ride, push, carry and hold to their face: hands go to it, and it is drawn where the hands are."""

from collections.abc import Callable, Mapping

import numpy as np

from .dice import Array, turn_cos, turn_sin
from .people import COLOURS, Look
from .skeleton import LEFT, RIGHT, Skeleton, point
from .sketch import Ink, Ramp, Sketch

__all__ = ["REACH", "draw_props", "hand_goals"]

REACH = 0.155
"""Where two hands meet that hold each other: half the way between two people, in body heights."""

Goals = dict[int, tuple[float, float, float]]
_WHEEL = np.arange(19) / 18


def hand_goals(action: str, look: Look) -> Goals:
    """Where the wrists are in an action, in body heights from the ground under the person (x to the left)."""
    hand, sign = (RIGHT, -1.0) if look.right_handed else (LEFT, 1.0)
    both = lambda x, y, z: {LEFT: (x, y, z), RIGHT: (-x, y, z)}  # noqa: E731
    if action == "riding":
        return both(0.13, 0.655, 0.27)
    if action == "item_both_hands":
        return both(0.098, 0.60, 0.165)
    if action == "phone_to_ear":
        return {hand: (sign * 0.084, 0.866, 0.055)}
    if action == "phone_to_face":
        return {hand: (sign * 0.035, 0.785, 0.190)}
    if action == "holding_hands":
        return {hand: (sign * REACH, 0.47, 0.03)}
    if action == "trolley" and look.vehicle == "suitcase":
        return {hand: (sign * 0.125, 0.475, -0.16)}
    if action == "trolley":
        return both(0.095, 0.575, 0.225)
    if action == "item_one_hand":
        return {hand: _ITEM_HANDS[look.item](sign)}
    return {}


_ITEM_HANDS: Mapping[str, Callable[[float], tuple[float, float, float]]] = {
    "bag": lambda sign: (sign * 0.150, 0.525, 0.03),
    "cup": lambda sign: (sign * 0.090, 0.665, 0.17),
    "book": lambda sign: (sign * 0.120, 0.610, 0.10),
    "umbrella": lambda sign: (sign * 0.150, 0.530, 0.06),
}


def draw_props(
    sketch: Sketch,
    look: Look,
    bones: Skeleton,
    phase: Array,
    held: Mapping[str, Array],
    ink: Ink,
    base: float,
) -> None:
    """Draw the things of each action where ``held`` (action to ``(F,)`` bool) says so."""
    draw = _Props(sketch, look, bones, phase, ink, base)
    for action, shown in held.items():
        if action in _DRAW and shown.any():
            _DRAW[action](draw, shown)


class _Props:
    def __init__(
        self, sketch: Sketch, look: Look, bones: Skeleton, phase: Array, ink: Ink, base: float
    ) -> None:
        self.sketch, self.eye, self.ink = sketch, sketch.eye, ink
        self.look, self.bones, self.phase, self.base = look, bones, phase, base
        self.side, self.sign = (RIGHT, -1.0) if look.right_handed else (LEFT, 1.0)
        self.colour = ink.ramp(COLOURS[look.item_colour])
        self.metal = ink.ramp((120, 122, 126))
        self.tyre = ink.ramp((34, 34, 36))
        self.pelvis = bones.pelvis * np.array([1.0, 0.0, 0.0])  # the ground under the person

    # bicycle ------------------------------------------------------------

    def bicycle(self, shown: Array) -> None:
        at = lambda x, y, z: self.eye.pixel(np.repeat(point(x, y, z), self.eye.frames, axis=0))  # noqa: E731
        thin = float(self.eye.scale[0]) * 0.016
        back, front = (0.185, -0.285), (0.185, 0.375)
        part = self.sketch.part(self.base - 0.3, shown)
        for (y, z), turn in ((back, 0.0), (front, 0.3)):
            self.wheel(part, 0.0, y, z, 0.178, thin, spokes=turn)
        seat, crank, head = (0.49, -0.115), (0.175, 0.02), (0.52, 0.285)
        frame = ((seat, crank), (crank, head), (seat, head), (crank, back), (seat, back), (head, front))
        for a, b in frame:
            part.limb([at(0.0, *a), at(0.0, *b)], [0.0125, 0.0125], self.colour, levels=2)
        part.limb([at(0.0, *head), at(0.0, 0.60, 0.265)], [0.010, 0.010], self.metal, levels=2)
        part.limb([at(0.0, 0.525, -0.16), at(0.0, 0.530, -0.07)], [0.022, 0.014], self.tyre, levels=2)
        bar = self.sketch.part(self.base + np.where(self.eye.cos > 0.1, 0.55, -0.55), shown)
        bar.limb([at(-0.135, 0.625, 0.255), at(0.135, 0.625, 0.255)], [0.010, 0.010], self.metal, levels=2)
        bar.limb([at(0.0, 0.625, 0.265), at(0.0, 0.57, 0.275)], [0.010, 0.010], self.metal, levels=2)

    def wheel(
        self,
        part: object,
        x: float,
        y: float,
        z: float,
        radius: float,
        thick: float,
        spokes: float | None = None,
    ) -> None:
        rim = np.stack(
            [
                self.eye.pixel(self.place(x, y + radius * turn_sin(t), z + radius * turn_cos(t)))
                for t in _WHEEL
            ],
            axis=1,
        )
        if spokes is not None:
            hub = self.eye.pixel(self.place(x, y, z))
            for spoke in range(5):
                turn = self.phase * 1.0 + spokes + spoke / 5
                tip = self.eye.pixel(self.place(x, y + radius * turn_sin(turn), z + radius * turn_cos(turn)))
                part.line(np.stack([hub, tip], axis=1), self.metal[1], 1)  # type: ignore[attr-defined]
        part.line(rim, self.tyre[0], thick)  # type: ignore[attr-defined]

    def place(self, x: float | Array, y: float | Array, z: float | Array) -> Array:
        spot = point(x, y, z)
        return np.repeat(spot, self.eye.frames, axis=0) if len(spot) == 1 else spot

    # trolleys ------------------------------------------------------------

    def trolley(self, shown: Array) -> None:
        {"suitcase": self.suitcase, "cart": self.cart, "pram": self.pram}[self.look.vehicle](shown)

    def suitcase(self, shown: Array) -> None:
        x, wrist = self.sign * 0.125, self.bones.wrists[self.side]
        case = self.place(x, 0.19, -0.30)
        near = self.base + self.away(case, 0.85)
        handle = self.sketch.part(near - 0.01, shown)
        handle.limb(
            [self.eye.pixel(wrist), self.eye.pixel(case + point(0.0, 0.13, 0.03))],
            [0.009, 0.009],
            self.metal,
            levels=2,
        )
        for dx in (-0.07, 0.07):
            handle.ball(self.eye.pixel(self.place(x + dx, 0.020, -0.30)), 0.022, 0.022, self.tyre, levels=2)
        self.box(case, (0.078, 0.145, 0.050), self.colour, near, shown)

    def cart(self, shown: Array) -> None:
        basket = self.place(0.0, 0.43, 0.37)
        near = self.base + self.away(basket, 0.85)
        self.chassis(shown, near, self.metal)
        self.box(basket, (0.105, 0.085, 0.135), self.ink.ramp((150, 154, 158)), near, shown, grid=True)

    def pram(self, shown: Array) -> None:
        tub = self.place(0.0, 0.37, 0.37)
        near = self.base + self.away(tub, 0.85)
        self.chassis(shown, near, self.tyre)
        self.box(tub, (0.085, 0.075, 0.130), self.colour, near, shown)
        hood = self.sketch.part(near + 0.02, shown)
        hood.ball(self.eye.pixel(self.place(0.0, 0.49, 0.30)), 0.092, 0.085, self.colour)

    def chassis(self, shown: Array, near: Array, ramp: Ramp) -> None:
        part = self.sketch.part(near - 0.02, shown)
        for x in (-0.10, 0.10):
            grip, back, front = (
                self.eye.pixel(self.place(x * 0.9, *yz))
                for yz in ((0.575, 0.235), (0.10, 0.26), (0.10, 0.49))
            )
            part.limb([grip, back], [0.009, 0.009], ramp, levels=2)
            part.limb([back, front], [0.009, 0.009], ramp, levels=2)
            for z in (0.26, 0.49):
                self.wheel(part, x, 0.05, z, 0.045, float(self.eye.scale[0]) * 0.016)
        grips = [self.eye.pixel(self.place(x, 0.580, 0.232)) for x in (-0.10, 0.10)]
        bar = self.sketch.part(self.base + np.where(self.eye.cos > 0.1, 0.8, -0.7), shown)
        bar.limb(grips, [0.011, 0.011], ramp, levels=2)

    # things in the hand ------------------------------------------------------------

    def one_hand(self, shown: Array) -> None:
        hand = self.hand(self.side)
        near = self.base + self.away(hand, 0.75, 0.7)
        item = self.look.item
        if item == "bag":
            self.carrier(hand, near, shown)
        elif item == "book":
            self.box(hand + point(0.0, 0.02, 0.01), (0.018, 0.090, 0.068), self.colour, near, shown)
        else:
            tip = hand + (point(0.0, 0.085, 0.010) if item == "cup" else point(0.0, -0.33, 0.12))
            radii = [0.025, 0.032] if item == "cup" else [0.022, 0.008]
            self.sketch.part(near, shown).limb(
                [self.eye.pixel(hand), self.eye.pixel(tip)], radii, self.colour
            )

    def carrier(self, hand: Array, near: Array, shown: Array) -> None:
        part = self.sketch.part(near, shown)
        top, low = hand - point(0.0, 0.075, 0.0), hand - point(0.0, 0.275, 0.0)
        width = self.eye.width(0.042, 0.092)
        spread = np.stack([width, np.zeros_like(width)], axis=1)
        for sign in (-0.8, 0.8):
            ends = np.stack([self.eye.pixel(hand), self.eye.pixel(top) + spread * sign], axis=1)
            part.line(ends, self.colour[0], float(self.eye.scale[0]) * 0.010)
        a, b = self.eye.pixel(top), self.eye.pixel(low)
        for level, size in enumerate((1.0, 0.84, 0.4)):
            corners = [a - spread * size * 0.9, b - spread * size, b + spread * size, a + spread * size * 0.9]
            part.fill(np.stack(corners, axis=1), self.colour[level])

    def both_hands(self, shown: Array) -> None:
        middle = (self.hand(LEFT) + self.hand(RIGHT)) / 2 + point(0.0, 0.02, 0.055)
        size = {
            "bag": (0.105, 0.085, 0.08),
            "cup": (0.115, 0.070, 0.07),
            "book": (0.100, 0.060, 0.07),
            "umbrella": (0.100, 0.120, 0.085),
        }
        near = self.base + np.where(self.eye.cos > -0.1, 0.58, -0.70)
        self.box(middle, size[self.look.item], self.colour, near, shown)

    def phone_to_ear(self, shown: Array) -> None:
        hand = self.hand(self.side)
        part = self.sketch.part(self.base + self.away(hand, 0.78, 0.72), shown)
        a, b = hand + point(-self.sign * 0.010, 0.0, 0.004), hand + point(-self.sign * 0.010, 0.070, -0.016)
        part.limb([self.eye.pixel(a), self.eye.pixel(b)], [0.019, 0.019], self.tyre, levels=2)

    def phone_to_face(self, shown: Array) -> None:
        hand = self.hand(self.side)
        middle = hand + point(-self.sign * 0.012, 0.042, 0.012)
        near = self.base + np.where(self.eye.cos > -0.1, 0.76, -0.76)
        self.box(middle, (0.032, 0.056, 0.008), self.ink.ramp((48, 52, 60)), near, shown)

    def hand(self, side: int) -> Array:
        return self.bones.wrists[side] + (self.bones.wrists[side] - self.bones.elbows[side]) * 0.15

    def away(self, spot: Array, front: float, back: float | None = None) -> Array:
        """Before or behind the trunk, by where the thing is."""
        depth = self.eye.depth(spot - self.bones.pelvis)
        return np.where(depth > -0.012, front, -(front if back is None else back))

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
        corner = lambda x, y, z: self.eye.pixel(middle + point(x * hx, y * hy, z * hz))  # noqa: E731
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


_DRAW: Mapping[str, Callable[[_Props, Array], None]] = {
    "riding": _Props.bicycle,
    "item_one_hand": _Props.one_hand,
    "item_both_hands": _Props.both_hands,
    "phone_to_ear": _Props.phone_to_ear,
    "phone_to_face": _Props.phone_to_face,
    "trolley": _Props.trolley,
}
