r"""Bootstrap intervals of means over queries, and a paired test of two models on the same queries.

Queries are resampled. Queries of one person are similar, so these intervals are rather too narrow than too wide;
pass ``groups`` to resample people instead. The variation between training runs is not covered: that takes
several seeds.

Reference: Efron and Tibshirani, An Introduction to the Bootstrap, 1993; Good, Permutation Tests, 1994.
"""

from typing import Any, NamedTuple

import numpy as np

from reidar_plugin.errors import InputError

__all__ = [
    "Interval",
    "PairedTest",
    "bootstrap_interval",
    "check_draws",
    "paired_test",
    "percentile_interval",
    "sums_by_group",
]

CHUNK = 2**22  # resampled values held at a time


class Interval(NamedTuple):
    """A mean with the two ends of its interval."""

    mean: float
    low: float
    high: float


class PairedTest(NamedTuple):
    """Comparison of model B with model A on the same queries; a positive difference means that B is better."""

    difference: Interval  #: mean of B - A
    p_value: float  #: of a two-sided sign-flip permutation test of the hypothesis of no difference
    better: int  #: number of queries on which B is better
    worse: int  #: number of queries on which B is worse


def bootstrap_interval(
    values: Any, level: float = 0.95, resamples: int = 10_000, seed: int = 0, groups: Any = None
) -> Interval:
    """Percentile bootstrap interval of a mean.

    Args:
        values: one value for each query, ``(V,)``.
        level: share of such intervals that should contain the true mean, between 0 and 1.
        resamples: number of times that the queries are drawn with replacement.
        seed: seed of the draws.
        groups: identity of each query, ``(V,)``; if given, people are drawn with all of their queries.

    Returns:
        The mean of ``values`` with its interval.

    Example:
        >>> bootstrap_interval([0.0, 1.0, 1.0, 1.0])
        Interval(mean=0.75, low=0.25, high=1.0)
    """
    values = _one_a_query(values)
    check_draws(level, resamples)
    sums, sizes = sums_by_group(values, groups)
    random = np.random.default_rng(seed)
    means = np.concatenate(
        [
            sums[chosen].sum(axis=1) / sizes[chosen].sum(axis=1)
            for count in _portions(resamples, len(sums))
            for chosen in [random.integers(len(sums), size=(count, len(sums)))]
        ]
    )
    return percentile_interval(float(values.mean()), means, level)


def paired_test(
    a: Any, b: Any, level: float = 0.95, resamples: int = 10_000, seed: int = 0, groups: Any = None
) -> PairedTest:
    r"""Compare two models query by query.

    The interval is the bootstrap interval of the differences :math:`b_i - a_i`. The p-value is the share of
    random signs for which the mean of :math:`\pm(b_i - a_i)` is at least as large in magnitude as the observed
    one, with the true signs counted as one draw.

    Args:
        a: one value for each query of model A, ``(V,)``.
        b: the same of model B, for the same queries in the same order.
        level: level of the interval, between 0 and 1.
        resamples: number of bootstrap draws and of random signs.
        seed: seed of the draws.
        groups: identity of each query, ``(V,)``; if given, queries of one person are drawn, and change sign, together.

    Example:
        >>> test = paired_test([0.2, 0.5, 0.9, 0.1], [0.4, 0.7, 0.9, 0.6])
        >>> round(test.difference.mean, 3), test.better, test.worse
        (0.225, 3, 0)
    """
    a, b = _one_a_query(a), _one_a_query(b)
    if a.shape != b.shape:
        raise InputError(f"a paired test needs the same queries, got {len(a)} and {len(b)} figures")
    gaps = b - a
    interval = bootstrap_interval(gaps, level, resamples, seed, groups)
    sums, _ = sums_by_group(gaps, groups)
    sums = sums[sums != 0]  # the sign of 0 changes nothing
    random = np.random.default_rng(seed)
    bound = abs(sums.sum()) * (1 - 1e-12)  # sums in another order may differ in their last bit
    reached = sum(
        int((np.abs(random.choice((-1.0, 1.0), size=(count, len(sums))) @ sums) >= bound).sum())
        for count in _portions(resamples, len(sums))
    )
    return PairedTest(interval, (reached + 1) / (resamples + 1), int((gaps > 0).sum()), int((gaps < 0).sum()))


def _one_a_query(values: Any) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not array.size:
        raise ValueError(f"expected one figure a query, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise InputError(f"{int((~np.isfinite(array)).sum())} of {array.size} figures are NaN or infinite")
    return array


def check_draws(level: float, resamples: int) -> None:
    """Refuse a level that is no share, and drawing nothing."""
    if not 0 < level < 1:
        raise InputError(f"a level lies between 0 and 1, got {level}")
    if resamples < 1:
        raise InputError(f"expected at least one resample, got {resamples}")


def percentile_interval(mean: float, drawn: np.ndarray, level: float) -> Interval:
    """The interval between the percentiles of what was drawn, as many of it below as above."""
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(mean, float(low), float(high))


def sums_by_group(values: np.ndarray, groups: Any) -> tuple[np.ndarray, np.ndarray]:
    """Sum of each group, ``(..., V)`` -> ``(..., N)``, and its size, ``(N,)``; without groups each query is one."""
    queries = values.shape[-1]
    if groups is None:
        return values, np.ones(queries)
    if len(groups) != queries:
        raise ValueError(f"expected one group a query, got {len(groups)} groups for {queries} figures")
    _, member = np.unique(np.asarray(groups), return_inverse=True)
    sums = np.apply_along_axis(lambda row: np.bincount(member, row), -1, values)
    return sums, np.bincount(member).astype(np.float64)


def _portions(resamples: int, width: int) -> list[int]:
    """Split the number of resamples into portions that fit in memory."""
    most = max(1, CHUNK // max(1, width))
    return [min(most, resamples - done) for done in range(0, resamples, most)]
