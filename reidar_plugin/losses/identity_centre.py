"""Centre loss: the clips of each identity are pulled to a learned centre of that identity."""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor

from reidar_plugin.losses.checks import check_centres, check_choice, check_embedding, check_pids, in_float32
from reidar_plugin.losses.learned_centres import LearnedCentres

__all__ = ["IdentityCentreLoss", "identity_centre_loss"]

Reduction = Literal["mean", "half_sum"]


@in_float32
def identity_centre_loss(
    features: Tensor, pids: Tensor, centres: Tensor, reduction: Reduction = "mean"
) -> Tensor:
    r"""Squared distance between each clip and the centre of its identity.

    .. math::
        L_{mean} = \frac{1}{B} \sum_{i=1}^{B} \lVert f_i - c_{y_i} \rVert_2^2, \qquad
        L_{half\_sum} = \frac{1}{2} \sum_{i=1}^{B} \lVert f_i - c_{y_i} \rVert_2^2

    The papers print the half sum with the weight 0.0005 of Luo et al., whose code (like the released code of
    Re-ID-AR) takes the mean; since the weight belongs to the mean, the mean is the default.

    Reference: Wen et al., A Discriminative Feature Learning Approach, ECCV 2016; Re-ID-AR, supplementary
    eq. 4.

    Args:
        features: clip features, ``(B, D)``.
        pids: identity of each clip, ``(B,)``, 0..K-1.
        centres: one centre for each identity, ``(K, D)``.
        reduction: reduction over the batch, "mean" or "half_sum".

    Returns:
        Scalar, float32 (float64 for float64 features).

    Example:
        >>> import torch
        >>> features = torch.tensor([[3.0, 4.0], [0.0, 1.0]])
        >>> identity_centre_loss(features, torch.tensor([0, 1]), centres=torch.zeros(2, 2))
        tensor(13.)
    """
    check_embedding(features, pids)
    check_centres(features, centres)
    check_pids(pids, len(centres))
    check_choice("reduction", reduction, ("mean", "half_sum"))
    squares = (features - F.embedding(pids, centres)).square().sum(dim=1)  # (B,)
    return squares.mean() if reduction == "mean" else squares.sum() / 2


class IdentityCentreLoss(LearnedCentres):
    """Module form of :func:`identity_centre_loss`; it owns the centres."""

    def __init__(self, num_classes: int, feature_dim: int, reduction: Reduction = "mean") -> None:
        super().__init__(num_classes, feature_dim)
        check_choice("reduction", reduction, ("mean", "half_sum"))
        self.reduction = reduction

    def forward(self, features: Tensor, pids: Tensor) -> Tensor:
        return identity_centre_loss(features, pids, self.learning_centres(), self.reduction)
