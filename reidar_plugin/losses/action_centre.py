"""Multi-label centre loss: every action has a learned centre that draws the features of its block."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reidar_plugin.losses.checks import check_centres, check_choice, in_float32, known_labels, masked_mean
from reidar_plugin.losses.gradient_scale import scale_gradient

__all__ = ["ActionCentreLoss", "action_centre_loss"]

Form = Literal["blocks", "summed"]


@in_float32
def action_centre_loss(hidden: Tensor, labels: Tensor, centres: Tensor, form: Form = "blocks") -> Tensor:
    r"""Squared distance from the features of each action that a clip shows to that action's centre.

    .. math::
        L_{blocks} = \frac{1}{|Y|} \sum_{(i,j) \in Y} \lVert h_{ij} - c_j \rVert_2^2, \qquad
        L_{summed} = \frac{1}{|S|^2} \sum_{i \in S} \Bigl\lVert \sum_j h_{ij} - c_{y_i} \Bigr\rVert_2^2

    :math:`Y` are the pairs of a clip and an action it shows; unknown (NaN) labels are in no pair, and without
    any pair the loss is 0. "blocks" is what the paper means: 3C-Net aggregates a feature for each category
    present and compares it with that category's centre, and here the block of an action has computed that
    feature. "summed" is what the released code does with it: the features of all blocks are added up, clips
    with exactly one action (:math:`S`) alone take part, and the mean is divided by their number once more.

    Reference: Narayan et al., 3C-Net, ICCV 2019; Re-ID-AR, eq. 5.

    Args:
        hidden: features inside the action blocks, ``(B, M, E)``.
        labels: multi-hot, ``(B, M)``, NaN where unknown.
        centres: ``(M, E)``.
        form: as the paper means it, or as released.

    Returns:
        Scalar, float32 (float64 for float64 features).
    """
    if hidden.ndim != 3 or hidden.shape[:2] != labels.shape or len(centres) != hidden.shape[1]:
        raise ValueError(
            "expected hidden (B, M, E), labels (B, M) and centres (M, E), "
            f"got {tuple(hidden.shape)}, {tuple(labels.shape)} and {tuple(centres.shape)}"
        )
    check_centres(hidden, centres)
    check_choice("form", form, ("blocks", "summed"))
    shown = known_labels(labels, hidden)[0] > 0.5  # (B, M)
    if form == "blocks":
        return masked_mean((hidden - centres).square().sum(dim=2), shown)
    alone = shown.sum(dim=1) == 1  # (B,)
    own = F.embedding(shown.int().argmax(dim=1), centres)  # (B, E)
    squares = (hidden.sum(dim=1) - own).square().sum(dim=1)
    return masked_mean(squares, alone) / alone.sum().clamp(min=1)


class ActionCentreLoss(nn.Module):
    """Module form of :func:`action_centre_loss`; owns the centres.

    ``gradient_scale`` multiplies the gradient of the centres alone (see :func:`~.gradient.scale_gradient`).
    """

    def __init__(self, num_actions: int, hidden_dim: int, form: Form = "blocks") -> None:
        super().__init__()
        check_choice("form", form, ("blocks", "summed"))
        self.form = form
        self.gradient_scale = 1.0
        self.centres = nn.Parameter(torch.randn(num_actions, hidden_dim))

    def forward(self, hidden: Tensor, labels: Tensor) -> Tensor:
        return action_centre_loss(
            hidden, labels, scale_gradient(self.centres, self.gradient_scale), self.form
        )
