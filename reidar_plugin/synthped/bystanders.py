"""Who and what else is in a tracklet: companions, strangers who pass, and obstacles before the person."""

from dataclasses import replace

import numpy as np

from reidar_plugin.synthped.people.looks import dress
from reidar_plugin.synthped.people.person import Motion
from reidar_plugin.synthped.people.props import REACH
from reidar_plugin.synthped.script import Obstacle, Recording, Role, Script
from reidar_plugin.synthped.seeded_random import Array, SeededRandom, turn_sin

__all__ = ["companions", "occlude", "stranger"]


def companions(role: Role, actions: list[str], random: SeededRandom, unit: Array | float = 1.0) -> list[Role]:
    """Who is held by the hand: nobody, or one companion beside the person on the side of that hand.

    Args:
        role: the person.
        actions: what the person does in each frame; the first decides.
        random: where the companion's look and gait come from.
        unit: what the person fills nearly, as a part of the picture's height.
    """
    if actions[0] != "holding_hands":
        return []
    look = replace(dress(random), right_handed=not role.look.right_handed, bag="none")
    share = random.uniform(0.90, 1.04) if look.age != "child" else random.uniform(0.62, 0.75)
    side = -1.0 if role.look.right_handed else 1.0
    apart = side * REACH * (1.0 + share)
    x = role.x + role.tall * apart * turn_sin(role.heading + 0.25)
    y = role.y - 0.06 * unit * side * turn_sin(role.heading)
    motion = Motion(role.motion.phase + random.uniform(), role.motion.energy, role.motion.doing)
    return [Role(look, motion, role.heading, x, y, role.tall * share)]


def stranger(role: Role, recording: Recording, behind: bool) -> Role:
    """Somebody who walks past the person.

    Args:
        role: the person.
        recording: the tracklet in which it happens.
        behind: whether the stranger is behind the person, seen from the camera, or in front.
    """
    random, length = recording.random, recording.length
    heading = np.full(length, random.choice((0.25, 0.75, 0.2, 0.8, 0.3, 0.7)) + random.uniform(-0.03, 0.03))
    phase = random.uniform() + recording.time * recording.pace
    doing = {"item_one_hand": np.ones(length)} if random.happens(0.2) else {}
    pace = 0.8 * recording.pace * 0.85
    way = (turn_sin(heading) * pace) * recording.time - (role.x[0] if behind else 0.0)
    middle = way[random.integer(0, length - 1)] + random.uniform(-0.30, 0.30)
    size = random.uniform(0.62, 0.80) if behind else random.uniform(0.95, 1.15)
    y = -0.10 * (1 - size) - 0.02 if behind else 0.06 + 0.25 * (size - 0.85)
    return Role(
        dress(random),
        Motion(phase, np.ones(length), doing),
        heading,
        way - middle,
        np.full(length, y),
        np.full(length, size),
    )


def occlude(script: Script, role: Role, recording: Recording) -> None:
    """Put a pole, a plant or a passer before the person in 30 % of the tracklets.

    Args:
        script: the script so far; gets the obstacle, and the frames in which it hides the middle of the person.
        role: the person.
        recording: the tracklet in which it happens.
    """
    random, length = recording.random, recording.length
    script.occluded = np.zeros(length, bool)
    if not random.happens(0.30):
        return
    kind = random.choice(("pole", "plant", "passer"), (3, 3, 3))
    if kind == "passer":
        passer = stranger(role, recording, behind=False)
        script.front.append(passer)
        x, wide = passer.x, 0.15
    else:
        way = script.window_x - script.window_x[random.integer(0, length - 1)]
        x = random.uniform(-0.16, 0.16) - way
        wide = random.uniform(0.022, 0.05) if kind == "pole" else random.uniform(0.16, 0.26)
        high = 1.2 if kind == "pole" else random.uniform(0.28, 0.55)
        script.front.append(Obstacle(kind, x, high, wide, random.integer(0, 1 << 30)))
    script.occluded = np.abs(x - role.x) < wide + 0.05
