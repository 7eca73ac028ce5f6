"""Cross-entropy with label smoothing, the identity classification loss."""

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
    r"""Cross-entropy with smoothed targets.

    .. math::
        L = -\frac{1}{B} \sum_{i=1}^{B} \sum_{k=1}^{K} q_{ik} \log p_{ik}, \qquad
        q_{ik} = (1 - \varepsilon)\,[k = y_i] + \frac{\varepsilon}{n}

    With ``spread="classes"``, :math:`n = K`, as in the papers and in torch. With ``spread="batch"``,
    :math:`n = B`, a slip of the released Re-ID-AR code: where K > B the targets then sum to more than 1, which
    is a much stronger smoothing (0.52 instead of 0.1 for 625 classes and 64 clips, after rescaling).

    Reference: Szegedy et al., Rethinking the Inception Architecture, CVPR 2016; Re-ID-AR, supplementary eq. 1
    and 2.

    Args:
        logits: identity logits, ``(B, K)``.
        pids: identity of each clip, ``(B,)``, 0..K-1.
        epsilon: probability mass taken from the true class, in [0, 1); 0 is plain cross-entropy.
        spread: the mass is divided by the number of "classes" or by the size of the "batch".

    Returns:
        Scalar, float32 (float64 for float64 logits).

    Example:
        >>> import torch
        >>> logits = torch.tensor([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
        >>> smoothed_cross_entropy(logits, torch.tensor([0, 1]))
        tensor(0.3729)
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
