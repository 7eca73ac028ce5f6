"""Intervals over seeds and people, against drawings made one at a time."""

import math
import random
import statistics

import numpy as np
import pytest

from reidar_plugin.metrics import seed_intervals
from reidar_plugin.metrics.intervals import bootstrap_interval
from reidar_plugin.metrics.seed_intervals import SeededTest, seeded_difference, seeded_mean, spread


def made(
    seeds: int = 4, people: int = 12, seed: int = 0, effect: float = 0.1, seeds_differ: float = 0.1
) -> SeededTest:
    """Runs that differ by seed, people that differ, and a second way that is better by ``effect``."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(people), rng.integers(1, 5, people))
    by_person, by_seed = rng.normal(0, 0.3, people)[who], rng.normal(0, seeds_differ, (seeds, 1))
    a = rng.normal(0, 0.05, (seeds, len(who)))
    return SeededTest(a, a + effect + by_seed + by_person + rng.normal(0, 0.05, a.shape), who)


def one_drawing(tests: list[SeededTest], rng: random.Random) -> float:
    """Seeds, then people, each with all of its queries in all runs that were drawn."""
    means = []
    for test in tests:
        k = len(test.a)
        seeds = [rng.randrange(k) for _ in range(max(1, k - 1))]
        names = sorted(set(test.people.tolist()))
        people = [rng.choice(names) for _ in names]
        gaps = [
            float(test.b[seed, query] - test.a[seed, query])
            for seed in seeds
            for person in people
            for query in np.flatnonzero(test.people == person)
        ]
        means.append(sum(gaps) / len(gaps))
    return sum(means) / len(means)


@pytest.mark.parametrize(
    "tests",
    [[made()], [made(), made(3, 8, 5)], [made(1)], [made(4, seeds_differ=2.0)]],
    ids=["one", "two", "a seed", "seeds differ most"],
)
def test_matches_drawings_made_one_at_a_time(tests: list[SeededTest]) -> None:
    found = seeded_difference(tests, resamples=20_000)
    rng = random.Random(1)
    drawn = sorted(one_drawing(tests, rng) for _ in range(3000))
    low, high = drawn[round(0.025 * len(drawn))], drawn[round(0.975 * len(drawn))]
    width = high - low
    assert width > 0.1
    assert found.low == pytest.approx(low, abs=0.07 * width)
    assert found.high == pytest.approx(high, abs=0.07 * width)
    assert found.mean == pytest.approx(statistics.fmean(float((t.b - t.a).mean()) for t in tests))


def test_runs_that_do_not_differ_leave_the_interval_of_people() -> None:
    test = made(1)
    same = SeededTest(np.repeat(test.a, 5, axis=0), np.repeat(test.b, 5, axis=0), test.people)
    found = seeded_difference([same], resamples=20_000)
    alone = bootstrap_interval((test.b - test.a)[0], groups=test.people, resamples=20_000)
    assert found.mean == pytest.approx(alone.mean)
    assert (found.low, found.high) == pytest.approx((alone.low, alone.high), abs=0.02)


@pytest.mark.parametrize("gaps", [[0.0, 1.0, 4.0], [0.0, 1.0, 3.0, 4.0, 7.0, 9.0]])
def test_seeds_spread_as_the_error_of_their_mean_says(gaps: list[float]) -> None:
    """Where all people are alike, the standard error of the mean over seeds is all there is."""
    b = np.repeat(np.array(gaps)[:, None], 10, axis=1)
    drawn = seed_intervals._drawn(b, np.arange(10), 50_000, np.random.default_rng(0))
    assert drawn.std() == pytest.approx(statistics.stdev(gaps) / math.sqrt(len(gaps)), rel=0.02)


def test_the_order_of_the_queries_does_not_matter_and_the_seed_fixes_it() -> None:
    test = made()
    order = np.random.default_rng(3).permutation(len(test.people))
    turned = SeededTest(test.a[:, order], test.b[:, order], test.people[order])
    assert seeded_difference([test]) == pytest.approx(seeded_difference([turned]))
    assert seeded_difference([test]) == seeded_difference([test])
    assert seeded_difference([test]) != seeded_difference([test], seed=1)


def test_covers_the_true_difference_about_as_often_as_it_says() -> None:
    held = 0
    for seed in range(200):
        test = made(5, 40, seed, effect=0.1)
        found = seeded_difference([test], resamples=400)
        held += found.low <= 0.1 <= found.high
    assert 0.84 <= held / 200 <= 0.99  # five seeds are few: a little below 0.95


def test_spread() -> None:
    assert spread([1.0, 2.0, 4.0]) == (pytest.approx(7 / 3), pytest.approx(statistics.stdev([1, 2, 4])))
    assert math.isnan(spread([1.0]).deviation)


def test_errors() -> None:
    a, people = np.zeros((2, 3)), np.arange(3)
    with pytest.raises(ValueError, match=r"got \(2, 3\), \(1, 3\) and \(3,\)"):
        seeded_difference([SeededTest(a, a[:1], people)])
    with pytest.raises(ValueError, match="must be finite"):
        seeded_difference([SeededTest(a, a + np.nan, people)])
    with pytest.raises(ValueError, match="one test set or more"):
        seeded_difference([])
    with pytest.raises(ValueError, match=r"between 0 and 1, got 1\.5"):
        seeded_difference([SeededTest(a, a, people)], level=1.5)
    with pytest.raises(ValueError, match="one run or more"):
        spread([])


def test_a_mean_is_the_difference_to_nothing() -> None:
    test = made()
    nothing = SeededTest(np.zeros_like(test.b), test.b, test.people)
    assert seeded_mean([(test.b, test.people)], resamples=300) == seeded_difference([nothing], resamples=300)
    low, high = seeded_mean([(test.b, test.people)], resamples=300)[1:]
    assert low < test.b.mean() < high
    with pytest.raises(ValueError, match="expected one test set or more, got none"):
        seeded_mean([])
