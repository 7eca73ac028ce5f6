"""Batch-hard, weighted-regularisation and pose-and-motion triplets."""

import math

import pytest
import torch

from reidar_plugin.losses import (
    PoseMotionTriplet,
    TripletLoss,
    batch_hard_triplet_loss,
    pose_motion_triplet,
    weighted_regularisation_triplet,
)

GENERATOR = torch.Generator().manual_seed(4)
FEATURES = torch.randn(8, 3, generator=GENERATOR, dtype=torch.float64)
COVARIATES = torch.randn(8, 2, generator=GENERATOR, dtype=torch.float64)
PIDS = [0, 0, 0, 1, 1, 1, 1, 2]  # the last one is alone


def euclidean(a: list[float], b: list[float]) -> float:
    return math.dist(a, b)


def cosine(a: list[float], b: list[float]) -> float:
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    return 1 - dot / math.hypot(*a) / math.hypot(*b)


def neighbours(i: int) -> tuple[list[int], list[int]]:
    positives = [j for j, pid in enumerate(PIDS) if pid == PIDS[i] and j != i]
    return positives, [j for j, pid in enumerate(PIDS) if pid != PIDS[i]]


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("margin", [0.0, 0.3])
def test_batch_hard_matches_the_definition(metric: str, margin: float) -> None:
    distance = {"euclidean": euclidean, "cosine": cosine}[metric]
    rows, hinges = FEATURES.tolist(), []
    for i, row in enumerate(rows):
        positives, negatives = neighbours(i)
        if positives:
            far = max(distance(row, rows[j]) for j in positives)
            near = min(distance(row, rows[j]) for j in negatives)
            hinges.append(max(0.0, margin + far - near))
    assert len(hinges) == 7
    assert sum(h > 0 for h in hinges) > 0
    value = batch_hard_triplet_loss(FEATURES, torch.tensor(PIDS), margin, metric)  # type: ignore[arg-type]
    assert value.item() == pytest.approx(sum(hinges) / 7, rel=1e-9)


def test_batch_hard_by_hand() -> None:  # on a line: 0 and 3 one person, 4 another
    features = torch.tensor([[0.0], [3.0], [4.0]])
    value = batch_hard_triplet_loss(features, torch.tensor([0, 0, 1]), 0.5)
    assert value.item() == pytest.approx((0 + (0.5 + 3 - 1)) / 2)  # 0: 3 - 4 + 0.5 < 0


@pytest.mark.parametrize("itself", [False, True], ids=["as printed", "as released"])
def test_weighted_regularisation_matches_the_definition(itself: bool) -> None:
    rows, terms = FEATURES.tolist(), []
    for i, row in enumerate(rows):
        positives, negatives = neighbours(i)
        if not positives:
            continue
        far = [math.dist(row, rows[j]) for j in positives] + [0.0] * itself
        near = [math.dist(row, rows[j]) for j in negatives]
        pulled = sum(math.exp(d) * d for d in far) / sum(math.exp(d) for d in far)
        pushed = sum(math.exp(-d) * d for d in near) / sum(math.exp(-d) for d in near)
        terms.append(math.log(1 + math.exp(pulled - pushed)))
    value = weighted_regularisation_triplet(FEATURES, torch.tensor(PIDS), itself)
    assert value.item() == pytest.approx(sum(terms) / 7, rel=1e-6 if itself else 1e-9)


def test_weighted_regularisation_normalises() -> None:
    pids = torch.tensor(PIDS)
    unit = torch.nn.functional.normalize(FEATURES)
    value = weighted_regularisation_triplet(FEATURES, pids, normalise=True)
    torch.testing.assert_close(value, weighted_regularisation_triplet(unit, pids))


@pytest.mark.parametrize("itself", [False, True], ids=["as printed", "as in AITL"])
@pytest.mark.parametrize("margin", [0.0, 0.2])
def test_pose_motion_matches_the_definition(margin: float, itself: bool) -> None:
    rows, guides, hinges = FEATURES.tolist(), COVARIATES.tolist(), []
    for i in range(8):
        positives, _ = neighbours(i)
        if positives:
            gap = {j: math.dist(guides[i], guides[j]) for j in positives}
            near = i if itself else min(gap, key=lambda j: gap[j])
            far = max(gap, key=lambda j: gap[j])
            hinges.append(max(0.0, margin + cosine(rows[i], rows[far]) - cosine(rows[i], rows[near])))
    assert len(hinges) == 7
    assert sum(h > 0 for h in hinges) >= 2
    value = pose_motion_triplet(FEATURES, COVARIATES, torch.tensor(PIDS), margin, itself)
    assert value.item() == pytest.approx(sum(hinges) / 7, rel=1e-9)


def test_pose_motion_never_picks_the_anchor_and_teaches_no_covariate() -> None:
    """Equal covariates: were the anchor its own nearest, a feature far from the other would cost."""
    features = torch.tensor([[1.0, 0.0], [0.0, 1.0]], requires_grad=True)
    covariates = torch.tensor([[0.0], [1.0]], requires_grad=True)
    pids = torch.tensor([4, 4])
    assert pose_motion_triplet(features, covariates, pids) == 0
    value = pose_motion_triplet(features, covariates, pids, include_anchor=True)
    assert value == 1
    value.backward()
    assert covariates.grad is None


def test_refuses() -> None:
    with pytest.raises(ValueError, match="'l1'; choose one of 'euclidean', 'cosine'"):
        TripletLoss(metric="l1")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"margin must be >= 0, got -0\.1"):
        TripletLoss(margin=-0.1)
    with pytest.raises(ValueError, match="margin must be >= 0, got -2"):
        PoseMotionTriplet(margin=-2)
    with pytest.raises(ValueError, match=r"got \(8, 3\) and \(7,\)"):
        batch_hard_triplet_loss(FEATURES, torch.tensor(PIDS[:7]))
    with pytest.raises(ValueError, match=r"got \(3, 2\) and \(8,\)"):
        pose_motion_triplet(FEATURES, COVARIATES[:3], torch.tensor(PIDS))
