r"""How sure a difference between two ways of training is, over training runs and over the people of a test together.

Both ways are trained with the same K seeds and tested on the same queries. Seeds and people are drawn anew, with
replacement: a person with all of its queries, a seed with the runs of both ways. Of K seeds only K - 1 are drawn, as
K of K would make intervals too narrow by the square root of (K - 1) / K. One seed says nothing of other seeds: then
the interval is that of the people alone. Few seeds are few draws, also of K - 1: where seeds differ by more than people
do, such intervals hold the mean less often than their level says. Streets are not drawn anew.

Where there are several test sets, each is drawn for itself, and the difference is the mean over the sets.

Reference: Efron and Tibshirani, An Introduction to the Bootstrap, 1993; Rao and Wu, Resampling Inference with Complex
Survey Data, JASA 1988, for K - 1.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reidar_plugin.metrics.intervals import Interval, check_draws, percentile_interval, sums_by_group

__all__ = ["SeededTest", "Spread", "seeded_difference", "seeded_mean", "spread"]

Figures = NDArray[np.float64]


class SeededTest(NamedTuple):
    """Two ways of training on one test set."""

    a: Figures  #: a figure of each query in the runs of the first way, ``(K, V)``
    b: Figures  #: of the second, seeds and queries in the same order
    people: NDArray[np.int64]  #: whose query it is, ``(V,)``


class Spread(NamedTuple):
    """Several runs."""

    mean: float
    deviation: float  #: standard deviation over the runs, K - 1 below; NaN for one run


def spread(values: Sequence[float]) -> Spread:
    """Mean and standard deviation of a figure over runs."""
    if not len(values):
        raise ValueError("expected the figure of one run or more, got none")
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
    return Spread(float(np.mean(values)), deviation)


def seeded_difference(
    tests: Sequence[SeededTest], level: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> Interval:
    """Mean of b - a with its percentile interval over seeds and people.

    Args:
        tests: one a test set.
        level: how often such intervals hold the mean where seeds are many, between 0 and 1.
        resamples: how often seeds and people are drawn anew.
        seed: seed of the draws.
    """
    checked = [_checked(test) for test in tests]
    return seeded_mean([(test.b - test.a, test.people) for test in checked], level, resamples, seed)


def seeded_mean(
    tests: Sequence[tuple[Figures, NDArray[np.int64]]],
    level: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> Interval:
    """Mean of a figure with its percentile interval over seeds and people.

    Args:
        tests: one a test set: the figure of each query in each run, ``(K, V)``, and whose query it is, ``(V,)``.
        level: how often such intervals hold the mean where seeds are many, between 0 and 1.
        resamples: how often seeds and people are drawn anew.
        seed: seed of the draws.
    """
    if not tests:
        raise ValueError("expected one test set or more, got none")
    check_draws(level, resamples)
    random = np.random.default_rng(seed)
    drawn = np.mean([_drawn(*test, resamples, random) for test in tests], axis=0)
    return percentile_interval(float(np.mean([figures.mean() for figures, _ in tests])), drawn, level)


def _drawn(
    figures: Figures, people: NDArray[np.int64], resamples: int, random: np.random.Generator
) -> Figures:
    """Means after each drawing, ``(resamples,)``."""
    sums, sizes = sums_by_group(figures, people)  # (K, P) and (P,)
    seeds = _times(len(figures), max(1, len(figures) - 1), resamples, random)
    drawn = _times(len(sizes), len(sizes), resamples, random)
    totals = ((seeds / seeds.sum(axis=1, keepdims=True)) @ sums * drawn).sum(axis=1)
    return totals / (drawn @ sizes)


def _times(things: int, draws: int, resamples: int, random: np.random.Generator) -> Figures:
    """How often each thing is drawn, with replacement: ``(resamples, things)``."""
    return random.multinomial(draws, np.full(things, 1 / things), size=resamples).astype(np.float64)


def _checked(test: SeededTest) -> SeededTest:
    a, b = (np.asarray(part, dtype=np.float64) for part in test[:2])
    people = np.asarray(test.people, dtype=np.int64)
    if a.ndim != 2 or a.shape != b.shape or people.shape != a.shape[1:] or not a.size:
        raise ValueError(
            "expected figures (K, V) of both ways and people (V,), "
            f"got {a.shape}, {b.shape} and {people.shape}"
        )
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("figures of queries must be finite")
    return SeededTest(a, b, people)
