import math

import pytest
import torch

from reidar_plugin.losses import (
    WeightedBinaryCrossEntropy,
    binary_cross_entropy,
    weighted_binary_cross_entropy,
)
from tests.losses.labelled import CLIPS_WITH_A_LABEL, KNOWN, LABELS, LOGITS, RATIOS, cross_entropy, sigmoid


@pytest.mark.parametrize("double", [False, True], ids=["logits", "double sigmoid"])
def test_matches_the_definition(double: bool) -> None:
    """Equations 3 and 4, with the minus sign."""
    total = 0.0
    for _, j, z, y in KNOWN:
        weight = math.exp(1 - RATIOS[j]) if y == 1 else math.exp(RATIOS[j])
        total += weight * cross_entropy(sigmoid(z) if double else z, y)
    value = weighted_binary_cross_entropy(LOGITS, LABELS, RATIOS, double)
    assert value.item() == pytest.approx(total / CLIPS_WITH_A_LABEL, rel=1e-12)


def test_weights_by_hand() -> None:  # the shares of MARS: 63 %, 24 % and 0.5 % of the people
    for ratio, present, absent in ((0.63, 1.44, 1.88), (0.24, 2.14, 1.27), (0.005, 2.71, 1.005)):
        zero = torch.zeros(1, 1)
        for label, weight in ((1.0, present), (0.0, absent)):
            value = weighted_binary_cross_entropy(zero, torch.full((1, 1), label), [ratio]) / math.log(2)
            assert value.item() == pytest.approx(weight, abs=0.01)


def test_equal_ratios_scale_the_plain_cross_entropy() -> None:
    whole = LOGITS[[0, 2]], LABELS[[0, 2]]
    value = weighted_binary_cross_entropy(*whole, [0.5] * 3)
    torch.testing.assert_close(value, 3 * math.exp(0.5) * binary_cross_entropy(*whole))


def test_refuses() -> None:
    with pytest.raises(ValueError, match=r"each of 3 columns, got \(2,\)"):
        weighted_binary_cross_entropy(LOGITS, LABELS, RATIOS[:2])
    with pytest.raises(ValueError, match=r"ratios in 0\.\.1, got \[396\]"):
        WeightedBinaryCrossEntropy([396])


def test_the_mean_over_actions_does_not_grow_with_them() -> None:
    known = LABELS[[0, 2]].nan_to_num()
    summed = weighted_binary_cross_entropy(LOGITS[[0, 2]], known, RATIOS)
    mean = weighted_binary_cross_entropy(LOGITS[[0, 2]], known, RATIOS, reduction="mean")
    assert mean.item() == pytest.approx(summed.item() / LOGITS.shape[1])
    twice = (torch.cat([part, part], dim=1) for part in (LOGITS[[0, 2]], known))
    again = weighted_binary_cross_entropy(*twice, [*RATIOS, *RATIOS], reduction="mean")
    assert again.item() == pytest.approx(mean.item())
    with pytest.raises(ValueError, match="unknown reduction 'max'"):
        weighted_binary_cross_entropy(LOGITS, LABELS, RATIOS, reduction="max")
