import pytest
import torch

from reidar_plugin.losses import ErasingLoss, erasing_loss

SCORES = torch.randn(3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64).relu()
ERASED = torch.tensor([[1, 0, 0, 1], [0, 0, 0, 0], [1, 1, 1, 0]], dtype=torch.bool)


def definition(attention: list[list[float]], erased: list[list[bool]], mean: bool) -> float:
    """Supplementary equation 5, one frame at a time."""
    total = 0.0
    for weights, flags in zip(attention, erased, strict=True):
        clip = sum(a for a, flag in zip(weights, flags, strict=True) if flag)
        total += clip / len(weights) if mean else clip
    return total / len(attention)


@pytest.mark.parametrize("mean", [True, False], ids=["mean", "sum"])
def test_matches_the_definition(mean: bool) -> None:
    value = erasing_loss(SCORES, ERASED, "mean" if mean else "sum")
    assert value.item() == pytest.approx(definition(SCORES.tolist(), ERASED.tolist(), mean), rel=1e-12)
    assert value > 0


def test_by_hand() -> None:  # a quarter of the attention on the one erased frame of two clips of two
    attention = torch.tensor([[0.25, 0.75], [0.5, 0.5]])
    erased = torch.tensor([[True, False], [False, False]])
    assert erasing_loss(attention, erased).item() == pytest.approx(0.25 / 4)
    assert erasing_loss(attention, erased, "sum").item() == pytest.approx(0.25 / 2)


def test_forms_read_after_and_before_the_softmax() -> None:
    attention = SCORES.softmax(dim=1)
    assert ErasingLoss("attention")(attention, SCORES, ERASED) == erasing_loss(attention, ERASED, "mean")
    assert ErasingLoss("scores")(attention, SCORES, ERASED) == erasing_loss(SCORES, ERASED, "sum")


def test_a_step_takes_attention_from_erased_frames() -> None:
    scores = SCORES.clone().requires_grad_()
    erasing_loss(scores.softmax(dim=1), ERASED).backward()
    assert scores.grad is not None
    stepped = (SCORES - scores.grad).softmax(dim=1)
    for clip in (0, 2):  # clip 1 has no erased frame
        assert stepped[clip][ERASED[clip]].sum() < SCORES[clip].softmax(dim=0)[ERASED[clip]].sum()
    assert not scores.grad[1].any()


def test_without_an_erased_frame_it_is_free() -> None:
    assert erasing_loss(SCORES, torch.zeros(3, 4, dtype=torch.bool)) == 0


def test_refuses() -> None:
    with pytest.raises(ValueError, match=r"got \(3, 4\) and \(3, 5\)"):
        erasing_loss(SCORES, torch.zeros(3, 5, dtype=torch.bool))
    with pytest.raises(ValueError, match="'max'; choose one of 'mean', 'sum'"):
        erasing_loss(SCORES, ERASED, "max")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'logits'; choose one of 'attention', 'scores'"):
        ErasingLoss("logits")  # type: ignore[arg-type]
