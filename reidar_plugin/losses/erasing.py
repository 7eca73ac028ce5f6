"""Erasing loss: attention on frames that random erasing has changed. VPRFT calls it attention loss."""

from typing import Literal

from torch import Tensor, nn

from reidar_plugin.losses.checks import check_choice, in_float32

__all__ = ["ErasingLoss", "erasing_loss"]

Form = Literal["attention", "scores"]
OverTime = Literal["mean", "sum"]


@in_float32
def erasing_loss(attention: Tensor, erased: Tensor, over_time: OverTime = "mean") -> Tensor:
    r"""Attention that falls on erased frames, averaged over clips.

    .. math::
        L_{mean} = \frac{1}{B} \sum_{i=1}^{B} \frac{1}{T} \sum_{t=1}^{T} e_{it}\, a_{it}, \qquad
        L_{sum} = \frac{1}{B} \sum_{i=1}^{B} \sum_{t=1}^{T} e_{it}\, a_{it}

    Minimising it moves attention away from erased frames, as VPRFT says; the two later papers state in words
    that erased frames *get* a high score, with the same formula. A batch without an erased frame gives 0.

    Reference: VPRFT, eq. 1; Not 3D Re-ID, eq. 12; Re-ID-AR, supplementary eq. 5.

    Args:
        attention: weights of the frames after the softmax, or their scores before it, ``(B, T)``.
        erased: True (or 1) for each erased frame, ``(B, T)``.
        over_time: reduction over the frames of a clip, "mean" or "sum".

    Returns:
        Scalar, float32 (float64 for float64 attention).

    Example:
        >>> import torch
        >>> attention = torch.tensor([[0.25, 0.75], [0.5, 0.5]])
        >>> erasing_loss(attention, erased=torch.tensor([[True, False], [False, False]]))
        tensor(0.0625)
    """
    if attention.ndim != 2 or attention.shape != erased.shape or attention.numel() == 0:
        raise ValueError(
            "expected attention and erased of one shape (B, T) with B, T >= 1, "
            f"got {tuple(attention.shape)} and {tuple(erased.shape)}"
        )
    check_choice("over_time", over_time, ("mean", "sum"))
    on_erased = attention * erased.to(attention.dtype)
    return on_erased.mean() if over_time == "mean" else on_erased.sum(dim=1).mean()


class ErasingLoss(nn.Module):
    """Module form of :func:`erasing_loss`, on the output of the model's temporal attention.

    Args:
        form: "attention" takes the mean over time of the weights after the softmax, as the papers print it;
            "scores" the sum over time of the scores before it, as the released code of VPRFT and Re-ID-AR.
    """

    def __init__(self, form: Form = "attention") -> None:
        super().__init__()
        check_choice("form of the erasing loss", form, ("attention", "scores"))
        self.form = form

    def forward(self, attention: Tensor, scores: Tensor, erased: Tensor) -> Tensor:
        if self.form == "attention":
            return erasing_loss(attention, erased, "mean")
        return erasing_loss(scores, erased, "sum")
