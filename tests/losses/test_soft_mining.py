import math
from typing import Any

import pytest
import torch

from reidar_plugin.losses import SoftMiningLoss, soft_mining_loss

Rows = list[list[float]]
GENERATOR = torch.Generator().manual_seed(5)
FEATURES = torch.randn(7, 4, generator=GENERATOR, dtype=torch.float64)
VECTORS = torch.randn(5, 4, generator=GENERATOR, dtype=torch.float64)
PIDS = [0, 0, 0, 3, 3, 1, 4]


def unit(rows: Rows) -> Rows:
    return [[x / math.hypot(*row) for x in row] for row in rows]


def definition(sigma: float, alpha: float, balance: float) -> tuple[float, int, int]:
    """Each ordered pair on its own; and how many negatives cost, and how many do not."""
    rows, vectors = unit(FEATURES.tolist()), unit(VECTORS.tolist())
    trust = []
    for row, pid in zip(rows, PIDS, strict=True):
        scores = [math.exp(sum(x * c for x, c in zip(row, vector, strict=True))) for vector in vectors]
        trust.append(scores[pid] / sum(scores))
    pull = pull_weight = push = push_weight = 0.0
    near = far = 0
    for i, a in enumerate(rows):
        for j, b in enumerate(rows):
            d, sure = math.dist(a, b), min(trust[i], trust[j])
            if i != j and PIDS[i] == PIDS[j]:
                weight = math.exp(-(d**2) / sigma**2) * sure
                pull += weight * d**2
                pull_weight += weight
            elif PIDS[i] != PIDS[j]:
                gap = max(0.0, alpha - d)
                near, far = near + (gap > 0), far + (gap == 0)
                push += gap * sure * gap**2
                push_weight += gap * sure
    return (1 - balance) * pull / pull_weight / 2 + balance * push / push_weight / 2, near, far


@pytest.mark.parametrize(
    ("sigma", "alpha", "balance"),
    [(0.8, 1.2, 0.5), (0.9047814732165316, 1.6, 0.5873389293193368)],
    ids=["OSM", "VPRFT"],
)
def test_matches_the_definition(sigma: float, alpha: float, balance: float) -> None:
    expected, near, far = definition(sigma, alpha, balance)
    assert near > 0
    assert far > 0
    value = soft_mining_loss(FEATURES, torch.tensor(PIDS), VECTORS, sigma=sigma, alpha=alpha, balance=balance)
    assert value.item() == pytest.approx(expected, rel=1e-9)


def test_by_hand() -> None:
    """Right angles: d = sqrt 2; the pull alone is d^2 / 2 = 1 whatever the weights."""
    features = torch.tensor([[1.0, 0.0], [0.0, 3.0]])
    value = soft_mining_loss(features, torch.tensor([0, 0]), torch.eye(2), balance=0.25)
    assert value.item() == pytest.approx(0.75)


def test_lengths_do_not_matter() -> None:
    pids = torch.tensor(PIDS)
    longer = torch.linspace(1, 9, 7, dtype=torch.float64)[:, None]
    value = soft_mining_loss(FEATURES * longer, pids, 3 * VECTORS)
    torch.testing.assert_close(value, soft_mining_loss(FEATURES, pids, VECTORS))


def test_the_class_vectors_learn_too() -> None:
    vectors = VECTORS.clone().requires_grad_()
    soft_mining_loss(FEATURES, torch.tensor(PIDS), vectors).backward()
    assert vectors.grad is not None
    assert vectors.grad.any(dim=1).all()


def test_far_negatives_alone_are_free_with_finite_gradient() -> None:
    features = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], requires_grad=True)
    value = soft_mining_loss(features, torch.tensor([0, 1]), torch.eye(2))
    value.backward()
    assert value == 0
    assert features.grad is not None
    assert not features.grad.any()


def test_module_is_the_function() -> None:
    numbers: dict[str, Any] = {"sigma": 0.5, "alpha": 1.7, "balance": 0.2}
    value = SoftMiningLoss(**numbers)(FEATURES, torch.tensor(PIDS), VECTORS)
    assert value == soft_mining_loss(FEATURES, torch.tensor(PIDS), VECTORS, **numbers)


def test_refuses() -> None:
    with pytest.raises(ValueError, match=r"pids in 0\.\.2 \(3 classes\), got 0\.\.4"):
        soft_mining_loss(FEATURES, torch.tensor(PIDS), VECTORS[:3])
    with pytest.raises(ValueError, match=r"\(K, 4\).*got \(5, 3\)"):
        soft_mining_loss(FEATURES, torch.tensor(PIDS), VECTORS[:, :3])
    with pytest.raises(ValueError, match="sigma=0"):
        SoftMiningLoss(sigma=0)
    with pytest.raises(ValueError, match=r"balance=1\.5"):
        SoftMiningLoss(balance=1.5)
    with pytest.raises(ValueError, match="'weights'; choose one of 'classifier', 'centres'"):
        SoftMiningLoss(vectors="weights")  # type: ignore[arg-type]
