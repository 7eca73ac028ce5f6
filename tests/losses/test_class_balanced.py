import math

import pytest
import torch

from reidar_plugin.losses import ClassBalancedLoss, class_balanced_loss
from reidar_plugin.losses.class_balanced import effective_weights
from tests.losses.labelled import COUNTS, KNOWN, LABELS, LOGITS, probability_of_label, shown


@pytest.mark.parametrize("gamma", [0.0, 2.0])
def test_matches_the_definition(gamma: float) -> None:
    beta = 0.99
    raw = [(1 - beta) / (1 - beta**n) for n in COUNTS]
    weights = [w * 3 / sum(raw) for w in raw]
    total, number_shown = 0.0, 0
    for i, _, z, y in KNOWN:
        p = probability_of_label(z, y)
        total -= sum(weights[k] for k in shown(i)) * (1 - p) ** gamma * math.log(p)
        number_shown += y == 1
    assert number_shown == 4
    value = class_balanced_loss(LOGITS, LABELS, COUNTS, beta, gamma)
    assert value.item() == pytest.approx(total / 4, rel=1e-12)


def test_by_hand() -> None:
    """Beta 0 weighs all actions with 1: two labels with p = 1/2, so 2 ln 2 / 4 for the one action shown."""
    value = class_balanced_loss(torch.zeros(1, 2), torch.tensor([[1.0, 0.0]]), [60, 5], beta=0.0)
    assert value.item() == pytest.approx(math.log(2) / 2)


def test_weights_favour_rare_actions() -> None:
    """Towards beta 1 the weights are 1 / n, at 0 they are equal."""
    rare, common = torch.tensor([[0.0, 1.0]]), torch.tensor([[1.0, 0.0]])
    logits = torch.zeros(1, 2)
    for beta, ratio in ((0.0, 1.0), (0.999999, 10.0)):
        values = [class_balanced_loss(logits, row, [100, 10], beta) for row in (rare, common)]
        assert (values[0] / values[1]).item() == pytest.approx(ratio, rel=1e-4)


def test_an_action_without_a_sample_gets_no_weight() -> None:
    weights = effective_weights(torch.tensor([10.0, 10.0, 0.0]), 0.9999)
    torch.testing.assert_close(weights, torch.tensor([1.5, 1.5, 0.0]))  # two share the weight of three
    value = class_balanced_loss(LOGITS[:1], LABELS[:1], [10, 10, 0])
    torch.testing.assert_close(value, 1.5 * class_balanced_loss(LOGITS[:1], LABELS[:1], [10, 10, 10]))


def test_a_batch_that_shows_no_action_is_free() -> None:
    assert class_balanced_loss(LOGITS[4:], LABELS[4:], COUNTS) == 0


def test_refuses() -> None:
    with pytest.raises(ValueError, match=r"beta must be in \[0, 1\), got 1.0"):
        ClassBalancedLoss(COUNTS, beta=1.0)
    with pytest.raises(ValueError, match=r"gamma must be 0 or >= 1, got 0\.2"):
        ClassBalancedLoss(COUNTS, gamma=0.2)
