"""Things that belong to actions: where they make the hands go, and what they look like there."""

from collections.abc import Callable, Mapping

import numpy as np

from reidar_plugin.synthped.people.body import Figure
from reidar_plugin.synthped.people.looks import Look
from reidar_plugin.synthped.people.shapes import Spot
from reidar_plugin.synthped.people.skeleton import LEFT, RIGHT, point
from reidar_plugin.synthped.people.vehicles import Vehicles
from reidar_plugin.synthped.seeded_random import Array

__all__ = ["REACH", "draw_props", "hand_goals"]

REACH = 0.155
"""Half the distance between two people who hold hands, in body heights."""

Goals = dict[int, Spot]


def hand_goals(action: str, look: Look) -> Goals:
    """Where each wrist goes in an action; wrists that the action does not need are left out."""
    hand, sign = (RIGHT, -1.0) if look.right_handed else (LEFT, 1.0)
    if action == "riding":
        return _both(0.13, 0.655, 0.27)
    if action == "item_both_hands":
        return _both(0.098, 0.60, 0.165)
    if action == "phone_to_ear":
        return {hand: (sign * 0.084, 0.866, 0.055)}
    if action == "phone_to_face":
        return {hand: (sign * 0.035, 0.785, 0.190)}
    if action == "holding_hands":
        return {hand: (sign * REACH, 0.47, 0.03)}
    if action == "trolley" and look.vehicle == "suitcase":
        return {hand: (sign * 0.125, 0.475, -0.16)}
    if action == "trolley":
        return _both(0.095, 0.575, 0.225)
    if action == "item_one_hand":
        x, y, z = _ITEM_HANDS[look.item]
        return {hand: (sign * x, y, z)}
    return {}


def _both(x: float, y: float, z: float) -> Goals:
    return {LEFT: (x, y, z), RIGHT: (-x, y, z)}


_ITEM_HANDS: Mapping[str, Spot] = {  # of a left hand
    "bag": (0.165, 0.525, 0.03),
    "cup": (0.095, 0.690, 0.18),
    "book": (0.125, 0.620, 0.11),
    "umbrella": (0.165, 0.540, 0.06),
}


def draw_props(figure: Figure, phase: Array, held: Mapping[str, Array]) -> None:
    """Add the things that belong to the actions of a person.

    Args:
        figure: the person, who gets the parts.
        phase: how far the cycle of the gait or of the pedals has come, in turns, ``(F,)``.
        held: for each action the frames in which its things are there, ``(F,)`` bool.
    """
    draw = _Props(figure, phase)
    for action, shown in held.items():
        if action in _DRAW and shown.any():
            _DRAW[action](draw, shown)


class _Props(Vehicles):
    """Draws the things of each action."""

    def one_hand(self, shown: Array) -> None:
        hand = self.hand(self.side)
        near = self.away(hand, 0.75, 0.7)
        item = self.look.item
        if item == "bag":
            self.carrier(hand, near, shown)
        elif item == "book":
            self.box(hand + point(0.0, 0.02, 0.01), (0.022, 0.110, 0.085), self.colour, near, shown)
        else:
            tip = hand + (point(0.0, 0.100, 0.010) if item == "cup" else point(0.0, -0.36, 0.14))
            radii = [0.031, 0.042] if item == "cup" else [0.032, 0.010]
            self.sketch.part(near, shown).limb(
                [self.view.pixel(hand), self.view.pixel(tip)], radii, self.colour
            )

    def carrier(self, hand: Array, near: Array, shown: Array) -> None:
        part = self.sketch.part(near, shown)
        top, low = hand - point(0.0, 0.075, 0.0), hand - point(0.0, 0.300, 0.0)
        width = self.view.width(0.056, 0.112)
        spread = np.stack([width, np.zeros_like(width)], axis=1)
        for sign in (-0.8, 0.8):
            ends = np.stack([self.view.pixel(hand), self.view.pixel(top) + spread * sign], axis=1)
            part.line(ends, self.colour[0], float(self.view.scale[0]) * 0.010)
        a, b = self.view.pixel(top), self.view.pixel(low)
        for level, size in enumerate((1.0, 0.84, 0.4)):
            corners = [a - spread * size * 0.9, b - spread * size, b + spread * size, a + spread * size * 0.9]
            part.fill(np.stack(corners, axis=1), self.colour[level])

    def both_hands(self, shown: Array) -> None:
        middle = (self.hand(LEFT) + self.hand(RIGHT)) / 2 + point(0.0, 0.02, 0.055)
        size = {
            "bag": (0.120, 0.100, 0.09),
            "cup": (0.130, 0.085, 0.08),
            "book": (0.115, 0.075, 0.08),
            "umbrella": (0.115, 0.135, 0.095),
        }
        near = np.where(self.view.cos > -0.1, 0.58, -0.70)
        self.box(middle, size[self.look.item], self.colour, near, shown)

    def phone_to_ear(self, shown: Array) -> None:
        hand = self.hand(self.side)
        part = self.sketch.part(self.away(hand, 0.78, 0.72), shown)
        a, b = hand + point(self.sign * 0.004, -0.010, 0.006), hand + point(self.sign * 0.004, 0.080, -0.016)
        for radius, ramp in ((0.028, self.tyre), (0.016, self.screen)):
            part.limb([self.view.pixel(a), self.view.pixel(b)], [radius, radius], ramp, levels=2)

    def phone_to_face(self, shown: Array) -> None:
        hand = self.hand(self.side)
        middle = hand + point(-self.sign * 0.012, 0.042, 0.012)
        near = np.where(self.view.cos > -0.1, 0.76, -0.76)
        self.box(middle, (0.040, 0.070, 0.008), self.tyre, near, shown)
        nearer = near - np.where(self.view.cos > 0.0, 0.002, -0.002)
        self.box(middle - point(0.0, 0.0, 0.008), (0.034, 0.060, 0.002), self.screen, nearer, shown)


_DRAW: Mapping[str, Callable[[_Props, Array], None]] = {
    "riding": _Props.bicycle,
    "item_one_hand": _Props.one_hand,
    "item_both_hands": _Props.both_hands,
    "phone_to_ear": _Props.phone_to_ear,
    "phone_to_face": _Props.phone_to_face,
    "trolley": _Props.trolley,
}
