import math
from typing import Any

import pytest
import torch

from reidar_plugin.losses import DiscriminativeCentroidsLoss, discriminative_centroids_loss

NAN = math.nan
GENERATOR = torch.Generator().manual_seed(0)
FEATURES = torch.randn(4, 3, generator=GENERATOR, dtype=torch.float64)
CENTRES = torch.randn(2, 3, generator=GENERATOR, dtype=torch.float64)
LABELS = torch.tensor([[1, 0], [0, 1], [NAN, 1], [1, 1]], dtype=torch.float64)


def definition(margin: float, weight: float) -> tuple[float, float]:
    """The loss of the three clips with known labels, one distance at a time, and its push."""
    pull = far = 0.0
    for i in (0, 1, 3):
        for j in range(2):
            square = math.dist(FEATURES[i].tolist(), CENTRES[j].tolist()) ** 2
            if LABELS[i, j] == 1:
                pull += square
            else:
                far += square
    push = max(0.0, margin - far / (3 * 2))
    return pull / (2 * 3) + weight * push, push


@pytest.mark.parametrize(("margin", "active"), [(10.0, True), (0.001, False)])
def test_matches_the_definition(margin: float, active: bool) -> None:
    expected, push = definition(margin, 0.3)
    assert (push > 0) == active
    value = discriminative_centroids_loss(FEATURES, LABELS, CENTRES, margin=margin, repel_weight=0.3)
    assert value.item() == pytest.approx(expected, rel=1e-12)


def test_attraction_sends_each_centroid_a_damped_gradient() -> None:
    """Divided by 1 + the clips that show the action, 2 for each of both; the value stays."""
    gradients, values = [], []
    for average in (False, True):
        centres = CENTRES.clone().requires_grad_()
        value = discriminative_centroids_loss(FEATURES, LABELS, centres, repel_weight=0.0, average=average)
        value.backward()
        values.append(value)
        assert centres.grad is not None
        gradients.append(centres.grad)
    assert values[0] == values[1]
    torch.testing.assert_close(gradients[1], gradients[0] / 3)


def test_module_owns_centroids() -> None:
    loss = DiscriminativeCentroidsLoss(2, 3, margin=7.0, repel_weight=0.2, average=False)
    numbers: dict[str, Any] = {"margin": 7.0, "repel_weight": 0.2, "average": False}
    value = loss(FEATURES.float(), LABELS)
    torch.testing.assert_close(
        value, discriminative_centroids_loss(FEATURES.float(), LABELS, loss.centres, **numbers)
    )
    value.backward()
    assert loss.centres.grad is not None
    assert loss.centres.grad.any(dim=1).all()


def test_refuses() -> None:
    with pytest.raises(ValueError, match=r"got \(4, 3\), \(4, 2\) and \(5, 3\)"):
        discriminative_centroids_loss(FEATURES, LABELS, torch.zeros(5, 3))


def test_by_hand() -> None:  # own centroid at 5, half of 25; the other at 1: 0.01 times 10 - 1 / 2
    centres = torch.tensor([[0.0, 0.0], [3.0, 3.0]])
    value = discriminative_centroids_loss(torch.tensor([[3.0, 4.0]]), torch.tensor([[1.0, 0.0]]), centres)
    assert value.item() == pytest.approx(12.5 + 0.01 * 9.5)


def test_unknown_clips_are_free() -> None:
    features = FEATURES.clone().requires_grad_()
    value = discriminative_centroids_loss(features[2:3], LABELS[2:3], CENTRES)
    value.backward()
    assert value == 0
    assert features.grad is not None
    assert not features.grad.any()
