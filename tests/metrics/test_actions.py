"""Action figures against counts made one tracklet at a time."""

import math

import numpy as np
import pytest

from reidar_plugin.metrics.actions import (
    choose_thresholds,
    evaluate_actions,
    precision_recall_curve,
)

NAMES = ("walking", "riding", "trolley")


def counted(scores: list[float], truth: list[float], threshold: float) -> tuple[float, float, float]:
    tp = fp = fn = 0
    for score, true in zip(scores, truth, strict=True):
        tp += score >= threshold and true == 1
        fp += score >= threshold and true == 0
        fn += score < threshold and true == 1
    precision = tp / (tp + fp) if tp + fp else 0.0
    recall = tp / (tp + fn) if tp + fn else 0.0
    return precision, recall, 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def walked_average_precision(scores: list[float], truth: list[float]) -> float:
    total, before = 0.0, 0.0
    for threshold in sorted(set(scores), reverse=True):
        precision, recall, _ = counted(scores, truth, threshold)
        total += (recall - before) * precision
        before = recall
    return total


def sample(seed: int, count: int = 80) -> tuple[np.ndarray, np.ndarray]:
    draws = np.random.default_rng(seed)
    labels = (draws.random((count, 3)) < (0.6, 0.3, 0.1)).astype(np.float32)
    scores = np.round(np.clip(labels * 0.3 + draws.random((count, 3)) * 0.7, 0, 1), 1)  # rounded: many ties
    return scores, labels


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("thresholds", [0.5, (0.3, 0.6, 0.8)])
def test_matches_the_counts(seed: int, thresholds: float | tuple[float, ...]) -> None:
    scores, labels = sample(seed)
    report = evaluate_actions(scores, labels, NAMES, thresholds)
    limits = np.broadcast_to(thresholds, 3)
    expected = [
        (*counted(scores[:, m].tolist(), labels[:, m].tolist(), limits[m]),
         walked_average_precision(scores[:, m].tolist(), labels[:, m].tolist()))
        for m in range(3)
    ]  # fmt: skip
    assert len(set(scores[:, 0])) < 15  # ties are there
    np.testing.assert_allclose(report.actions, expected)
    np.testing.assert_allclose(report.macro, np.mean(expected, axis=0))
    pot = (np.where(scores >= limits, 1.0, 0.0).ravel().tolist(), labels.ravel().tolist())
    np.testing.assert_allclose(report.micro[:3], counted(*pot, 0.5))
    assert report.support == tuple(labels.sum(axis=0).astype(int))
    assert report.thresholds == tuple(limits.tolist())


def test_by_hand() -> None:
    likelihoods = [[0.9, 0.2, 0.1], [0.8, 0.7, 0.1], [0.4, 0.6, 0.2], [0.3, 0.1, 0.0]]
    labels = [[1, 0, 0], [0, 1, 0], [1, 0, 0], [math.nan] * 3]
    report = evaluate_actions(likelihoods, labels, NAMES)
    assert (report.known, report.unknown) == (3, 1)
    assert report.actions[0] == pytest.approx((0.5, 0.5, 0.5, 0.5 * 1 + 0.5 * 2 / 3))
    assert report.actions[1] == pytest.approx((0.5, 1.0, 2 / 3, 1.0))
    assert report.actions[2][:3] == (0.0, 0.0, 0.0)
    assert math.isnan(report.actions[2].average_precision)
    assert report.support == (2, 1, 0)
    assert report.macro.precision == pytest.approx(0.5)  # trolley, which nobody shows, is not in the mean
    assert report.micro[:3] == pytest.approx((0.5, 2 / 3, 4 / 7))
    assert report.confusion.tolist() == [
        [1, 1, 0, 0],
        [1, 0, 0, 0],
        [0, 0, 0, 0],
    ]  # 0.8 walking beats 0.7 riding
    assert report.confused == 3


def test_confusion_knows_none_and_leaves_out_several() -> None:
    likelihoods = [[0.4, 0.45, 0.1], [0.9, 0.1, 0.1], [0.2, 0.9, 0.1], [0.1, 0.1, 0.6]]
    labels = [[1, 0, 0], [1, 1, 0], [0, 0, 0], [0, 0, 1]]
    report = evaluate_actions(likelihoods, labels, NAMES)
    assert report.confusion.tolist() == [[0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 1, 0]]
    assert (report.confused, report.known) == (2, 4)


def test_order_of_tracklets_does_not_matter() -> None:
    scores, labels = sample(0)
    order = np.random.default_rng(0).permutation(len(scores))
    assert (
        evaluate_actions(scores, labels, NAMES).actions
        == evaluate_actions(scores[order], labels[order], NAMES).actions
    )


def test_curve_ends_where_it_must() -> None:
    curve = precision_recall_curve([0.9, 0.9, 0.1, 0.4], [True, False, True, False])
    assert curve.thresholds.tolist() == [0.9, 0.4, 0.1]
    assert curve.recall.tolist() == [0.5, 0.5, 1.0]
    assert curve.precision.tolist() == pytest.approx([0.5, 1 / 3, 0.5])


def test_chosen_thresholds_are_the_best_there_are() -> None:
    scores, labels = sample(4)
    chosen = choose_thresholds(scores, labels, NAMES)
    for m in range(3):
        column, truth = scores[:, m].tolist(), labels[:, m].tolist()
        best = max(counted(column, truth, limit)[2] for limit in set(column))
        assert counted(column, truth, chosen[m])[2] == pytest.approx(best)
        assert chosen[m] not in column  # halfway between two likelihoods
    scores, labels = np.array([[0.3, 0.2, 0.9], [0.1, 0.1, 0.8]]), np.array([[1, 0, 1], [0, 0, 1]])
    assert choose_thresholds(scores, labels, NAMES) == pytest.approx((0.2, 0.5, 0.4))


def test_bad_input_is_named() -> None:
    scores, labels = sample(0, 4)
    with pytest.raises(ValueError, match=r"3 actions.*got \(4, 3\) and \(3, 3\)"):
        evaluate_actions(scores, labels[:3], NAMES)
    with pytest.raises(ValueError, match=r"\(tracklets, 2 actions\)"):
        evaluate_actions(scores, labels, NAMES[:2])
    with pytest.raises(ValueError, match=r"all 4 tracklets are unknown"):
        evaluate_actions(scores, labels * np.nan, NAMES)
    with pytest.raises(ValueError, match=r"between 0 and 1, got 7.5; give sigmoids"):
        evaluate_actions(np.full((4, 3), 7.5), labels, NAMES)
    with pytest.raises(ValueError, match=r"between 0 and 1, got nan"):
        evaluate_actions(scores * np.nan, labels, NAMES)
    with pytest.raises(ValueError, match=r"0 or 1 .* got 2.0"):
        evaluate_actions(scores, np.full((4, 3), 2.0), NAMES)
    with pytest.raises(ValueError, match=r"tracklet 1 are known in part: \[nan, 1.0, 0.0\]"):
        evaluate_actions(scores[:2], [[1, 0, 0], [math.nan, 1, 0]], NAMES)
    with pytest.raises(ValueError, match=r"none of 4 tracklets shows any of walking, riding, trolley"):
        evaluate_actions(scores, np.zeros((4, 3)), NAMES)
    with pytest.raises(ValueError, match=r"one for each of 3 actions, got \[0.5, 0.5\]"):
        evaluate_actions(scores, labels, NAMES, (0.5, 0.5))
