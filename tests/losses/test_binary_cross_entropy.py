import math

import pytest
import torch

from reidar_plugin.losses import BinaryCrossEntropy, binary_cross_entropy
from tests.losses.labelled import KNOWN, LABELS, LOGITS, cross_entropy


def test_matches_the_definition() -> None:
    costs = [cross_entropy(z, y) for _, _, z, y in KNOWN]
    assert len(costs) == 11
    assert binary_cross_entropy(LOGITS, LABELS).item() == pytest.approx(sum(costs) / 11, rel=1e-12)


def test_by_hand() -> None:  # even odds cost ln 2; the unknown label costs nothing
    value = BinaryCrossEntropy()(torch.zeros(1, 3), torch.tensor([[1.0, 0.0, math.nan]]))
    assert value.item() == pytest.approx(math.log(2))


def test_logits_of_100_are_exact() -> None:
    logits = torch.tensor([[100.0, -100.0]], requires_grad=True)
    value = binary_cross_entropy(logits, torch.tensor([[0.0, 1.0]]))
    value.backward()
    assert value == 100
    assert logits.grad is not None
    assert logits.grad.tolist() == [[0.5, -0.5]]


def test_refuses_another_shape() -> None:
    with pytest.raises(ValueError, match=r"got \(5, 3\) and \(5, 2\)"):
        binary_cross_entropy(LOGITS, LABELS[:, :2])
