"""Bodies of SynthPed: bones keep their length, feet stay on the ground, hands reach what they hold."""

import math

import numpy as np
import pytest

from reidar_plugin.synthped.people.skeleton import LEFT, RIGHT, Skeleton, point, pose, reach
from reidar_plugin.synthped.seeded_random import Array

PHASES = np.arange(48) / 48


def stand(energy: float = 1.0, **more: object) -> Skeleton:
    return pose(PHASES, np.full(48, energy), shoulder=0.10, hip=0.05, **more)  # type: ignore[arg-type]


def lengths(a: Array, b: Array) -> list[float]:
    return [math.dist(x, y) for x, y in zip(a, b, strict=True)]


@pytest.mark.parametrize("energy", [0.0, 1.0, 1.6], ids=["stands", "walks", "runs"])
def test_bones_keep_their_length(energy: float) -> None:
    bones = stand(energy)
    for side in (LEFT, RIGHT):
        assert lengths(bones.hips[side], bones.knees[side]) == pytest.approx([0.245] * 48, abs=2e-3)
        assert lengths(bones.knees[side], bones.ankles[side]) == pytest.approx([0.245] * 48, abs=2e-3)
        assert lengths(bones.shoulders[side], bones.elbows[side]) == pytest.approx([0.165] * 48, abs=1e-6)
        assert lengths(bones.elbows[side], bones.wrists[side]) == pytest.approx([0.150] * 48, abs=1e-6)


@pytest.mark.parametrize("energy", [0.0, 1.0, 1.6])
def test_one_foot_is_always_on_the_ground(energy: float) -> None:
    bones = stand(energy)
    soles = [
        min(bones.ankles[s][f, 1] - 0.042, bones.toes[s][f, 1] - 0.012) for f in range(48) for s in (0, 1)
    ]
    lowest = [min(soles[2 * f], soles[2 * f + 1]) for f in range(48)]
    assert lowest == pytest.approx([0.0] * 48, abs=1e-9)


def test_the_trunk_stands_on_the_legs() -> None:
    bones = stand(1.0)
    np.testing.assert_allclose((bones.hips[LEFT] + bones.hips[RIGHT]) / 2, bones.pelvis, atol=1e-12)
    assert lengths(bones.pelvis, bones.neck) == pytest.approx([0.315] * 48, abs=1e-3)
    assert bones.head[:, 1].min() > bones.neck[:, 1].max()


def test_a_walker_steps() -> None:
    bones = stand(1.0)
    stride = bones.ankles[LEFT][:, 2] - bones.ankles[RIGHT][:, 2]
    assert stride.max() > 0.25
    assert stride.min() < -0.25
    assert stand(0.0).ankles[LEFT][:, 2].std() < 0.02  # who stands does not


def test_left_does_what_right_did_half_a_cycle_before() -> None:
    bones = stand(1.0)
    half = np.roll(bones.knees[RIGHT], -24, axis=0)
    np.testing.assert_allclose(bones.knees[LEFT][:, 1:], half[:, 1:], atol=1e-9)


def test_arms_swing_against_the_legs() -> None:
    bones = stand(1.0)
    assert np.corrcoef(bones.wrists[LEFT][:, 2], bones.ankles[LEFT][:, 2])[0, 1] < -0.8


def test_a_hand_goes_where_it_is_wanted() -> None:
    goal = np.repeat(point(-0.03, 0.78, 0.19), 48, axis=0)
    bones = stand(1.0, hands={RIGHT: (goal, np.ones(48))})
    assert max(lengths(bones.wrists[RIGHT], goal)) < 1e-9
    half = stand(1.0, hands={RIGHT: (goal, np.full(48, 0.5))})
    gaps = lengths(half.wrists[RIGHT], goal)
    assert min(gaps) > 0.05
    assert max(gaps) < 0.5


def test_reach_by_hand() -> None:  # bones of 3 and 4, 5 apart: a right angle at the joint
    joint, end = reach(point(0, 0, 0), point(5, 0, 0), 3.0, 4.0, point(0, 0, 1))
    np.testing.assert_allclose(joint, [[9 / 5, 0, 12 / 5]])
    np.testing.assert_allclose(end, [[5, 0, 0]])


def test_what_is_too_far_is_cut_short() -> None:
    joint, end = reach(point(0, 0, 0), point(9, 0, 0), 1.0, 1.0, point(0, 0, 1))
    assert end[0, 0] == pytest.approx(2.0 - 1e-3)
    assert math.dist(joint[0], (0, 0, 0)) == pytest.approx(1.0)


def test_a_rider_sits_with_feet_on_the_pedals() -> None:
    bones = stand(1.0, riding=np.ones(48))
    assert bones.pelvis[:, 1].min() > 0.56
    heights = bones.ankles[LEFT][:, 1]
    assert heights.max() - heights.min() == pytest.approx(0.17, abs=0.01)  # twice the crank
    assert bones.hips[LEFT][0, 2] < -0.05  # behind the pedals
