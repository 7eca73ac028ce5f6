"""The plain and the weighted binary cross-entropy, and the logit-adjusted one."""

import math

import pytest
import torch
from torch import Tensor

from reidar_plugin.losses import (
    LogitAdjustedLoss,
    WeightedBinaryCrossEntropy,
    binary_cross_entropy,
    logit_adjusted_loss,
    weighted_binary_cross_entropy,
)

NAN = math.nan
LOGITS = 2 * torch.randn(4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
LABELS = [[1.0, 0.0, 0.0], [NAN, NAN, NAN], [0.0, 1.0, 1.0], [0.0, NAN, 1.0]]
RATIOS = [0.6336, 0.2416, 0.0048]


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def cost(z: float, y: float) -> float:
    p = sigmoid(z)
    return -(y * math.log(p) + (1 - y) * math.log(1 - p))


def labels() -> Tensor:
    return torch.tensor(LABELS, dtype=torch.float64)


def test_plain_matches_the_definition() -> None:
    known = [
        cost(z, y)
        for zs, ys in zip(LOGITS.tolist(), LABELS, strict=True)
        for z, y in zip(zs, ys, strict=True)
        if y == y
    ]
    assert len(known) == 8
    assert binary_cross_entropy(LOGITS, labels()).item() == pytest.approx(sum(known) / 8, rel=1e-12)


@pytest.mark.parametrize("slip", [False, True], ids=["logits", "double sigmoid"])
def test_weighted_matches_the_definition(slip: bool) -> None:
    """Equations 3 and 4, with the minus sign; three of the four clips have a known label."""
    total = 0.0
    for zs, ys in zip(LOGITS.tolist(), LABELS, strict=True):
        for z, y, r in zip(zs, ys, RATIOS, strict=True):
            if y == y:
                total += (math.exp(1 - r) if y == 1 else math.exp(r)) * cost(sigmoid(z) if slip else z, y)
    value = weighted_binary_cross_entropy(LOGITS, labels(), RATIOS, slip)
    assert value.item() == pytest.approx(total / 3, rel=1e-12)


def test_weights_by_hand() -> None:  # the shares of MARS: 63 %, 24 % and 0.5 % of the people
    for ratio, present, absent in ((0.63, 1.44, 1.88), (0.24, 2.14, 1.27), (0.005, 2.71, 1.005)):
        zero = torch.zeros(1, 1)
        for label, weight in ((1.0, present), (0.0, absent)):
            value = weighted_binary_cross_entropy(zero, torch.full((1, 1), label), [ratio]) / math.log(2)
            assert value.item() == pytest.approx(weight, abs=0.01)


def test_weights_of_an_even_ratio_are_one_number() -> None:
    known = labels()[[0, 2]]
    value = weighted_binary_cross_entropy(LOGITS[[0, 2]], known, [0.5] * 3)
    plain = binary_cross_entropy(LOGITS[[0, 2]], known)
    torch.testing.assert_close(value, 3 * math.exp(0.5) * plain)


def test_adjusted_matches_the_definition() -> None:
    known = [
        cost(z + 0.7 * math.log(r / (1 - r)), y)
        for zs, ys in zip(LOGITS.tolist(), LABELS, strict=True)
        for z, y, r in zip(zs, ys, RATIOS, strict=True)
        if y == y
    ]
    value = logit_adjusted_loss(LOGITS, labels(), RATIOS, 0.7)
    assert value.item() == pytest.approx(sum(known) / 8, rel=1e-12)


def test_adjustment_knows_the_prior() -> None:
    """Plain logits of 0 then mean the prior itself: with labels at that rate the gradient is 0."""
    logits = torch.zeros(4, 1, requires_grad=True)
    logit_adjusted_loss(logits, torch.tensor([[1.0], [0.0], [0.0], [0.0]]), [0.25]).backward()
    assert logits.grad is not None
    assert logits.grad.sum().item() == pytest.approx(0, abs=1e-7)
    torch.testing.assert_close(
        logit_adjusted_loss(LOGITS, labels(), RATIOS, 0.0), binary_cross_entropy(LOGITS, labels())
    )


def test_logits_of_100_are_safe() -> None:
    logits = torch.tensor([[100.0, -100.0]], requires_grad=True)
    value = binary_cross_entropy(logits, torch.tensor([[0.0, 1.0]]))
    value.backward()
    assert value == 100
    assert logits.grad is not None
    assert logits.grad.tolist() == [[0.5, -0.5]]


def test_refuses() -> None:
    with pytest.raises(ValueError, match=r"each of 3 columns, got \(2,\)"):
        weighted_binary_cross_entropy(LOGITS, labels(), RATIOS[:2])
    with pytest.raises(ValueError, match=r"ratios in 0\.\.1, got \[396\]"):
        WeightedBinaryCrossEntropy([396])
    with pytest.raises(ValueError, match=r"ratios \{1: 0\.0\} by action"):
        LogitAdjustedLoss([0.5, 0.0])


def test_the_mean_over_actions_does_not_grow_with_them() -> None:
    known = labels()[[0, 2]].nan_to_num()
    summed = weighted_binary_cross_entropy(LOGITS[[0, 2]], known, RATIOS)
    mean = weighted_binary_cross_entropy(LOGITS[[0, 2]], known, RATIOS, reduction="mean")
    assert mean.item() == pytest.approx(summed.item() / LOGITS.shape[1])
    twice = (torch.cat([part, part], dim=1) for part in (LOGITS[[0, 2]], known))
    again = weighted_binary_cross_entropy(*twice, [*RATIOS, *RATIOS], reduction="mean")
    assert again.item() == pytest.approx(mean.item())
    with pytest.raises(ValueError, match="unknown reduction 'max'"):
        weighted_binary_cross_entropy(LOGITS, labels(), RATIOS, reduction="max")
