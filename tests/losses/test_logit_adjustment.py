import math

import pytest
import torch

from reidar_plugin.losses import LogitAdjustedLoss, binary_cross_entropy, logit_adjusted_loss
from tests.losses.labelled import KNOWN, LABELS, LOGITS, RATIOS, cross_entropy


def test_matches_the_definition() -> None:
    costs = [cross_entropy(z + 0.7 * math.log(RATIOS[j] / (1 - RATIOS[j])), y) for _, j, z, y in KNOWN]
    value = logit_adjusted_loss(LOGITS, LABELS, RATIOS, 0.7)
    assert value.item() == pytest.approx(sum(costs) / 11, rel=1e-12)


def test_by_hand() -> None:  # a logit of 0 for an action of one sample in four is a likelihood of 1/4
    value = logit_adjusted_loss(torch.zeros(1, 1), torch.ones(1, 1), [0.25])
    assert value.item() == pytest.approx(math.log(4))


def test_logits_of_zero_stand_for_the_frequency() -> None:
    """With labels at the training rate, the gradient of zero logits is 0."""
    logits = torch.zeros(4, 1, requires_grad=True)
    logit_adjusted_loss(logits, torch.tensor([[1.0], [0.0], [0.0], [0.0]]), [0.25]).backward()
    assert logits.grad is not None
    assert logits.grad.any()
    assert logits.grad.sum().item() == pytest.approx(0, abs=1e-7)


def test_without_tau_it_is_plain_cross_entropy() -> None:
    value = logit_adjusted_loss(LOGITS, LABELS, RATIOS, 0.0)
    torch.testing.assert_close(value, binary_cross_entropy(LOGITS, LABELS))


@pytest.mark.parametrize("ratio", [0.0, 1.0])
def test_refuses_an_action_in_none_or_all_samples(ratio: float) -> None:
    with pytest.raises(ValueError, match=rf"ratios \{{1: {ratio}\}} by action"):
        LogitAdjustedLoss([0.5, ratio])
