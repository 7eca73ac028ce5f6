"""Asymmetric loss: absent actions are focused harder than present ones, and easy absent ones dropped."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reidar_plugin.losses.checks import check_focus, check_fraction, check_labels, in_float32, known_labels

__all__ = ["AsymmetricLoss", "asymmetric_loss"]


@in_float32
def asymmetric_loss(
    logits: Tensor,
    labels: Tensor,
    gamma_positive: float = 0.0,
    gamma_negative: float = 4.0,
    clip: float = 0.05,
) -> Tensor:
    r"""Focal loss with an exponent for each side and a probability under which an absent action is free.

    .. math::
        L = -\frac{1}{|V|} \sum_{i \in V} \sum_j y_{ij} (1 - p_{ij})^{\gamma_+} \log p_{ij}
            + (1 - y_{ij})\, q_{ij}^{\gamma_-} \log(1 - q_{ij}), \quad
        q_{ij} = \max(p_{ij} - c, 0)

    :math:`V` are the clips with a known label; unknown (NaN) labels cost nothing. The official code sums over
    the batch too; we take its mean, so that the weight of the term does not depend on the batch. The focusing
    factors carry a gradient.

    Reference: Ben-Baruch et al., Asymmetric Loss for Multi-Label Classification, ICCV 2021, eq. 7 (with its
    :math:`\gamma_+ = 0`; the official code's default is 1).

    Args:
        logits: ``(B, M)``, before the sigmoid.
        labels: multi-hot, ``(B, M)``, NaN where unknown.
        gamma_positive: exponent for present actions, 0 or >= 1.
        gamma_negative: exponent for absent actions, 0 or >= 1.
        clip: c, probability of an absent action that costs nothing, in [0, 1).

    Returns:
        Scalar, float32 (float64 for float64 logits).
    """
    check_labels(logits, labels)
    check_focus("gamma_positive", gamma_positive)
    check_focus("gamma_negative", gamma_negative)
    check_fraction("clip", clip)
    target, known = known_labels(labels, logits)
    absent = (-logits).sigmoid()  # 1 - p
    present_cost = -absent.pow(gamma_positive) * F.logsigmoid(logits)
    # 1 - q = min(1 - p + c, 1); without the clip its logarithm is taken where it cannot underflow
    absent_log = (absent + clip).clamp(max=1).log() if clip else F.logsigmoid(-logits)
    absent_cost = -(logits.sigmoid() - clip).clamp(min=0).pow(gamma_negative) * absent_log
    costs = torch.where(target > 0.5, present_cost, absent_cost)
    return torch.where(known, costs, 0).sum() / known.any(dim=1).sum().clamp(min=1)


class AsymmetricLoss(nn.Module):
    """Module form of :func:`asymmetric_loss`."""

    def __init__(self, gamma_positive: float = 0.0, gamma_negative: float = 4.0, clip: float = 0.05) -> None:
        super().__init__()
        check_focus("gamma_positive", gamma_positive)
        check_focus("gamma_negative", gamma_negative)
        check_fraction("clip", clip)
        self.gamma_positive = gamma_positive
        self.gamma_negative = gamma_negative
        self.clip = clip

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        return asymmetric_loss(logits, labels, self.gamma_positive, self.gamma_negative, self.clip)
