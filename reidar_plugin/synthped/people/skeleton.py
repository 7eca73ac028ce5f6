"""Joints of a person who walks, runs, stands or rides, in body heights.

Axes: x to the person's left, y up from the ground, z forward. A joint is ``(F, 3)``, a row for each frame.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from reidar_plugin.synthped.seeded_random import Array, turn_cos, turn_sin

__all__ = ["LEFT", "RIGHT", "Skeleton", "point", "pose", "reach"]

LEFT, RIGHT = 0, 1
SIDES = (1.0, -1.0)  # sign of x of each side
THIGH, SHANK, UPPER_ARM, FOREARM = 0.245, 0.245, 0.165, 0.150
HIP, SHOULDER, NECK, HEAD = 0.53, 0.812, 0.845, 0.928


@dataclass
class Skeleton:
    """Joints in F frames, ``(F, 3)`` each; pairs are (left, right)."""

    pelvis: Array
    neck: Array
    head: Array
    hips: tuple[Array, Array]
    knees: tuple[Array, Array]
    ankles: tuple[Array, Array]
    toes: tuple[Array, Array]
    shoulders: tuple[Array, Array]
    elbows: tuple[Array, Array]
    wrists: tuple[Array, Array]


def point(x: Array | float, y: Array | float, z: Array | float) -> Array:
    """Stack three coordinates to ``(F, 3)`` (or ``(1, 3)`` for plain numbers)."""
    joint = np.empty((max(map(np.size, (x, y, z))), 3))
    for axis, coordinate in enumerate((x, y, z)):
        joint[:, axis] = coordinate
    return joint


def reach(start: Array, goal: Array, upper: float, lower: float, towards: Array) -> tuple[Array, Array]:
    """Bend a limb of two bones so that it reaches a goal.

    Args:
        start: where the limb begins, ``(F, 3)``.
        goal: where it should end, ``(F, 3)``; a goal out of reach is approached as far as the limb is long.
        upper: length of the first bone.
        lower: length of the second bone.
        towards: direction in which the middle joint points, ``(F, 3)`` or ``(1, 3)``.

    Returns:
        The middle joint and the end of the limb, ``(F, 3)`` each.
    """
    gap = goal - start
    far = np.maximum(_length(gap), 1e-6)
    span = np.clip(far, 0.08, upper + lower - 1e-3)
    axis = gap / far
    along = (upper * upper - lower * lower + span * span) / (2.0 * span)
    aside = np.sqrt(np.maximum(upper * upper - along * along, 0.0))
    bend = towards - axis * _dot(axis, towards)
    bend = bend / np.maximum(_length(bend), 1e-6)
    return start + axis * along + bend * aside, start + axis * span


def pose(
    phase: Array,
    energy: Array,
    *,
    shoulder: float,
    hip: float,
    hands: Mapping[int, tuple[Array, Array]] | None = None,
    riding: Array | None = None,
    nod: Array | float = 0.0,
    lean: Array | float = 0.0,
) -> Skeleton:
    """Joints in each frame.

    Args:
        phase: how far the cycle of the gait or of the pedals has come, in turns, ``(F,)``.
        energy: 0 stands, 1 walks, 1.6 runs, ``(F,)``.
        shoulder: half the distance between the shoulders.
        hip: half the distance between the hips.
        hands: for LEFT and RIGHT a goal of the wrist ``(F, 3)``, and how far it holds, from 0 to 1, ``(F,)``.
        riding: 1 where the person sits on a bicycle, 0 elsewhere, ``(F,)``.
        nod: how far the head bows forward, in turns, ``(F,)`` or a number.
        lean: how far the trunk bows forward, as a slope, ``(F,)`` or a number.
    """
    hands = hands or {}
    seat = np.zeros_like(phase) if riding is None else riding
    slope = lean + 0.24 * seat + 0.05 * np.maximum(energy - 1.0, 0.0)
    sway = 0.010 * energy * turn_sin(phase)
    pelvis = point(sway * (1 - seat), HIP + 0.055 * seat, -0.10 * seat)
    legs = [_leg(pelvis, side, hip, phase, energy, seat) for side in (LEFT, RIGHT)]
    sole = np.minimum(*(np.minimum(ankle[:, 1] - 0.042, toe[:, 1] - 0.012) for _, _, ankle, toe in legs)) * (
        1 - seat
    )
    drop = point(0.0, -1.0, 0.0) * sole[:, None]
    pelvis = pelvis + drop
    hips, knees, ankles, toes = (tuple(leg[i] + drop for leg in legs) for i in range(4))
    up = SHOULDER - HIP
    trunk = point(0.0, up, up * slope)
    twist = 0.018 * energy * turn_sin(phase) * (1 - seat)
    neck = pelvis + point(0.0, NECK - HIP, (NECK - HIP) * slope)
    head = neck + point(
        0.0, (HEAD - NECK) * (1.0 - 0.3 * np.abs(nod)), 0.012 + 0.4 * slope * 0.08 + 0.30 * np.asarray(nod)
    )
    shoulders = tuple(pelvis + trunk + point(sign * shoulder, 0.0, sign * -twist) for sign in SIDES)
    arms = [_arm(shoulders[side], side, phase, energy, hands.get(side)) for side in (LEFT, RIGHT)]
    return Skeleton(pelvis, neck, head, hips, knees, ankles, toes, shoulders, *zip(*arms, strict=True))


def _leg(pelvis: Array, side: int, hip: float, phase: Array, energy: Array, seat: Array) -> tuple[Array, ...]:
    sign = SIDES[side]
    turn = phase + 0.5 * side
    joint = pelvis + point(sign * hip, 0.0, 0.0)
    swing, lift = turn_sin(turn), np.maximum(turn_cos(turn + 0.07), 0.0)
    thigh = energy * 0.057 * swing + 0.012 + 0.02 * np.maximum(energy - 1, 0) * lift
    flex = 0.014 + np.minimum(energy, 1.7) * 0.150 * lift * lift
    knee = joint + THIGH * point(0.0, -turn_cos(thigh), turn_sin(thigh))
    ankle = knee + SHANK * point(sign * -0.012, -turn_cos(thigh - flex), turn_sin(thigh - flex))
    tip = energy * (0.035 * np.maximum(swing, 0.0) - 0.07 * np.maximum(-swing, 0.0) - 0.05 * lift * lift)
    pedal = point(sign * 0.055, 0.175 + 0.085 * turn_sin(turn), 0.02 + 0.085 * turn_cos(turn))
    knee_on, ankle_on = reach(
        joint, pedal + point(0.0, 0.03, -0.02), THIGH, SHANK, point(sign * 0.06, 0.25, 1.0)
    )
    on = seat[:, None]
    knee, ankle = knee * (1 - on) + knee_on * on, ankle * (1 - on) + ankle_on * on
    tip = tip * (1 - seat) - 0.02 * seat
    toe = ankle + 0.105 * point(sign * 0.15, turn_sin(tip), turn_cos(tip)) + point(0.0, -0.026, 0.0)
    return joint, knee, ankle, toe


def _arm(
    shoulder: Array, side: int, phase: Array, energy: Array, goal: tuple[Array, Array] | None
) -> tuple[Array, Array]:
    sign = SIDES[side]
    swing = -0.055 * np.minimum(energy, 1.3) * turn_sin(phase + 0.5 * side) + 0.012
    bent = 0.295 - 0.05 * np.maximum(energy - 1.0, 0.0)
    free = shoulder + bent[:, None] * point(sign * 0.09, -turn_cos(swing), turn_sin(swing))
    wrist = free
    if goal is not None:
        target, held = goal
        wrist = free * (1 - held[:, None]) + target * held[:, None]
    high = np.clip((wrist[:, 1] - 0.62) / 0.12, 0.0, 1.0)[
        :, None
    ]  # a raised hand's elbow points down and ahead
    towards = point(sign * 0.55, -0.35, -0.75) * (1 - high) + point(sign * 0.95, -0.80, 0.30) * high
    return reach(shoulder, wrist, UPPER_ARM, FOREARM, towards)


def _dot(a: Array, b: Array) -> Array:
    return (a[:, 0] * b[:, 0] + a[:, 1] * b[:, 1] + a[:, 2] * b[:, 2])[:, None]


def _length(a: Array) -> Array:
    return np.sqrt(_dot(a, a))
