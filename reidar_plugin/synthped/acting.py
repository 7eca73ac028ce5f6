"""What people do over time, however they are filmed: their actions, how they move, how much room they take."""

import numpy as np

from reidar_plugin.synthped.actions import PASSING
from reidar_plugin.synthped.people.looks import Look
from reidar_plugin.synthped.people.person import Motion
from reidar_plugin.synthped.people.props import REACH
from reidar_plugin.synthped.script import Recording
from reidar_plugin.synthped.seeded_random import Array, turn_sin

__all__ = ["FILLED", "act", "aside", "strides", "timeline", "vigour"]

FILLED = {"riding": 0.84, "trolley": 0.90}
"""How much smaller a person is in a box that takes in what the action brings; 1 for other actions."""

SUDDEN = {"riding", "trolley", "holding_hands"}  # what nobody begins or ends within a few frames
WHOLE, PASSES = 0.06, 0.20  # shares of tracklets that show another action: throughout, for a part of the time
EASE = 5  # frames in which a hand goes to its place


def timeline(label: str, recording: Recording) -> list[str]:
    """The action in each frame: the label, or with some probability another one that goes with it."""
    random, length = recording.random, recording.length
    fate = random.uniform()
    names, weights = zip(*PASSING[label], strict=True)
    other = random.choice(names, weights)
    start, end = sorted((random.uniform(-0.3, 0.8), random.uniform(0.2, 1.3)))
    if fate < WHOLE:
        return [other] * length
    if fate > WHOLE + PASSES or length < 8 or {label, other} & SUDDEN:
        return [label] * length
    return [other if start <= frame / length < end else label for frame in range(length)]


def vigour(look: Look) -> float:
    """Energy with which a person walks: tall people take long steps."""
    return 0.88 + 0.05 * look.height


def act(actions: list[str], energy: Array, recording: Recording) -> Motion:
    """The motion of somebody who does these actions with this energy, ``(F,)``."""
    speed = np.where(energy < 0.3, 0.15, 0.65 + 0.35 * energy)
    steps = np.cumsum(speed * np.diff(recording.time, prepend=0.0))
    phase = recording.random.uniform() + steps * recording.pace
    doing = {name: _taken_up(actions, name) for name in sorted(set(actions)) if name != "walking"}
    return Motion(phase, energy, doing)


def strides(motion: Motion, actions: list[str]) -> Array:
    """Way since the frame before, in body heights, ``(F,)``: 0.8 a cycle of the gait, 1.6 a turn of the pedals."""
    gain = 1.6 if actions[0] == "riding" else 0.8
    turns = np.diff(motion.phase, prepend=motion.phase[:1])
    return turns * np.minimum(1.0, motion.energy * 1.2) * gain


def aside(look: Look, action: str, heading: Array) -> Array:
    """How far to the right of the person the middle of the box is, in body heights, ``(F,)``.

    The box takes in a part of the companion or the vehicle.
    """
    left, ahead = {
        "riding": (0.0, 0.045),
        "holding_hands": ((-1.0 if look.right_handed else 1.0) * 0.7 * REACH, 0.0),
        "trolley": (0.0, -0.09 if look.vehicle == "suitcase" else 0.12),
    }.get(action, (0.0, 0.0))
    return left * turn_sin(heading + 0.25) + ahead * turn_sin(heading)


def _taken_up(actions: list[str], name: str) -> Array:
    """How far an action is taken up in each frame, from 0 to 1: it comes and goes within a few frames."""
    on = np.array([action == name for action in actions], dtype=np.float64)
    if name in SUDDEN or on.all():
        return on
    padded = np.concatenate([np.repeat(on[:1], EASE // 2), on, np.repeat(on[-1:], EASE // 2)])
    eased = np.zeros(len(on))
    for shift in range(EASE):
        eased = eased + padded[shift : shift + len(on)]
    return eased / EASE
