"""Cross-entropy with label smoothing: the identity loss."""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from reidar_plugin.losses.checks import (
    check_choice,
    check_embedding,
    check_fraction,
    check_pids,
    in_float32,
)

__all__ = ["SmoothedCrossEntropy", "smoothed_cross_entropy"]

Spread = Literal["classes", "batch"]


@in_float32
def smoothed_cross_entropy(
    logits: Tensor, pids: Tensor, epsilon: float = 0.1, spread: Spread = "classes"
) -> Tensor:
    r"""Cross-entropy with a target that is a little unsure.

    .. math::
        L = -\frac{1}{B} \sum_{i=1}^{B} \sum_{k=1}^{K} q_{ik} \log p_{ik}, \qquad
        q_{ik} = (1 - \varepsilon)\,[k = y_i] + \frac{\varepsilon}{n}

    With ``spread="classes"``, :math:`n = K`, as the papers write it and torch computes it. With
    ``spread="batch"``, :math:`n = B`, the slip of the released Re-ID-AR code: the target then sums to more
    than 1 wherever K > B, which is a much stronger smoothing (0.52 in place of 0.1 for 625 classes and 64
    clips, after rescaling).

    Reference: Szegedy et al., Rethinking the Inception Architecture, CVPR 2016; Re-ID-AR, supplementary eq. 1
    and 2.

    Args:
        logits: identity logits, ``(B, K)``.
        pids: identity of each clip, ``(B,)``, 0..K-1.
        epsilon: mass taken from the true class, 0 <= epsilon < 1; 0 is plain cross-entropy.
        spread: what the mass is divided by.

    Returns:
        Scalar, float32 (float64 for float64 logits).
    """
    check_embedding(logits, pids)
    check_pids(pids, logits.shape[1])
    check_choice("spread", spread, ("classes", "batch"))
    check_fraction("epsilon", epsilon)
    if spread == "classes":
        return F.cross_entropy(logits, pids, label_smoothing=epsilon)
    logs = F.log_softmax(logits, dim=1)
    return (1 - epsilon) * F.nll_loss(logs, pids) - epsilon / len(pids) * logs.sum(dim=1).mean()


class SmoothedCrossEntropy(nn.Module):
    """Module form of :func:`smoothed_cross_entropy`."""

    def __init__(self, epsilon: float = 0.1, spread: Spread = "classes") -> None:
        super().__init__()
        check_choice("spread", spread, ("classes", "batch"))
        check_fraction("epsilon", epsilon)
        self.epsilon = epsilon
        self.spread = spread

    def forward(self, logits: Tensor, pids: Tensor) -> Tensor:
        return smoothed_cross_entropy(logits, pids, self.epsilon, self.spread)
