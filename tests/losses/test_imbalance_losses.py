"""Focal, class-balanced, asymmetric and distribution-balanced losses."""

import math

import pytest
import torch

from reidar_plugin.losses import (
    AsymmetricLoss,
    ClassBalancedLoss,
    DistributionBalancedLoss,
    FocalLoss,
    asymmetric_loss,
    binary_cross_entropy,
    class_balanced_loss,
    distribution_balanced_loss,
    focal_loss,
)

NAN = math.nan
LOGITS = 2 * torch.randn(5, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
LABELS = torch.tensor([[1, 0, 0], [NAN, NAN, NAN], [0, 1, 1], [0, NAN, 1], [0, 0, 0]], dtype=torch.float64)
COUNTS = [396, 20, 3]
TOTAL = 625


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def known() -> list[tuple[int, int, float, float]]:
    """Clip, action, logit and label wherever the label is known."""
    return [
        (i, j, z, y)
        for i, (zs, ys) in enumerate(zip(LOGITS.tolist(), LABELS.tolist(), strict=True))
        for j, (z, y) in enumerate(zip(zs, ys, strict=True))
        if y == y
    ]


def of_label(z: float, y: float) -> float:
    return sigmoid(z) if y else 1 - sigmoid(z)


def test_focal_matches_the_definition() -> None:
    costs = [
        -(0.3 if y else 0.7) * (1 - of_label(z, y)) ** 1.5 * math.log(of_label(z, y))
        for _, _, z, y in known()
    ]
    assert len(costs) == 11
    assert focal_loss(LOGITS, LABELS, 0.3, 1.5).item() == pytest.approx(sum(costs) / 11, rel=1e-12)


def test_focal_without_focus_is_half_the_cross_entropy() -> None:
    torch.testing.assert_close(focal_loss(LOGITS, LABELS, 0.5, 0.0), binary_cross_entropy(LOGITS, LABELS) / 2)


@pytest.mark.parametrize("gamma", [0.0, 2.0])
def test_class_balanced_matches_the_definition(gamma: float) -> None:
    beta = 0.99
    raw = [(1 - beta) / (1 - beta**n) for n in COUNTS]
    weights = [w * 3 / sum(raw) for w in raw]
    total, shown = 0.0, 0
    for i, _, z, y in known():
        row = sum(weights[k] for k, label in enumerate(LABELS[i].tolist()) if label == 1)
        total -= row * (1 - of_label(z, y)) ** gamma * math.log(of_label(z, y))
        shown += y == 1
    assert shown == 4
    value = class_balanced_loss(LOGITS, LABELS, COUNTS, beta, gamma)
    assert value.item() == pytest.approx(total / 4, rel=1e-12)


def test_class_balanced_weights_lean_to_the_rare() -> None:
    """Towards beta 1 the weights are 1 / n, at 0 they are equal."""
    rare, common = torch.tensor([[0.0, 1.0]]), torch.tensor([[1.0, 0.0]])
    logits = torch.zeros(1, 2)
    for beta, ratio in ((0.0, 1.0), (0.999999, 10.0)):
        values = [class_balanced_loss(logits, row, [100, 10], beta) for row in (rare, common)]
        assert (values[0] / values[1]).item() == pytest.approx(ratio, rel=1e-4)


def test_class_balanced_bears_an_action_that_nobody_shows() -> None:
    value = class_balanced_loss(LOGITS[:1], LABELS[:1], [10, 10, 0])
    expected = 1.5 * class_balanced_loss(
        LOGITS[:1], LABELS[:1], [10, 10, 10]
    )  # two share the weight of three
    torch.testing.assert_close(value, expected)


@pytest.mark.parametrize(
    ("positive", "negative", "clip"), [(0.0, 4.0, 0.05), (1.0, 2.0, 0.3), (2.0, 1.0, 0.0)], ids=str
)
def test_asymmetric_matches_the_definition(positive: float, negative: float, clip: float) -> None:
    total, dropped = 0.0, 0
    for _, _, z, y in known():
        p = sigmoid(z)
        q = max(p - clip, 0)
        dropped += y == 0 and q == 0
        total -= (1 - p) ** positive * math.log(p) if y else q**negative * math.log(1 - q)
    assert dropped > 0 or clip < 0.1
    value = asymmetric_loss(LOGITS, LABELS, positive, negative, clip)
    assert value.item() == pytest.approx(total / 4, rel=1e-12)  # four of five clips have a known label


def test_asymmetric_without_asymmetry_is_cross_entropy() -> None:
    whole = LOGITS[[0, 2, 4]], LABELS[[0, 2, 4]]
    torch.testing.assert_close(asymmetric_loss(*whole, 0.0, 0.0, 0.0), 3 * binary_cross_entropy(*whole))


@pytest.mark.parametrize("clip", [0.0, 0.05])
def test_sure_logits_are_safe(clip: float) -> None:
    for label in (0.0, 1.0):
        logits = torch.tensor([[200.0, -200.0]], requires_grad=True)
        labels = torch.full((1, 2), label)
        value = asymmetric_loss(logits, labels, 1.0, 2.0, clip) + focal_loss(logits, labels)
        value.backward()
        assert logits.grad is not None
        assert value.isfinite()
        assert logits.grad.isfinite().all()


def test_distribution_balanced_matches_the_definition() -> None:
    floor, slope, middle, bias, tolerance, gamma, scale = 0.2, 5.0, 0.4, 0.1, 3.0, 2.0, 1.5
    total = 0.0
    for i, j, z, y in known():
        repeat = sum(1 / COUNTS[k] for k, label in enumerate(LABELS[i].tolist()) if label == 1)
        ratio = (1 / COUNTS[j]) / repeat if repeat else math.inf
        weight = floor + (1 / (1 + math.exp(-slope * (ratio - middle))))
        shifted = z - math.log(TOTAL / COUNTS[j] - 1) * bias / tolerance
        if y:
            total += weight * (1 - sigmoid(shifted)) ** gamma * -math.log(sigmoid(shifted))
        else:
            p = sigmoid(tolerance * shifted)
            total += weight / tolerance * p**gamma * -math.log(1 - p)
    value = distribution_balanced_loss(
        LOGITS,
        LABELS,
        COUNTS,
        TOTAL,
        floor=floor,
        slope=slope,
        middle=middle,
        bias=bias,
        tolerance=tolerance,
        gamma=gamma,
        scale=scale,
    )
    assert value.item() == pytest.approx(scale * total / 11, rel=1e-12)


def test_distribution_balanced_module_passes_every_number() -> None:
    numbers = {
        "floor": 0.3, "slope": 4.0, "middle": 0.5, "bias": 0.2, "tolerance": 4.0, "gamma": 1.0, "scale": 3.0,
    }  # fmt: skip
    module = DistributionBalancedLoss(COUNTS, TOTAL, **numbers)
    expected = distribution_balanced_loss(LOGITS, LABELS, COUNTS, TOTAL, **numbers)
    torch.testing.assert_close(module(LOGITS, LABELS), expected)


def test_refuses() -> None:
    with pytest.raises(ValueError, match=r"gamma must be 0 or >= 1, got 0\.5"):
        FocalLoss(gamma=0.5)
    with pytest.raises(ValueError, match=r"alpha must be in 0\.\.1, got 2"):
        FocalLoss(alpha=2)
    with pytest.raises(ValueError, match=r"beta must be in \[0, 1\), got 1.0"):
        ClassBalancedLoss(COUNTS, beta=1.0)
    with pytest.raises(ValueError, match="gamma_negative must be 0 or >= 1, got -1"):
        AsymmetricLoss(gamma_negative=-1)
    with pytest.raises(ValueError, match=r"clip must be in \[0, 1\), got 1.5"):
        AsymmetricLoss(clip=1.5)
    with pytest.raises(ValueError, match=r"all of the 625 samples, got counts \{1: 0, 2: 625\} by action"):
        DistributionBalancedLoss([3, 0, 625], 625)
    with pytest.raises(ValueError, match="tolerance must be > 0, got 0"):
        DistributionBalancedLoss(COUNTS, TOTAL, tolerance=0)
