"""Companions, strangers and obstacles."""

from dataclasses import replace

import numpy as np
import pytest

from reidar_plugin.synthped.bystanders import companions, occlude, stranger
from reidar_plugin.synthped.people.looks import dress
from reidar_plugin.synthped.people.person import Motion
from reidar_plugin.synthped.people.props import REACH
from reidar_plugin.synthped.script import Obstacle, Recording, Role, Script
from reidar_plugin.synthped.seeded_random import SeededRandom
from reidar_plugin.synthped.street.camera import make_cameras

FRAMES = 40
EVER = np.ones(FRAMES)
CAMERA = make_cameras(0, 1)[0]


def role(right_handed: bool = True, heading: float = 0.0) -> Role:
    look = replace(dress(SeededRandom("role")), right_handed=right_handed)
    return Role(
        look, Motion(0.04 * np.arange(FRAMES), EVER, {}), heading * EVER, 0.02 * EVER, 0 * EVER, 0.8 * EVER
    )


def recording(seed: int) -> Recording:
    return Recording(FRAMES, CAMERA, SeededRandom("bystanders", seed))


@pytest.mark.parametrize("right_handed", [True, False])
def test_a_companion_is_on_the_side_of_the_hand(right_handed: bool) -> None:
    """Of people who face the camera, the right hand is at the left of the picture; the two hands meet."""
    person = role(right_handed)
    for seed in range(20):
        (other,) = companions(person, ["holding_hands"] * FRAMES, SeededRandom("companion", seed))
        side = -1.0 if right_handed else 1.0
        assert (np.sign(other.x - person.x) == side).all()
        hands = person.x + side * REACH * person.tall, other.x - side * REACH * other.tall
        np.testing.assert_allclose(*hands, atol=1e-3)
        assert other.look.right_handed != right_handed
        assert other.look.bag == "none"
        assert ((other.tall < 0.8 * person.tall) == (other.look.age == "child")).all()


def test_nobody_else_has_a_companion() -> None:
    assert companions(role(), ["walking", "holding_hands"], SeededRandom(0)) == []


@pytest.mark.parametrize("behind", [True, False])
def test_a_stranger_passes(behind: bool) -> None:
    for seed in range(20):
        passer = stranger(role(), recording(seed), behind)
        steps = np.diff(passer.x)
        assert (steps > 0).all() or (steps < 0).all()
        assert passer.x.min() < 0.35
        assert passer.x.max() > -0.35  # is in the box at some time
        assert (passer.tall < 0.85).all() if behind else (passer.tall > 0.9).all()
        assert (passer.y < 0).all() if behind else (passer.y > 0).all()  # who is nearer stands lower


def test_what_hides_the_middle_is_noted() -> None:
    kinds = []
    for seed in range(200):
        script = Script(["walking"] * FRAMES, "frontal", "walking", 0.01 * np.arange(FRAMES), 0 * EVER, 1.0)
        person = role()
        occlude(script, person, recording(seed))
        assert script.occluded.shape == (FRAMES,)
        if not script.front:
            assert not script.occluded.any()
            continue
        (thing,) = script.front
        far = np.abs(thing.x - person.x)
        assert script.occluded[far < 0.05].all()
        assert not script.occluded[far > 0.32].any()
        kinds.append(thing.kind if isinstance(thing, Obstacle) else "passer")
        if isinstance(thing, Obstacle):  # stands still on the street, while the box moves on
            np.testing.assert_allclose(np.diff(thing.x), -0.01)
    assert 0.2 < len(kinds) / 200 < 0.4
    assert set(kinds) == {"pole", "plant", "passer"}
