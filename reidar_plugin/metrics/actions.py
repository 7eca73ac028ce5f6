r"""Metrics of action recognition: precision, recall, F1 and average precision of each action, means, confusions.

A tracklet may show several actions, or none. Tracklets whose actions are unknown (a row of NaN) are left
out and counted. With the true positives TP, false positives FP and false negatives FN of an action at its
threshold

.. math::
    P = \frac{TP}{TP + FP}, \quad R = \frac{TP}{TP + FN}, \quad F_1 = \frac{2 TP}{2 TP + FP + FN}, \quad
    \mathrm{AP} = \sum_n (R_n - R_{n-1}) P_n

AP runs over the distinct likelihoods, highest first; tracklets of equal likelihood enter together, so that
their order does not matter. 0 / 0 counts as 0. An action that no test tracklet shows has no recall and no AP:
it is listed with support 0 and left out of the macro means.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from reidar_plugin.errors import InputError

__all__ = [
    "PAPER_MAP",
    "ActionMetrics",
    "ActionReport",
    "Curve",
    "average_precision",
    "choose_thresholds",
    "evaluate_actions",
    "precision_recall_curve",
]

#: The tables of Re-ID-AR call macro precision "mAP"; it is not an average precision.
PAPER_MAP = "macro precision (the papers' 'mAP')"


class Curve(NamedTuple):
    """Precision and recall at every distinct likelihood, highest first."""

    recall: np.ndarray
    precision: np.ndarray
    thresholds: np.ndarray


class ActionMetrics(NamedTuple):
    """Metrics of one action, or means over actions."""

    precision: float
    recall: float
    f1: float
    average_precision: float  #: NaN for an action that no tracklet shows


@dataclass(frozen=True)
class ActionReport:
    """Metrics of M actions on N tracklets with known actions."""

    names: tuple[str, ...]  #: the M actions
    actions: tuple[ActionMetrics, ...]  #: metrics of each action
    support: tuple[int, ...]  #: number of tracklets that show each action
    thresholds: tuple[float, ...]  #: likelihood from which on each action counts as predicted
    macro: ActionMetrics  #: means over the actions with support; its average_precision is the true mAP
    micro: ActionMetrics  #: metrics over all pairs of a tracklet and an action
    confusion: np.ndarray  #: int64 ``(M, M + 1)``, true x predicted; the last column is "none"
    confused: int  #: number of tracklets in the confusion matrix, those with exactly one true action
    known: int  #: number N of tracklets with known actions
    unknown: int  #: number of tracklets that were left out


def evaluate_actions(
    likelihoods: Any, labels: Any, names: Sequence[str], thresholds: float | Sequence[float] = 0.5
) -> ActionReport:
    """Compare action likelihoods with labels.

    Args:
        likelihoods: predicted likelihoods (sigmoids) in [0, 1], ``(N, M)``.
        labels: multi-hot labels, ``(N, M)``; a row of NaN where the actions are unknown.
        names: names of the M actions.
        thresholds: likelihood from which on an action counts as predicted; one number, or one for each action.

    Raises:
        ValueError: shapes or values do not fit, or no tracklet has a known action.

    Example:
        >>> likelihoods = [[0.9, 0.2], [0.8, 0.7], [0.4, 0.6]]
        >>> report = evaluate_actions(likelihoods, [[1, 0], [0, 1], [1, 0]], names=["walking", "riding"])
        >>> report.actions[0].precision, report.actions[0].recall, round(report.macro.average_precision, 4)
        (0.5, 0.5, 0.9167)
        >>> report.confusion
        array([[1, 1, 0],
               [1, 0, 0]])
    """
    scores, truth, unknown = _known(likelihoods, labels, names)
    limits = _one_an_action(thresholds, names)
    predicted = scores >= limits
    support = truth.sum(axis=0)
    actions = tuple(
        ActionMetrics(*_ratios(truth[:, m], predicted[:, m]), average_precision(scores[:, m], truth[:, m]))
        for m in range(len(names))
    )
    shown = np.array([metrics for metrics, count in zip(actions, support, strict=True) if count])
    macro = ActionMetrics(*shown.mean(axis=0).tolist())
    micro = ActionMetrics(*_ratios(truth, predicted), average_precision(scores.ravel(), truth.ravel()))
    confusion = _confusion(scores, truth, limits)
    counts = tuple(support.tolist()), tuple(limits.tolist())
    return ActionReport(
        tuple(names), actions, *counts, macro, micro, confusion, int(confusion.sum()), len(truth), unknown
    )


def choose_thresholds(likelihoods: Any, labels: Any, names: Sequence[str]) -> tuple[float, ...]:
    """The threshold of each action with the best F1, halfway to the next lower likelihood.

    Thresholds must be chosen on *training* data. An action that the data never show gets 0.5.

    Args:
        likelihoods: predicted likelihoods in [0, 1], ``(N, M)``.
        labels: multi-hot labels, ``(N, M)``; a row of NaN where the actions are unknown.
        names: names of the M actions.

    Returns:
        M thresholds.

    Example:
        >>> choose_thresholds([[0.9, 0.2], [0.4, 0.6]], [[1, 0], [0, 1]], names=["walking", "riding"])
        (0.65, 0.4)
    """
    scores, truth, _ = _known(likelihoods, labels, names)
    return tuple(_best_threshold(scores[:, m], truth[:, m]) for m in range(len(names)))


def precision_recall_curve(scores: Any, truth: Any) -> Curve:
    """Precision and recall of one action at each distinct score.

    Args:
        scores: predicted scores, ``(N,)``; higher means more likely.
        truth: whether each tracklet shows the action, bool ``(N,)``, with at least one True.

    Returns:
        The curve from the highest to the lowest score.

    Example:
        >>> precision_recall_curve([0.9, 0.4, 0.1], [True, False, True]).recall
        array([0.5, 0.5, 1. ])
    """
    scores, truth = np.asarray(scores), np.asarray(truth, dtype=bool)
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.diff(scores[order], append=-np.inf))  # the last of each run of equal likelihoods
    hits = truth[order].cumsum()[ends]
    return Curve(hits / truth.sum(), hits / (ends + 1), scores[order][ends])


def average_precision(scores: np.ndarray, truth: np.ndarray) -> float:
    """Average precision of one action: area under the steps of its precision-recall curve.

    Args:
        scores: predicted scores, ``(N,)``.
        truth: whether each tracklet shows the action, bool ``(N,)``.

    Returns:
        A number in [0, 1]; NaN if no tracklet shows the action.

    Example:
        >>> round(average_precision(np.array([0.9, 0.4, 0.1]), np.array([True, False, True])), 4)
        0.8333
    """
    if not truth.any():
        return float("nan")
    curve = precision_recall_curve(scores, truth)
    return float((np.diff(curve.recall, prepend=0.0) * curve.precision).sum())


def _known(likelihoods: Any, labels: Any, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray, int]:
    """Likelihoods and bool labels of the tracklets with known actions, and the number of the others."""
    scores, given = np.asarray(likelihoods, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    if scores.ndim != 2 or scores.shape != given.shape or scores.shape[1] != len(names):
        raise ValueError(
            f"expected likelihoods and labels of shape (tracklets, {len(names)} actions), "
            f"got {scores.shape} and {given.shape}"
        )
    missing = np.isnan(given)
    unknown = np.asarray(missing.all(axis=1))
    if (missing.any(axis=1) & ~unknown).any():
        row = int(np.flatnonzero(missing.any(axis=1) & ~unknown)[0])
        raise InputError(
            f"labels of tracklet {row} are known in part: {given[row].tolist()}; give all or a row of NaN"
        )
    scores, given = scores[~unknown], given[~unknown]
    if not len(given):
        raise InputError(
            f"the actions of all {len(unknown)} tracklets are unknown: there is nothing to judge"
        )
    if not np.isin(given, (0, 1)).all():
        raise InputError(f"labels are 0 or 1 (or a row of NaN), got {given[~np.isin(given, (0, 1))][0]}")
    if not ((scores >= 0) & (scores <= 1)).all():
        worst = scores[~((scores >= 0) & (scores <= 1))][0]
        raise InputError(f"likelihoods lie between 0 and 1, got {worst}; give sigmoids, not logits")
    if not given.any():
        raise InputError(
            f"none of {len(given)} tracklets shows any of {', '.join(names)}: there is nothing to judge"
        )
    return scores, given.astype(bool), int(unknown.sum())


def _one_an_action(thresholds: float | Sequence[float], names: Sequence[str]) -> np.ndarray:
    limits = np.asarray(thresholds, dtype=np.float64)
    if limits.shape not in ((), (len(names),)):
        raise ValueError(
            f"expected one threshold or one for each of {len(names)} actions, got {limits.tolist()}"
        )
    return np.broadcast_to(limits, (len(names),))


def _ratios(truth: np.ndarray, predicted: np.ndarray) -> tuple[float, float, float]:
    """Precision, recall and F1; 0 where there is nothing to divide by."""
    hits, said, true = int((truth & predicted).sum()), int(predicted.sum()), int(truth.sum())
    return _share(hits, said), _share(hits, true), _share(2 * hits, said + true)


def _share(part: int, whole: int) -> float:
    return float(part / max(whole, 1))


def _best_threshold(scores: np.ndarray, truth: np.ndarray) -> float:
    if not truth.any():
        return 0.5
    curve = precision_recall_curve(scores, truth)
    total = np.maximum(curve.precision + curve.recall, 1e-12)
    best = int(np.argmax(2 * curve.precision * curve.recall / total))
    below = curve.thresholds[best + 1] if best + 1 < len(curve.thresholds) else 0.0
    return float((curve.thresholds[best] + below) / 2)


def _confusion(scores: np.ndarray, truth: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """True x predicted, over tracklets with one true action; predicted is the likeliest above its threshold."""
    actions = truth.shape[1]
    single = truth.sum(axis=1) == 1
    above = np.where(scores >= limits, scores, -1.0)[single]
    predicted = np.where(above.max(axis=1, initial=-1.0) < 0, actions, above.argmax(axis=1))
    pair = truth[single].argmax(axis=1) * (actions + 1) + predicted
    return np.bincount(pair, minlength=actions * (actions + 1)).reshape(actions, actions + 1)
