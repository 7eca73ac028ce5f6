import math

import pytest
import torch

from reidar_plugin.losses import FocalLoss, binary_cross_entropy, focal_loss
from reidar_plugin.losses.focal import focal_terms
from tests.losses.labelled import KNOWN, LABELS, LOGITS, probability_of_label


def test_matches_the_definition() -> None:
    costs = []
    for _, _, z, y in KNOWN:
        p = probability_of_label(z, y)
        costs.append(-(0.3 if y else 0.7) * (1 - p) ** 1.5 * math.log(p))
    assert len(costs) == 11
    assert focal_loss(LOGITS, LABELS, 0.3, 1.5).item() == pytest.approx(sum(costs) / 11, rel=1e-12)


def test_by_hand() -> (
    None
):  # p = 1/2 for both labels: ln 2 / 4, weighed by 0.25 and 0.75, is ln 2 / 8 on average
    value = focal_loss(torch.zeros(1, 2), torch.tensor([[1.0, 0.0]]))
    assert value.item() == pytest.approx(math.log(2) / 8)


def test_without_focus_it_is_half_the_cross_entropy() -> None:
    torch.testing.assert_close(focal_loss(LOGITS, LABELS, 0.5, 0.0), binary_cross_entropy(LOGITS, LABELS) / 2)


def test_terms_are_not_reduced() -> None:
    terms = focal_terms(LOGITS, LABELS.nan_to_num(), 2.0)
    assert terms.shape == LOGITS.shape
    for i, j, z, y in KNOWN:
        p = probability_of_label(z, y)
        assert terms[i, j].item() == pytest.approx(-((1 - p) ** 2) * math.log(p), rel=1e-12)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_large_logits_have_a_finite_gradient(label: float) -> None:
    logits = torch.tensor([[200.0, -200.0]], requires_grad=True)
    value = focal_loss(logits, torch.full((1, 2), label))
    value.backward()
    assert logits.grad is not None
    assert value.isfinite()
    assert logits.grad.isfinite().all()


def test_refuses() -> None:
    with pytest.raises(ValueError, match=r"gamma must be 0 or >= 1, got 0\.5"):
        FocalLoss(gamma=0.5)
    with pytest.raises(ValueError, match=r"alpha must be in 0\.\.1, got 2"):
        FocalLoss(alpha=2)
