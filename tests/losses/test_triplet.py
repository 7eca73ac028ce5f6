import math

import pytest
import torch

from reidar_plugin.losses import TripletLoss, batch_hard_triplet_loss
from tests.losses.paired import ANCHORS, FEATURES, PIDS, negatives, positives


def cosine(a: list[float], b: list[float]) -> float:
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    return 1 - dot / math.hypot(*a) / math.hypot(*b)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("margin", [0.0, 0.3])
def test_matches_the_definition(metric: str, margin: float) -> None:
    distance = {"euclidean": math.dist, "cosine": cosine}[metric]
    rows, hinges = FEATURES.tolist(), []
    for i, row in enumerate(rows):
        if positives(i):
            far = max(distance(row, rows[j]) for j in positives(i))
            near = min(distance(row, rows[j]) for j in negatives(i))
            hinges.append(max(0.0, margin + far - near))
    assert len(hinges) == ANCHORS
    assert any(h > 0 for h in hinges)
    value = batch_hard_triplet_loss(FEATURES, PIDS, margin, metric)  # type: ignore[arg-type]
    assert value.item() == pytest.approx(sum(hinges) / ANCHORS, rel=1e-9)


def test_by_hand() -> None:  # on a line: 0 and 3 are one person, 4 another
    features = torch.tensor([[0.0], [3.0], [4.0]])
    value = batch_hard_triplet_loss(features, torch.tensor([0, 0, 1]), 0.5)
    assert value.item() == pytest.approx((0 + (0.5 + 3 - 1)) / 2)  # 0: 3 - 4 + 0.5 < 0


def test_separated_people_are_free() -> None:
    features = torch.tensor([[0.0], [1.0], [9.0], [10.0]], requires_grad=True)
    value = batch_hard_triplet_loss(features, torch.tensor([0, 0, 1, 1]))
    value.backward()
    assert value == 0
    assert features.grad is not None
    assert not features.grad.any()


def test_refuses() -> None:
    with pytest.raises(ValueError, match="'l1'; choose one of 'euclidean', 'cosine'"):
        TripletLoss(metric="l1")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"margin must be >= 0, got -0\.1"):
        TripletLoss(margin=-0.1)
    with pytest.raises(ValueError, match=r"got \(8, 3\) and \(7,\)"):
        batch_hard_triplet_loss(FEATURES, PIDS[:7])
