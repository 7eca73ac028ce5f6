import math

import pytest
import torch

from reidar_plugin.losses import PoseMotionTriplet, pose_motion_triplet
from tests.losses.paired import ANCHORS, COVARIATES, FEATURES, PIDS, positives


def cosine_distance(a: list[float], b: list[float]) -> float:
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    return 1 - dot / math.hypot(*a) / math.hypot(*b)


@pytest.mark.parametrize("itself", [False, True], ids=["as printed", "as in AITL"])
@pytest.mark.parametrize("margin", [0.0, 0.2])
def test_matches_the_definition(margin: float, itself: bool) -> None:
    rows, guides, hinges = FEATURES.tolist(), COVARIATES.tolist(), []
    for i in range(8):
        if positives(i):
            gap = {j: math.dist(guides[i], guides[j]) for j in positives(i)}
            near = i if itself else min(gap, key=lambda j: gap[j])
            far = max(gap, key=lambda j: gap[j])
            hinges.append(
                max(0.0, margin + cosine_distance(rows[i], rows[far]) - cosine_distance(rows[i], rows[near]))
            )
    assert len(hinges) == ANCHORS
    assert sum(h > 0 for h in hinges) >= 2
    value = pose_motion_triplet(FEATURES, COVARIATES, PIDS, margin, itself)
    assert value.item() == pytest.approx(sum(hinges) / ANCHORS, rel=1e-9)


def test_by_hand_with_the_anchor_and_no_gradient_to_covariates() -> None:
    """Two clips of one person at a right angle: without the anchor both selections are the other clip."""
    features = torch.tensor([[1.0, 0.0], [0.0, 1.0]], requires_grad=True)
    covariates = torch.tensor([[0.0], [1.0]], requires_grad=True)
    pids = torch.tensor([4, 4])
    assert pose_motion_triplet(features, covariates, pids) == 0
    value = pose_motion_triplet(features, covariates, pids, include_anchor=True)
    assert value == 1
    value.backward()
    assert covariates.grad is None


def test_a_single_other_clip_leaves_the_margin() -> None:
    features = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    assert PoseMotionTriplet(margin=0.25)(features, torch.eye(2), torch.tensor([4, 4])) == 0.25


def test_refuses() -> None:
    with pytest.raises(ValueError, match="margin must be >= 0, got -2"):
        PoseMotionTriplet(margin=-2)
    with pytest.raises(ValueError, match=r"got \(3, 2\) and \(8,\)"):
        pose_motion_triplet(FEATURES, COVARIATES[:3], PIDS)
