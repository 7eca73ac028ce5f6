r"""How sure a mean over queries is, and whether two models really differ on the same queries.

Resampling is over queries. Queries of one person are alike, so intervals are, if anything, too narrow; give
``groups`` to resample people instead. It says nothing of another training run: that takes more seeds.

Reference: Efron and Tibshirani, An Introduction to the Bootstrap, 1993; Good, Permutation Tests, 1994.
"""

from typing import Any, NamedTuple

import numpy as np

from reidar_plugin.errors import InputError

__all__ = ["Interval", "PairedTest", "bootstrap_interval", "paired_test"]

CHUNK = 2**22  # resampled values held at a time


class Interval(NamedTuple):
    """A mean and between what it lies."""

    mean: float
    low: float
    high: float


class PairedTest(NamedTuple):
    """Model B against model A on the same queries; a positive difference speaks for B."""

    difference: Interval  #: mean of B - A
    p_value: float  #: two-sided sign-flip permutation test of "there is no difference"
    better: int  #: queries on which B is better
    worse: int  #: queries on which B is worse


def bootstrap_interval(
    values: Any, level: float = 0.95, resamples: int = 10_000, seed: int = 0, groups: Any = None
) -> Interval:
    """Percentile bootstrap interval of a mean.

    Args:
        values: one figure a query, ``(V,)``.
        level: how often such intervals should hold the mean, between 0 and 1.
        resamples: how often the queries are drawn anew, with replacement.
        seed: of the drawing.
        groups: who each query is, ``(V,)``; if given, people are drawn with all of their queries.

    Returns:
        The mean of ``values`` with its interval.
    """
    values = _one_a_query(values)
    if not 0 < level < 1:
        raise InputError(f"a level lies between 0 and 1, got {level}")
    sums, sizes = _by_group(values, groups)
    draws = np.random.default_rng(seed)
    means = np.concatenate(
        [
            sums[chosen].sum(axis=1) / sizes[chosen].sum(axis=1)
            for count in _portions(resamples, len(sums))
            for chosen in [draws.integers(len(sums), size=(count, len(sums)))]
        ]
    )
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(values.mean()), float(low), float(high))


def paired_test(
    a: Any, b: Any, level: float = 0.95, resamples: int = 10_000, seed: int = 0, groups: Any = None
) -> PairedTest:
    r"""Compare two models query by query.

    The interval is the bootstrap's over the differences :math:`b_i - a_i`. The p-value is the share of
    random signs that make the mean of :math:`\pm(b_i - a_i)` at least as large as it is, the true signs
    counted among them.

    Args:
        a, b: one figure a query, ``(V,)``, same queries in the same order.
        level, resamples, seed, groups: as in :func:`bootstrap_interval`; signs flip for a whole group too.
    """
    a, b = _one_a_query(a), _one_a_query(b)
    if a.shape != b.shape:
        raise InputError(f"a paired test needs the same queries, got {len(a)} and {len(b)} figures")
    gaps = b - a
    interval = bootstrap_interval(gaps, level, resamples, seed, groups)
    sums, _ = _by_group(gaps, groups)
    sums = sums[sums != 0]  # a sign in front of 0 changes nothing
    draws = np.random.default_rng(seed)
    bound = abs(sums.sum()) * (1 - 1e-12)  # sums in another order may differ in their last bit
    reached = sum(
        int((np.abs(draws.choice((-1.0, 1.0), size=(count, len(sums))) @ sums) >= bound).sum())
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


def _by_group(values: np.ndarray, groups: Any) -> tuple[np.ndarray, np.ndarray]:
    """Sum and size of each group, ``(N,)`` each; every query is its own group without any."""
    if groups is None:
        return values, np.ones(len(values))
    if len(groups) != len(values):
        raise ValueError(f"expected one group a query, got {len(groups)} groups for {len(values)} figures")
    _, member = np.unique(np.asarray(groups), return_inverse=True)
    return np.bincount(member, values), np.bincount(member).astype(np.float64)


def _portions(resamples: int, width: int) -> list[int]:
    """The resamples in portions that fit in memory."""
    if resamples < 1:
        raise InputError(f"expected at least one resample, got {resamples}")
    most = max(1, CHUNK // max(1, width))
    return [min(most, resamples - done) for done in range(0, resamples, most)]
