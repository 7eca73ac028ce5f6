import math

import pytest
import torch

from reidar_plugin.losses import AsymmetricLoss, asymmetric_loss, binary_cross_entropy
from tests.losses.labelled import CLIPS_WITH_A_LABEL, KNOWN, LABELS, LOGITS, sigmoid


@pytest.mark.parametrize(
    ("positive", "negative", "clip"), [(0.0, 4.0, 0.05), (1.0, 2.0, 0.3), (2.0, 1.0, 0.0)], ids=str
)
def test_matches_the_definition(positive: float, negative: float, clip: float) -> None:
    total, dropped = 0.0, 0
    for _, _, z, y in KNOWN:
        p = sigmoid(z)
        q = max(p - clip, 0)
        dropped += y == 0 and q == 0
        total -= (1 - p) ** positive * math.log(p) if y else q**negative * math.log(1 - q)
    assert dropped > 0 or clip < 0.1
    value = asymmetric_loss(LOGITS, LABELS, positive, negative, clip)
    assert value.item() == pytest.approx(total / CLIPS_WITH_A_LABEL, rel=1e-12)


def test_by_hand() -> None:  # present: ln 2; absent with p = 1/2 and clip 1/4: q = 1/4, -(1/4)^2 ln (3/4)
    value = asymmetric_loss(torch.zeros(1, 2), torch.tensor([[1.0, 0.0]]), 0.0, 2.0, 0.25)
    assert value.item() == pytest.approx(math.log(2) - math.log(0.75) / 16)


def test_without_asymmetry_it_is_cross_entropy() -> None:
    whole = LOGITS[[0, 2, 4]], LABELS[[0, 2, 4]]
    torch.testing.assert_close(asymmetric_loss(*whole, 0.0, 0.0, 0.0), 3 * binary_cross_entropy(*whole))


def test_an_unlikely_absent_action_is_free() -> None:
    logits = torch.tensor([[-3.0]], requires_grad=True)  # p = 0.047
    value = asymmetric_loss(logits, torch.zeros(1, 1), clip=0.05)
    value.backward()
    assert value == 0
    assert logits.grad is not None
    assert not logits.grad.any()


@pytest.mark.parametrize("clip", [0.0, 0.05])
@pytest.mark.parametrize("label", [0.0, 1.0])
def test_large_logits_have_a_finite_gradient(clip: float, label: float) -> None:
    logits = torch.tensor([[200.0, -200.0]], requires_grad=True)
    value = asymmetric_loss(logits, torch.full((1, 2), label), 1.0, 2.0, clip)
    value.backward()
    assert logits.grad is not None
    assert value.isfinite()
    assert logits.grad.isfinite().all()


def test_refuses() -> None:
    with pytest.raises(ValueError, match="gamma_negative must be 0 or >= 1, got -1"):
        AsymmetricLoss(gamma_negative=-1)
    with pytest.raises(ValueError, match=r"clip must be in \[0, 1\), got 1.5"):
        AsymmetricLoss(clip=1.5)
