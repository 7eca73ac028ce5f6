import copy

import pytest
import torch

from reidar_plugin.losses import IdentityCentreLoss, identity_centre_loss

GENERATOR = torch.Generator().manual_seed(17)
FEATURES = torch.randn(5, 3, generator=GENERATOR, dtype=torch.float64)
CENTRES = torch.randn(4, 3, generator=GENERATOR, dtype=torch.float64)
PIDS = [2, 0, 2, 3, 0]


def definition(features: list[list[float]], pids: list[int], centres: list[list[float]]) -> float:
    """The sum of supplementary equation 4, before its 1/2."""
    return sum(
        (x - c) ** 2
        for feature, pid in zip(features, pids, strict=True)
        for x, c in zip(feature, centres[pid], strict=True)
    )


def test_matches_the_definition() -> None:
    total = definition(FEATURES.tolist(), PIDS, CENTRES.tolist())
    pids = torch.tensor(PIDS)
    assert identity_centre_loss(FEATURES, pids, CENTRES).item() == pytest.approx(total / 5, rel=1e-12)
    half = identity_centre_loss(FEATURES, pids, CENTRES, "half_sum")
    assert half.item() == pytest.approx(total / 2, rel=1e-12)


def test_by_hand() -> None:  # 3-4-5
    assert identity_centre_loss(torch.tensor([[3.0, 4.0]]), torch.tensor([0]), torch.zeros(1, 2)) == 25


def test_centres_without_a_clip_rest() -> None:
    loss = IdentityCentreLoss(4, 3)
    loss(FEATURES.float(), torch.tensor(PIDS)).backward()
    assert loss.centres.grad is not None
    assert loss.centres.grad.any(dim=1).tolist() == [True, False, True, True]


def test_a_whole_step_of_half_a_sum_is_the_mean_of_the_class() -> None:
    """With the plain sum of one class, a step of 1 / clips brings the centre to their mean."""
    loss = IdentityCentreLoss(1, 3, "half_sum")
    loss(FEATURES.float(), torch.zeros(5, dtype=torch.long)).backward()
    torch.optim.SGD([loss.centres], lr=1 / 5).step()
    torch.testing.assert_close(loss.centres[0], FEATURES.float().mean(dim=0))


def test_gradient_scale_is_for_the_centres_alone() -> None:
    plain, scaled = IdentityCentreLoss(4, 3), IdentityCentreLoss(4, 3)
    scaled.load_state_dict(plain.state_dict())
    scaled.gradient_scale = 2000.0
    scaled = copy.deepcopy(scaled)
    gradients = []
    for loss in (plain, scaled):
        features = FEATURES.float().requires_grad_()
        loss(features, torch.tensor(PIDS)).backward()
        assert features.grad is not None
        assert loss.centres.grad is not None
        gradients.append((features.grad, loss.centres.grad))
    torch.testing.assert_close(gradients[1][0], gradients[0][0])
    torch.testing.assert_close(gradients[1][1], 2000 * gradients[0][1])


def test_refuses() -> None:
    pids = torch.tensor(PIDS)
    with pytest.raises(ValueError, match=r"pids in 0\.\.2 \(3 classes\), got 0\.\.3"):
        identity_centre_loss(FEATURES, pids, CENTRES[:3])
    with pytest.raises(ValueError, match=r"\(K, 3\) for features \(5, 3\), got \(4, 2\)"):
        identity_centre_loss(FEATURES, pids, CENTRES[:, :2])
    with pytest.raises(ValueError, match="'sum'; choose one of 'mean', 'half_sum'"):
        IdentityCentreLoss(4, 3, "sum")  # type: ignore[arg-type]
