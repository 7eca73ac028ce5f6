"""How well people were told apart: pairs of tracklets, and boxes over all cameras.

Reference: Ristani et al., Performance measures and a data set for multi-target, multi-camera tracking, ECCV workshops
2016 (IDP, IDR, IDF1).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from reidar_plugin.errors import InputError

__all__ = ["Boxes", "IdentityScores", "PairScores", "identity_scores", "pair_scores", "true_person_of"]


class PairScores(NamedTuple):
    """What a clustering says of pairs of tracklets."""

    precision: float  #: of the pairs that were put together, those of one person; 1 if there are none
    recall: float  #: of the pairs of one person, those that were put together; 1 if there are none
    f1: float
    people_found: int
    people_true: int


class IdentityScores(NamedTuple):
    """How many boxes have the right person, when each person found stands for one person at most."""

    idf1: float
    idp: float  #: of the boxes found
    idr: float  #: of the boxes of the truth
    matched: int  #: IDTP
    found: int  #: boxes that were found
    true: int  #: boxes of the truth


class Boxes(Protocol):
    """Boxes of one video, such as :class:`~reidar_plugin.inference.tracks.Tracks`."""

    @property
    def frame(self) -> NDArray[np.int64]:
        """``(N,)``."""

    @property
    def track(self) -> NDArray[np.int64]:
        """Identity of each box, ``(N,)``: one name space for all cameras."""

    @property
    def box(self) -> NDArray[np.float64]:
        """Left, top, width, height, ``(N, 4)``."""


def pair_scores(found: NDArray[np.integer], true: NDArray[np.integer]) -> PairScores:
    r"""Compare the person that was found for each tracklet with the true one.

    .. math::
        P = \frac{\sum_{ij} \binom{n_{ij}}{2}}{\sum_i \binom{n_{i\cdot}}{2}} \quad
        R = \frac{\sum_{ij} \binom{n_{ij}}{2}}{\sum_j \binom{n_{\cdot j}}{2}} \quad F_1 = \frac{2 P R}{P + R}

    :math:`n_{ij}` tracklets of the true person j were given to person i.

    Args:
        found: ``(N,)``.
        true: ``(N,)``.
    """
    if found.shape != true.shape or found.ndim != 1:
        raise InputError(
            f"expected a person found and a true one a tracklet, got {found.shape} and {true.shape}"
        )
    both = np.unique(np.stack([found, true]), axis=1, return_counts=True)[1]
    mine, theirs = (np.unique(people, return_counts=True)[1] for people in (found, true))
    together, put, same = (int((n * (n - 1) // 2).sum()) for n in (both, mine, theirs))
    precision = together / put if put else 1.0
    recall = together / same if same else 1.0
    f1 = 2 * precision * recall / (precision + recall) if together else float(put == same == 0)
    return PairScores(precision, recall, f1, len(mine), len(theirs))


def identity_scores(found: Sequence[Boxes], true: Sequence[Boxes], iou: float = 0.5) -> IdentityScores:
    r"""IDF1 over all cameras.

    .. math::
        \mathrm{IDTP} = \max_{m} \sum_{p} \lvert \{ \text{frames where } p \text{ and } m(p)
        \text{ overlap by at least the IoU} \} \rvert \qquad
        \mathrm{IDF1} = \frac{2\,\mathrm{IDTP}}{\text{boxes found} + \text{boxes true}}

    m gives each person found one true person at most, and no true person twice, in all cameras at once.

    Args:
        found: what was found, a camera each; ids are people.
        true: the truth of the same cameras, in the same order.
        iou: overlap from which a box is that of the truth.
    """
    if len(found) != len(true):
        raise InputError(f"expected the same cameras, got {len(found)} found and {len(true)} true")
    pairs = [_overlapping(mine, theirs, iou) for mine, theirs in zip(found, true, strict=True)]
    table = np.concatenate([np.empty((0, 2), np.int64), *pairs])
    count_found, count_true = (sum(len(each.frame) for each in side) for side in (found, true))
    matched = _best_match(table)
    return IdentityScores(
        idf1=2 * matched / (count_found + count_true) if count_found + count_true else 1.0,
        idp=matched / count_found if count_found else 1.0,
        idr=matched / count_true if count_true else 1.0,
        matched=matched,
        found=count_found,
        true=count_true,
    )


def true_person_of(found: Boxes, true: Boxes, iou: float = 0.5) -> dict[int, int]:
    """The person whose boxes each track overlaps most often; tracks that overlap nobody's are left out.

    Args:
        found: tracks of one camera.
        true: the truth of that camera; ids are people.
        iou: overlap from which a box is that of the truth.
    """
    pairs, count = np.unique(_overlapping(found, true, iou), axis=0, return_counts=True)
    ascending = pairs[np.argsort(count, kind="stable")]  # the last of a track wins
    return dict(zip(ascending[:, 0].tolist(), ascending[:, 1].tolist(), strict=True))


def _best_match(pairs: NDArray[np.int64]) -> int:
    """Most overlapping boxes that a one-to-one match of people can have; pairs are (found, true), ``(P, 2)``."""
    if not len(pairs):
        return 0
    mine, row = np.unique(pairs[:, 0], return_inverse=True)
    theirs, column = np.unique(pairs[:, 1], return_inverse=True)
    counts = np.zeros((len(mine), len(theirs)), np.int64)
    np.add.at(counts, (row.reshape(-1), column.reshape(-1)), 1)
    return int(counts[linear_sum_assignment(counts, maximize=True)].sum())


def _overlapping(found: Boxes, true: Boxes, iou: float) -> NDArray[np.int64]:
    """Identities (found, true) of all pairs of boxes of one frame that overlap enough, ``(P, 2)``."""
    a, b = _same_frame(found.frame, true.frame)
    enough = _iou(found.box[a], true.box[b]) >= iou
    return np.stack([found.track[a[enough]], true.track[b[enough]]], axis=1)


def _same_frame(one: NDArray[Any], other: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices of all pairs whose frames are equal."""
    order = np.argsort(other, kind="stable")
    first = np.searchsorted(other[order], one, side="left")
    count = np.searchsorted(other[order], one, side="right") - first
    a = np.repeat(np.arange(len(one)), count)
    within = np.arange(len(a)) - np.repeat(np.cumsum(count) - count, count)
    return a, order[np.repeat(first, count) + within]


def _iou(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    corner = np.maximum(a[:, :2], b[:, :2])
    end = np.minimum(a[:, :2] + a[:, 2:], b[:, :2] + b[:, 2:])
    both = np.clip(end - corner, 0.0, None).prod(axis=1)
    return both / (a[:, 2:].prod(axis=1) + b[:, 2:].prod(axis=1) - both)
