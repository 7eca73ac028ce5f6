import math

import pytest
import torch

from reidar_plugin.losses import DistributionBalancedLoss, distribution_balanced_loss
from tests.losses.labelled import COUNTS, KNOWN, LABELS, LOGITS, TOTAL, shown, sigmoid


def test_matches_the_definition() -> None:
    floor, slope, middle, bias, tolerance, gamma, scale = 0.2, 5.0, 0.4, 0.1, 3.0, 2.0, 1.5
    total = 0.0
    for i, j, z, y in KNOWN:
        repeat = sum(1 / COUNTS[k] for k in shown(i))
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


def test_by_hand() -> None:
    """One action in half the samples and shown: no shift, r = 1, p = 1/2; the sigmoid is halfway at its middle."""
    value = distribution_balanced_loss(
        torch.zeros(1, 1), torch.ones(1, 1), [50], 100, floor=0.1, middle=1.0, gamma=0.0, scale=1.0
    )
    assert value.item() == pytest.approx(0.6 * math.log(2))


def test_a_clip_without_an_action_has_the_largest_weight() -> None:
    numbers = {"floor": 0.1, "gamma": 0.0, "scale": 1.0, "bias": 0.0, "tolerance": 1.0}
    value = distribution_balanced_loss(torch.zeros(1, 2), torch.zeros(1, 2), [60, 5], 100, **numbers)
    assert value.item() == pytest.approx(1.1 * math.log(2))


def test_module_passes_every_number() -> None:
    numbers = {
        "floor": 0.3, "slope": 4.0, "middle": 0.5, "bias": 0.2, "tolerance": 4.0, "gamma": 1.0, "scale": 3.0,
    }  # fmt: skip
    module = DistributionBalancedLoss(COUNTS, TOTAL, **numbers)
    expected = distribution_balanced_loss(LOGITS, LABELS, COUNTS, TOTAL, **numbers)
    torch.testing.assert_close(module(LOGITS, LABELS), expected)


def test_refuses() -> None:
    with pytest.raises(ValueError, match=r"all of the 625 samples, got counts \{1: 0, 2: 625\} by action"):
        DistributionBalancedLoss([3, 0, 625], 625)
    with pytest.raises(ValueError, match="tolerance must be > 0, got 0"):
        DistributionBalancedLoss(COUNTS, TOTAL, tolerance=0)
    with pytest.raises(ValueError, match=r"gamma must be 0 or >= 1, got 0\.5"):
        DistributionBalancedLoss(COUNTS, TOTAL, gamma=0.5)
