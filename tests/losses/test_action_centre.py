import math

import pytest
import torch

from reidar_plugin.losses import ActionCentreLoss, action_centre_loss

NAN = math.nan
GENERATOR = torch.Generator().manual_seed(0)
HIDDEN = torch.randn(5, 3, 4, generator=GENERATOR, dtype=torch.float64)
CENTRES = torch.randn(3, 4, generator=GENERATOR, dtype=torch.float64)
LABELS = torch.tensor([[1, 0, 0], [0, 1, 1], [NAN, NAN, NAN], [0, 0, 0], [0, 0, 1]], dtype=torch.float64)


def square(a: list[float], b: list[float]) -> float:
    return sum((x - y) ** 2 for x, y in zip(a, b, strict=True))


def blocks() -> list[float]:
    """The squared distance of each block whose action its clip shows."""
    return [
        square(HIDDEN[i, j].tolist(), CENTRES[j].tolist())
        for i, row in enumerate(LABELS.tolist())
        for j, y in enumerate(row)
        if y == 1
    ]


def summed() -> list[float]:
    """As released: one vector a clip, from all blocks; only clips with exactly one action."""
    found = []
    for clip, row in zip(HIDDEN.tolist(), LABELS.tolist(), strict=True):
        if row.count(1.0) == 1:
            vector = [sum(values) for values in zip(*clip, strict=True)]
            found.append(square(vector, CENTRES[row.index(1.0)].tolist()))
    return found


def test_matches_the_definition() -> None:
    pairs = blocks()
    assert len(pairs) == 4
    value = action_centre_loss(HIDDEN, LABELS, CENTRES)
    assert value.item() == pytest.approx(sum(pairs) / 4, rel=1e-12)


def test_released_form_matches_the_definition() -> None:
    clips = summed()
    assert len(clips) == 2
    value = action_centre_loss(HIDDEN, LABELS, CENTRES, "summed")
    assert value.item() == pytest.approx(sum(clips) / 2 / 2, rel=1e-12)


def test_only_blocks_of_shown_actions_learn() -> None:
    hidden = HIDDEN.clone().requires_grad_()
    action_centre_loss(hidden, LABELS, CENTRES).backward()
    assert hidden.grad is not None
    assert torch.equal(hidden.grad.any(dim=2), LABELS == 1)


def test_module_owns_centres_that_learn() -> None:
    loss = ActionCentreLoss(3, 4)
    value = loss(HIDDEN.float(), LABELS[:1].expand(5, 3))
    torch.testing.assert_close(
        value, action_centre_loss(HIDDEN.float(), LABELS[:1].expand(5, 3), loss.centres)
    )
    value.backward()
    assert loss.centres.grad is not None
    assert loss.centres.grad.any(dim=1).tolist() == [True, False, False]


def test_refuses() -> None:
    with pytest.raises(ValueError, match=r"got \(5, 3, 4\), \(5, 2\) and \(3, 4\)"):
        action_centre_loss(HIDDEN, LABELS[:, :2], CENTRES)
    with pytest.raises(ValueError, match=r"\(K, 4\).*got \(3, 2\)"):
        action_centre_loss(HIDDEN, LABELS, CENTRES[:, :2])
    with pytest.raises(ValueError, match="'mean'; choose one of 'blocks', 'summed'"):
        ActionCentreLoss(3, 4, "mean")  # type: ignore[arg-type]


def test_by_hand() -> None:  # 3-4-5 for the action shown; the other block and the unknown clip cost nothing
    hidden = torch.tensor([[[3.0, 4.0], [9.0, 9.0]], [[5.0, 5.0], [5.0, 5.0]]])
    labels = torch.tensor([[1.0, 0.0], [NAN, NAN]])
    assert action_centre_loss(hidden, labels, torch.zeros(2, 2)) == 25
    summed = action_centre_loss(hidden, labels, torch.tensor([[12.0, 9.0], [0.0, 0.0]]), "summed")
    assert summed == 16  # (12, 13) to (12, 9)
