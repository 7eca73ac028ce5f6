"""A visit: somebody comes into the picture of a camera, does something there, and leaves."""

from dataclasses import dataclass, replace

import numpy as np

from reidar_plugin.synthped.acting import FILLED, act, aside, strides, timeline, vigour
from reidar_plugin.synthped.bystanders import companions
from reidar_plugin.synthped.people.looks import Look
from reidar_plugin.synthped.script import Recording, Role
from reidar_plugin.synthped.seeded_random import Array, SeededRandom
from reidar_plugin.synthped.street.camera import Camera
from reidar_plugin.synthped.street.painting import FEET
from reidar_plugin.synthped.videos.ground import FARTHEST, NEAREST, Ground

__all__ = ["Visit", "boxes_around", "write_visit"]

LONGEST = 60  # seconds that a visit may last
FILL = 0.85  # of the height of a box, as the boxes of tracklets have it on average
WAYS = {
    0.25: 4.0,
    0.75: 4.0,
    0.0: 1.2,
    0.125: 1.5,
    0.875: 1.5,
}  # out of the picture: right, left, ahead, aslant
TURN = 1.5  # seconds to turn round a corner


@dataclass(frozen=True)
class Visit:
    """What one camera sees of somebody, frame by frame; lengths are parts of the picture's height."""

    person: int  #: from 1
    camera: int  #: from 1
    track: int  #: of the camera, from 1
    start: int  #: frame of the video in which the cast comes; may be before the first
    actions: list[str]  #: F names
    cast: list[
        Role
    ]  #: the person, and who is held by the hand; x counts from the left edge, y from the upper one
    box: Array  #: left, top, width, height, ``(F, 4)``

    def __len__(self) -> int:
        return len(self.actions)


def write_visit(
    look: Look, label: str, camera: Camera, rate: float, wide: float, random: SeededRandom
) -> Visit:
    """Decide all that happens in a visit, but not when.

    Args:
        look: who comes.
        label: what that person mostly does.
        camera: the camera that sees it.
        rate: frames a second.
        wide: width of the picture.
        random: where every decision comes from.
    """
    pace = replace(camera, cycle=0.95 / rate)
    recording = Recording(int(LONGEST * rate), pace, random, lost=0.0)
    planned = timeline(label, Recording(int(9 * rate), pace, random, lost=0.0))
    actions = (planned + planned[-1:] * recording.length)[: recording.length]
    middle = recording.length // 2
    shift = middle - len(planned) // 2
    actions = (planned[:1] * shift + actions)[: recording.length]
    motion = act(actions, _energy(look, actions, middle, rate, random), recording)
    heading = _heading(middle, rate, recording.length, random)
    ground = Ground.of(camera, _size(look))
    x, y = random.uniform(0.2, 0.8) * wide, random.uniform(FARTHEST, NEAREST)
    xs, ys = ground.walk(strides(motion, actions), heading, middle, x, y)
    role = Role(look, motion, heading, xs, ys, ground.tall(ys))
    cast = [role, *companions(role, actions, random, unit=role.tall / FILL)]
    frames = _in_sight(role, wide, middle)
    cast = [_cut(each, frames) for each in cast]
    actions = actions[frames]
    return Visit(0, camera.number, 0, 0, actions, cast, boxes_around(cast[0], actions[0]))


def boxes_around(role: Role, action: str) -> Array:
    """Left, top, width and height of the box of a person, ``(F, 4)``, as tracklets of SynthPed are cut out.

    It is half as wide as high, and takes in a part of the companion or the vehicle.
    """
    high = role.tall / (FILL * FILLED.get(action, 1.0))
    middle = role.x + role.tall * aside(role.look, action, role.heading)
    return np.stack([middle - 0.25 * high, role.y - FEET * high, 0.5 * high, high], axis=1)


def _size(look: Look) -> float:
    return (0.92 + 0.04 * look.height) * (0.72 if look.age == "child" else 1.0)


def _energy(look: Look, actions: list[str], middle: int, rate: float, random: SeededRandom) -> Array:
    """Most walk through, some stop for a while, who does nothing else may run."""
    kind = random.choice(("walk", "stop", "run"), (80, 14, 6))
    energy = np.full(len(actions), vigour(look))
    if actions[0] == "riding":
        return np.ones(len(actions))
    if kind == "run" and set(actions) == {"walking"}:
        return energy * 1.6
    if kind == "stop":
        away = np.abs(np.arange(len(actions)) - middle) - random.uniform(0.5, 2.0) * rate
        part = np.clip(away / (0.4 * rate), 0.0, 1.0)
        return energy * part + 0.06 * (1 - part)
    return energy


def _heading(middle: int, rate: float, length: int, random: SeededRandom) -> Array:
    """From one side of the picture to another, ``(F,)``: nobody turns round."""
    ways = tuple(WAYS)
    come = random.choice(ways, tuple(WAYS.values()))
    others = [way for way in ways if abs((way - come + 0.5) % 1.0 - 0.5) > 0.2]
    go = random.choice(others, [WAYS[way] for way in others])
    before = come + 0.5
    turn = (go - before + 0.5) % 1.0 - 0.5
    part = np.clip((np.arange(length) - middle) / (TURN * rate) + 0.5, 0.0, 1.0)
    eased = part * part * (3.0 - 2.0 * part)
    return before + turn * eased + random.uniform(-0.015, 0.015) + 0.012 * random.smooth_line(length, 24)


def _in_sight(role: Role, wide: float, middle: int) -> slice:
    """The frames round the middle in which a part of the person, or of what is at hand, may be seen."""
    out = (role.x < -role.tall) | (role.x > wide + role.tall) | (role.y - 1.2 * role.tall > 1.0)
    before, after = np.flatnonzero(out[:middle]), np.flatnonzero(out[middle:])
    return slice(
        int(before[-1]) + 1 if len(before) else 0, middle + int(after[0]) if len(after) else len(out)
    )


def _cut(role: Role, frames: slice) -> Role:
    motion = role.motion
    doing = {name: taken[frames] for name, taken in motion.doing.items()}
    motion = replace(motion, phase=motion.phase[frames], energy=motion.energy[frames], doing=doing)
    x, y, tall = role.x[frames], role.y[frames], role.tall[frames]
    return replace(role, motion=motion, heading=role.heading[frames], x=x, y=y, tall=tall)
