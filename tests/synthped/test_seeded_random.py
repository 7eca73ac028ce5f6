"""Random numbers of SynthPed: the same on every machine, and evenly spread."""

import math

import numpy as np
import pytest

from reidar_plugin.synthped.seeded_random import SeededRandom, turn_cos, turn_sin


def test_numbers_are_pinned() -> None:  # of blake2b and Philox: these must not change with numpy or machine
    random = SeededRandom(0, "person", 17)
    assert [random.integer(0, 999) for _ in range(5)] == PINNED
    assert random.uniform(0.0, 1.0, size=3).dtype == np.float64


PINNED = [766, 675, 568, 743, 358]


def test_the_last_bit_is_pinned() -> None:
    random = SeededRandom(0, "person", 17)
    bits = ["0x1.88400d592b7f6p-1", "0x1.59b983fcfe478p-1", "0x1.23268c8e4bb2dp-1"]
    assert [random.uniform().hex() for _ in range(3)] == bits
    assert SeededRandom("row").uniform(-1.0, 1.0, size=2).tolist() == [
        -0.2023593347210153,
        -0.7652417925193444,
    ]
    assert SeededRandom("o").permutation(6).tolist() == [3, 2, 1, 5, 0, 4]
    assert float(SeededRandom("w").smooth_line(30)[17]).hex() == "0x1.ee3f271c3c2bbp-3"


def test_keys_are_told_apart() -> None:
    rows = [
        tuple(SeededRandom(*key).uniform(0.0, 1.0, size=4))
        for key in ((0, 1), (1, 0), (0, "1"), (0, 1, 0), (10,))
    ]
    assert len(set(rows)) == 5
    assert rows[0] == tuple(SeededRandom(0, 1).uniform(0.0, 1.0, size=4))


def test_weights_are_kept() -> None:
    random = SeededRandom("weights")
    counts = dict.fromkeys("abc", 0)
    for _ in range(6000):
        counts[random.choice("abc", (1.0, 0.0, 3.0))] += 1
    assert counts["b"] == 0
    assert abs(counts["a"] / 6000 - 0.25) < 0.02  # four standard deviations
    evenly = [random.choice((0, 1, 2, 3)) for _ in range(4000)]
    assert all(abs(evenly.count(n) / 4000 - 0.25) < 0.03 for n in range(4))


def test_integers_reach_both_ends() -> None:
    random = SeededRandom("ends")
    assert {random.integer(3, 5) for _ in range(200)} == {3, 4, 5}


def test_order_is_a_permutation_and_not_the_identity() -> None:
    order = SeededRandom("order").permutation(50)
    assert sorted(order.tolist()) == list(range(50))
    assert (order != np.arange(50)).sum() > 40


@pytest.mark.parametrize("length", [1, 11, 12, 13, 200])
def test_a_wandering_line_is_smooth(length: int) -> None:
    line = SeededRandom("line").smooth_line(length, step=12)
    assert line.shape == (length,)
    assert np.abs(line).max() <= 1.0
    if length > 1:
        assert (
            np.abs(np.diff(line)).max() < 2 * 1.5 / 12 + 1e-9
        )  # an ease's steepest slope over the largest gap


def test_sine_and_cosine() -> None:
    turns = np.linspace(-3, 3, 997)
    np.testing.assert_allclose(turn_sin(turns), [math.sin(2 * math.pi * t) for t in turns], atol=1.2e-3)
    np.testing.assert_allclose(turn_cos(turns), [math.cos(2 * math.pi * t) for t in turns], atol=1.2e-3)
    assert turn_sin(0.25) == 1.0
    assert turn_sin(0.0) == 0.0
