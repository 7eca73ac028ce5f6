"""Centre loss: every identity has a learned centre, and its clips are drawn to it."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reidar_plugin.losses.checks import check_centres, check_choice, check_embedding, check_pids, in_float32
from reidar_plugin.losses.gradient_scale import scale_gradient

__all__ = ["IdentityCentreLoss", "identity_centre_loss"]

Reduction = Literal["mean", "half_sum"]


@in_float32
def identity_centre_loss(
    features: Tensor, pids: Tensor, centres: Tensor, reduction: Reduction = "mean"
) -> Tensor:
    r"""Squared distance from each clip to the centre of its identity.

    .. math::
        L_{mean} = \frac{1}{B} \sum_{i=1}^{B} \lVert f_i - c_{y_i} \rVert_2^2, \qquad
        L_{half\_sum} = \frac{1}{2} \sum_{i=1}^{B} \lVert f_i - c_{y_i} \rVert_2^2

    The papers print the half sum and weigh it with 0.0005 "following the suggestion of" Luo et al., whose
    code, like the released one of Re-ID-AR, takes the mean: the mean is what that weight belongs to, and the
    default.

    Reference: Wen et al., A Discriminative Feature Learning Approach, ECCV 2016; Re-ID-AR, supplementary eq.
    4.

    Args:
        features: clip features, ``(B, D)``.
        pids: identity of each clip, ``(B,)``, 0..K-1.
        centres: ``(K, D)``.
        reduction: over the batch.

    Returns:
        Scalar, float32 (float64 for float64 features).
    """
    check_embedding(features, pids)
    check_centres(features, centres)
    check_pids(pids, len(centres))
    check_choice("reduction", reduction, ("mean", "half_sum"))
    squares = (features - F.embedding(pids, centres)).square().sum(dim=1)  # (B,)
    return squares.mean() if reduction == "mean" else squares.sum() / 2


class IdentityCentreLoss(nn.Module):
    """Module form of :func:`identity_centre_loss`; owns the centres.

    ``gradient_scale`` multiplies the gradient of the centres alone (see :func:`~.gradient.scale_gradient`).
    """

    def __init__(self, num_classes: int, feature_dim: int, reduction: Reduction = "mean") -> None:
        super().__init__()
        check_choice("reduction", reduction, ("mean", "half_sum"))
        self.reduction = reduction
        self.gradient_scale = 1.0
        self.centres = nn.Parameter(torch.randn(num_classes, feature_dim))

    def learning_centres(self) -> Tensor:
        """The centres ``(K, D)`` as losses should read them, their gradient scaled."""
        return scale_gradient(self.centres, self.gradient_scale)

    def forward(self, features: Tensor, pids: Tensor) -> Tensor:
        return identity_centre_loss(features, pids, self.learning_centres(), self.reduction)
