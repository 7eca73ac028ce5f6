import math

import pytest
import torch

from reidar_plugin.losses import AttributeLoss, attribute_loss, column_weights

NAN = math.nan
LOGITS = 2 * torch.randn(3, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
# two attributes: three values, two values; the third clip knows the second only
LABELS = torch.tensor([[1, 0, 0, 0, 1], [0, 0, 1, 1, 0], [NAN, NAN, NAN, 1, 0]], dtype=torch.float64)


def definition(weights: list[float], positive_only: bool) -> float:
    total = weight = 0.0
    for zs, ys in zip(LOGITS.tolist(), LABELS.tolist(), strict=True):
        for z, y, v in zip(zs, ys, weights, strict=True):
            if y == y:
                p = 1 / (1 + math.exp(-z))
                total -= v * (y * math.log(p) + (0 if positive_only else (1 - y) * math.log(1 - p)))
                weight += v
    return total / weight


@pytest.mark.parametrize("positive_only", [False, True], ids=["both halves", "as printed"])
@pytest.mark.parametrize("groups", [None, [3, 2]], ids=["columns", "attributes"])
def test_matches_the_definition(groups: list[int] | None, positive_only: bool) -> None:
    weights = [1.0] * 5 if groups is None else [1 / 3, 1 / 3, 1 / 3, 1 / 2, 1 / 2]
    value = AttributeLoss(groups, positive_only).double()(LOGITS, LABELS)
    assert value.item() == pytest.approx(definition(weights, positive_only), rel=1e-6)


def test_every_attribute_counts_the_same() -> None:
    """Columns of one attribute cost 1 each, of the other 0: half, however many columns there are."""
    logits = torch.tensor([[0.0] * 4 + [50.0]])
    labels = torch.tensor([[0.0, 0.0, 0.0, 1.0, 1.0]])
    value = attribute_loss(logits, labels, column_weights([4, 1])) / math.log(2)
    assert value.item() == pytest.approx(0.5)


def test_refuses() -> None:
    with pytest.raises(ValueError, match=r"1 or more columns each, got groups \[3, 0\]"):
        column_weights([3, 0])
    with pytest.raises(ValueError, match=r"each of 5 columns, got \(4,\)"):
        attribute_loss(LOGITS, LABELS, column_weights([3, 1]))


def test_by_hand() -> (
    None
):  # even odds: two known columns cost ln 2 each, the positive half alone one of them
    logits, labels = torch.zeros(1, 3), torch.tensor([[1.0, 0.0, NAN]])
    assert attribute_loss(logits, labels).item() == pytest.approx(math.log(2))
    assert attribute_loss(logits, labels, positive_only=True).item() == pytest.approx(math.log(2) / 2)
