"""Choreography of a tracklet: what its person does in each frame, and how badly the detector's box sits."""

import numpy as np

from reidar_plugin.synthped.acting import FILLED, act, aside, strides, timeline, vigour
from reidar_plugin.synthped.bystanders import companions, occlude, stranger
from reidar_plugin.synthped.people.looks import Look, dress
from reidar_plugin.synthped.people.person import Motion
from reidar_plugin.synthped.plan import DISTRACTOR, JUNK, Plan, Shot
from reidar_plugin.synthped.script import POSES, Recording, Role, Script
from reidar_plugin.synthped.seeded_random import Array, SeededRandom, turn_sin
from reidar_plugin.synthped.street.camera import Camera

__all__ = ["write_script"]


def write_script(plan: Plan, shot: Shot, camera: Camera) -> Script:
    """Decide everything that happens in a tracklet. It depends on the plan's seed and the tracklet's own name only.

    Args:
        plan: the set that the tracklet belongs to.
        shot: the tracklet.
        camera: the camera that sees it.
    """
    random = SeededRandom(plan.seed, "script", shot.split, shot.key)
    distractor = random.choice(("part", "empty", "stranger"), (4, 3, 4))
    kind = {DISTRACTOR: distractor, JUNK: "junk"}.get(shot.pid, "person")
    if kind == "person":
        look, label = plan.crowds[shot.split][shot.person], shot.label
    elif kind == "junk":  # a badly cut box of somebody of the test set
        person = random.integer(0, len(plan.crowds["test"]) - 1)
        look, label = plan.crowds["test"][person], plan.labels["test"][person]
    else:
        look, label = dress(random), random.choice(("walking", "walking", "item_one_hand", "riding"))
    recording = Recording(shot.length, camera, random)
    actions = timeline(label, recording)
    heading, pose = _heading(recording)
    motion, name = _motion(look, actions, recording)
    x, y, tall = _box(kind, actions, recording)
    x = x - tall * aside(look, actions[0], heading)
    role = Role(look, motion, heading, x, y, tall)
    script = Script(
        actions=actions if kind != "empty" else [""] * shot.length,
        pose=pose,
        motion=name,
        window_x=_travel(role, actions, recording) - x * 0.5,
        window_y=-y,
        exposure=random.uniform(0.88, 1.12),
    )
    if kind != "empty":
        script.cast = [role, *companions(role, actions, random)]
    if random.happens(0.30):
        script.behind.append(stranger(role, recording, behind=True))
    occlude(script, role, recording)
    return script


def _heading(recording: Recording) -> tuple[Array, str]:
    """Direction in each frame, ``(F,)``, and its name: mostly that in which people pass this camera."""
    random, length = recording.random, recording.length
    usual = int(recording.camera.heading * 8)
    eighth = (usual + random.choice((0, 4, 1, 7, 2, 6, 3, 5), (5, 5, 2, 2, 1.5, 1.5, 1, 1))) % 8
    heading = eighth / 8 + random.uniform(-0.035, 0.035) + 0.02 * random.smooth_line(length, 24)
    if random.happens(0.10):
        turn = random.choice((-1.0, 1.0)) * random.uniform(0.18, 0.34)
        return heading + turn * np.arange(length) / length, "various"
    return heading, POSES[min(eighth, 8 - eighth)]


def _motion(look: Look, actions: list[str], recording: Recording) -> tuple[Motion, str]:
    """How the body moves, and the name of the motion."""
    random, length = recording.random, recording.length
    kind = random.choice(("walking", "standing", "running", "various"), (86, 7, 3, 4))
    if kind == "running" and set(actions) - {"walking"}:
        kind = "walking"
    walk, stand = np.full(length, vigour(look)), np.full(length, 0.06)
    energy = {"walking": walk, "standing": stand, "running": walk * 1.6, "various": walk}[kind]
    if kind == "various":
        stop = random.uniform(0.3, 0.7)
        part = np.clip((np.arange(length) / length - stop) * 6.0 + 0.5, 0.0, 1.0)
        energy = walk * (1 - part) + stand * part
    if actions[0] == "riding":
        kind, energy = "riding", np.ones(length)
    return act(actions, energy, recording), kind


def _box(kind: str, actions: list[str], recording: Recording) -> tuple[Array, Array, Array]:
    """Where the person is in the box (x, y) and how tall: the box trembles, and sometimes cuts off head or feet."""
    random, length = recording.random, recording.length
    tall = random.uniform(0.80, 0.90) * FILLED.get(actions[0], 1.0)
    x, y = random.uniform(-0.035, 0.035), random.uniform(-0.03, 0.015)
    if kind == "person" and random.happens(0.10):  # cut off
        tall *= random.uniform(1.08, 1.22)
        y = random.choice((0.0, tall - 0.84)) + random.uniform(-0.01, 0.02)
    elif kind == "part":
        tall *= random.uniform(1.4, 2.6)
        x, y = random.uniform(-0.16, 0.16), random.uniform(0.0, 0.95) * (tall - 0.80)
    elif kind == "junk":
        tall *= random.uniform(0.7, 1.9)
        x, y = random.choice((-1.0, 1.0)) * random.uniform(0.10, 0.26), random.uniform(-0.2, 0.5) * tall
    tremble = random.uniform(0.004, 0.014)
    return (
        x + tremble * random.smooth_line(length, 9) + 0.3 * tremble * random.uniform(-1.0, 1.0, size=length),
        y + tremble * random.smooth_line(length, 9) + 0.3 * tremble * random.uniform(-1.0, 1.0, size=length),
        tall * (1.0 + 0.035 * random.smooth_line(length, 20)),
    )


def _travel(role: Role, actions: list[str], recording: Recording) -> Array:
    """How far along the background the box has come."""
    way = np.cumsum(strides(role.motion, actions) * role.tall * turn_sin(role.heading))
    return recording.random.uniform(0.0, 60.0) + way
