"""The script of a tracklet: what its person does in each frame, who else is there, and how badly the box sits."""

from dataclasses import dataclass, field

import numpy as np

from .actions import PASSING
from .actor import Motion
from .camera import Camera
from .dice import Array, Dice, turn_sin
from .people import Look, dress
from .plan import DISTRACTOR, JUNK, Plan, Shot
from .props import REACH

__all__ = ["POSES", "Extra", "Role", "Script", "direct"]

#: Values of ``pose`` in the attribute file, in the order of their numbers.
POSES = ("frontal", "lateral-front", "lateral", "lateral-back", "back", "various")
MOTIONS = ("walking", "standing", "running", "riding", "various")
SUDDEN = {"riding", "trolley", "holding_hands"}  # what nobody begins or ends within a few frames

WHOLE, PASSES = 0.06, 0.20  # tracklets that show another action from end to end, and on a part of the way
EASE = 5  # frames in which a hand goes to its place


@dataclass(frozen=True)
class Role:
    """Somebody in the picture. Lengths are parts of the picture's height."""

    look: Look
    motion: Motion
    heading: Array  #: in turns, ``(F,)``
    x: Array  #: of the feet, from the middle of the box, ``(F,)``
    y: Array  #: of the feet, from where they usually are, downwards, ``(F,)``
    tall: Array  #: height of the person, ``(F,)``


@dataclass(frozen=True)
class Extra:
    """A pole or a plant that the camera looks past."""

    kind: str
    x: Array
    high: float
    wide: float
    seed: int


@dataclass
class Script:
    """All that happens in a tracklet of F frames."""

    actions: list[str]  #: what really happens, ``F`` names; '' where nobody is
    pose: str
    motion: str
    window_x: Array  #: place of the box along the background, in picture heights, ``(F,)``
    window_y: Array
    exposure: float
    behind: list[Role] = field(default_factory=list)
    cast: list[Role] = field(default_factory=list)  #: the person, and who is held by the hand
    front: list[Role | Extra] = field(default_factory=list)
    occluded: Array = field(default_factory=lambda: np.zeros(0, bool))


def direct(plan: Plan, shot: Shot, camera: Camera) -> Script:
    """Write the script of a shot; it depends on nothing but the seed and the shot's own name."""
    dice = Dice(plan.seed, "script", shot.split, shot.key)
    kind = {DISTRACTOR: dice.pick(("part", "empty", "stranger"), (4, 3, 4)), JUNK: "junk"}.get(
        shot.pid, "person"
    )
    if kind == "person":
        look, label = plan.crowds[shot.split][shot.person], shot.label
    elif kind == "junk":  # a badly cut box of somebody of the test set
        person = dice.integer(0, len(plan.crowds["test"]) - 1)
        look, label = plan.crowds["test"][person], plan.labels["test"][person]
    else:
        look, label = dress(dice), dice.pick(("walking", "walking", "item_one_hand", "riding"))
    scene = _Scene(shot.length, camera, dice)
    actions = _timeline(label, scene)
    heading, pose = _heading(scene)
    motion, name = _motion(look, actions, scene)
    x, y, tall = _box(kind, actions, scene)
    x = x - tall * _aside(look, actions[0], heading)
    role = Role(look, motion, heading, x, y, tall)
    script = Script(
        actions=actions if kind != "empty" else [""] * shot.length,
        pose=pose,
        motion=name,
        window_x=_travel(role, actions, scene) - x * 0.5,
        window_y=-y,
        exposure=dice.uniform(0.88, 1.12),
    )
    if kind != "empty":
        script.cast = [role, *_companion(role, actions, dice)]
    if dice.chance(0.30):
        script.behind.append(_stranger(role, scene, behind=True))
    _occlude(script, role, scene)
    return script


class _Scene:
    """Time and chance of a shot: frames lost by the detector make jumps."""

    def __init__(self, length: int, camera: Camera, dice: Dice) -> None:
        self.length, self.camera, self.dice = length, camera, dice
        lost = dice.uniform(0.0, 1.0, size=length) < 0.03
        steps = 1.0 + lost * np.floor(dice.uniform(1.0, 4.0, size=length))
        self.time = np.cumsum(steps) - steps[0]  # whole numbers: exact
        self.pace = camera.cycle * dice.uniform(0.92, 1.08)


def _timeline(label: str, scene: _Scene) -> list[str]:
    dice, length = scene.dice, scene.length
    fate = dice.uniform()
    names, weights = zip(*PASSING[label], strict=True)
    other = dice.pick(names, weights)
    start, end = sorted((dice.uniform(-0.3, 0.8), dice.uniform(0.2, 1.3)))
    if fate < WHOLE:
        return [other] * length
    if fate > WHOLE + PASSES or length < 8 or {label, other} & SUDDEN:
        return [label] * length
    return [other if start <= frame / length < end else label for frame in range(length)]


def _heading(scene: _Scene) -> tuple[Array, str]:
    dice, length = scene.dice, scene.length
    usual = int(scene.camera.heading * 8)
    eighth = (usual + dice.pick((0, 4, 1, 7, 2, 6, 3, 5), (5, 5, 2, 2, 1.5, 1.5, 1, 1))) % 8
    heading = eighth / 8 + dice.uniform(-0.035, 0.035) + 0.02 * dice.wander(length, 24)
    if dice.chance(0.10):
        turn = dice.pick((-1.0, 1.0)) * dice.uniform(0.18, 0.34)
        return heading + turn * np.arange(length) / length, "various"
    return heading, POSES[min(eighth, 8 - eighth)]


def _motion(look: Look, actions: list[str], scene: _Scene) -> tuple[Motion, str]:
    dice, length = scene.dice, scene.length
    rides = actions[0] == "riding"
    kind = dice.pick(("walking", "standing", "running", "various"), (86, 7, 3, 4))
    if kind == "running" and set(actions) - {"walking"}:
        kind = "walking"
    vigour = 0.88 + 0.05 * look.height  # tall people take long steps
    walk, stand = np.full(length, vigour), np.full(length, 0.06)
    energy = {"walking": walk, "standing": stand, "running": walk * 1.6, "various": walk}[kind]
    if kind == "various":
        stop = dice.uniform(0.3, 0.7)
        part = np.clip((np.arange(length) / length - stop) * 6.0 + 0.5, 0.0, 1.0)
        energy = walk * (1 - part) + stand * part
    if rides:
        kind, energy = "riding", np.ones(length)
    speed = np.where(energy < 0.3, 0.15, 0.65 + 0.35 * energy)
    phase = dice.uniform() + np.cumsum(speed * np.diff(scene.time, prepend=0.0)) * scene.pace
    doing = {name: _taken_up(actions, name) for name in sorted(set(actions)) if name != "walking"}
    return Motion(phase, energy, doing), kind


def _taken_up(actions: list[str], name: str) -> Array:
    """How far an action is taken up: it comes and goes within a few frames."""
    on = np.array([action == name for action in actions], dtype=np.float64)
    if name in SUDDEN or on.all():
        return on
    padded = np.concatenate([np.repeat(on[:1], EASE // 2), on, np.repeat(on[-1:], EASE // 2)])
    eased = np.zeros(len(on))
    for shift in range(EASE):
        eased = eased + padded[shift : shift + len(on)]
    return eased / EASE


def _box(kind: str, actions: list[str], scene: _Scene) -> tuple[Array, Array, Array]:
    """Place and size of the person in the box: the detector trembles, and sometimes cuts off head or feet."""
    dice, length = scene.dice, scene.length
    tall = dice.uniform(0.80, 0.90) * {"riding": 0.84, "trolley": 0.90}.get(actions[0], 1.0)
    x, y = dice.uniform(-0.035, 0.035), dice.uniform(-0.03, 0.015)
    if kind == "person" and dice.chance(0.10):  # cut off
        tall *= dice.uniform(1.08, 1.22)
        y = dice.pick((0.0, tall - 0.84)) + dice.uniform(-0.01, 0.02)
    elif kind == "part":
        tall *= dice.uniform(1.4, 2.6)
        x, y = dice.uniform(-0.16, 0.16), dice.uniform(0.0, 0.95) * (tall - 0.80)
    elif kind == "junk":
        tall *= dice.uniform(0.7, 1.9)
        x, y = dice.pick((-1.0, 1.0)) * dice.uniform(0.10, 0.26), dice.uniform(-0.2, 0.5) * tall
    tremble = dice.uniform(0.004, 0.014)
    return (
        x + tremble * dice.wander(length, 9) + 0.3 * tremble * dice.uniform(-1.0, 1.0, size=length),
        y + tremble * dice.wander(length, 9) + 0.3 * tremble * dice.uniform(-1.0, 1.0, size=length),
        tall * (1.0 + 0.035 * dice.wander(length, 20)),
    )


def _aside(look: Look, action: str, heading: Array) -> Array:
    """How far right of the person the middle of the box is, which takes in a part of who or what goes with the person."""
    left, ahead = {
        "riding": (0.0, 0.045),
        "holding_hands": ((-1.0 if look.right_handed else 1.0) * 0.7 * REACH, 0.0),
        "trolley": (0.0, -0.09 if look.vehicle == "suitcase" else 0.12),
    }.get(action, (0.0, 0.0))
    return left * turn_sin(heading + 0.25) + ahead * turn_sin(heading)


def _travel(role: Role, actions: list[str], scene: _Scene) -> Array:
    """How far along the background the box has come: a cycle of the gait is 0.8 body heights, of the pedals twice that."""
    gain = 1.6 if actions[0] == "riding" else 0.8
    steps = np.diff(role.motion.phase, prepend=role.motion.phase[:1]) * np.minimum(
        1.0, role.motion.energy * 1.2
    )
    way = np.cumsum(steps * gain * role.tall * turn_sin(role.heading))
    return scene.dice.uniform(0.0, 60.0) + way


def _companion(role: Role, actions: list[str], dice: Dice) -> list[Role]:
    """Who is held by the hand: beside the person, on the side of that hand, in step or not."""
    if actions[0] != "holding_hands":
        return []
    look = dress(dice)
    other = {**look.__dict__, "right_handed": not role.look.right_handed, "bag": "none"}
    look = Look(**other)
    share = dice.uniform(0.90, 1.04) if look.age != "child" else dice.uniform(0.62, 0.75)
    side = -1.0 if role.look.right_handed else 1.0
    apart = side * REACH * (1.0 + share)
    x = role.x + role.tall * apart * turn_sin(role.heading + 0.25)
    y = role.y - 0.06 * side * turn_sin(role.heading)
    motion = Motion(role.motion.phase + dice.uniform(), role.motion.energy, role.motion.doing)
    return [Role(look, motion, role.heading, x, y, role.tall * share)]


def _stranger(role: Role, scene: _Scene, behind: bool) -> Role:
    """Somebody who passes, further back or between the person and the camera."""
    dice, length = scene.dice, scene.length
    heading = np.full(length, dice.pick((0.25, 0.75, 0.2, 0.8, 0.3, 0.7)) + dice.uniform(-0.03, 0.03))
    phase = dice.uniform() + scene.time * scene.pace
    doing = {"item_one_hand": np.ones(length)} if dice.chance(0.2) else {}
    pace = 0.8 * scene.pace * 0.85
    way = (turn_sin(heading) * pace) * scene.time - (role.x[0] if behind else 0.0)
    middle = way[dice.integer(0, length - 1)] + dice.uniform(-0.30, 0.30)
    size = dice.uniform(0.62, 0.80) if behind else dice.uniform(0.95, 1.15)
    y = -0.10 * (1 - size) - 0.02 if behind else 0.06 + 0.25 * (size - 0.85)
    return Role(
        dress(dice),
        Motion(phase, np.ones(length), doing),
        heading,
        way - middle,
        np.full(length, y),
        np.full(length, size),
    )


def _occlude(script: Script, role: Role, scene: _Scene) -> None:
    """Let something stand or pass between camera and person, and note the frames in which it hides the middle."""
    dice, length = scene.dice, scene.length
    script.occluded = np.zeros(length, bool)
    if not dice.chance(0.30):
        return
    kind = dice.pick(("pole", "plant", "passer"), (3, 3, 3))
    if kind == "passer":
        passer = _stranger(role, scene, behind=False)
        script.front.append(passer)
        x, wide = passer.x, 0.15
    else:
        way = script.window_x - script.window_x[dice.integer(0, length - 1)]
        x = dice.uniform(-0.16, 0.16) - way
        wide = dice.uniform(0.022, 0.05) if kind == "pole" else dice.uniform(0.16, 0.26)
        high = 1.2 if kind == "pole" else dice.uniform(0.28, 0.55)
        script.front.append(Extra(kind, x, high, wide, dice.integer(0, 1 << 30)))
    script.occluded = np.abs(x - role.x) < wide + 0.05
