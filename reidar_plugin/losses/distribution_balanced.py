"""Distribution-balanced loss: weights that undo sampling, and tolerance for absent actions."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reidar_plugin.losses.checks import (
    check_focus,
    check_labels,
    class_vector,
    in_float32,
    known_labels,
    masked_mean,
)

__all__ = ["DistributionBalancedLoss", "distribution_balanced_loss"]


@in_float32
def distribution_balanced_loss(
    logits: Tensor,
    labels: Tensor,
    counts: Tensor | Sequence[float],
    total: float,
    *,
    floor: float = 0.1,
    slope: float = 10.0,
    middle: float = 0.2,
    bias: float = 0.05,
    tolerance: float = 2.0,
    gamma: float = 2.0,
    scale: float = 2.0,
) -> Tensor:
    r"""Rebalanced, negative-tolerant focal loss.

    .. math::
        L &= \frac{s}{|\Omega|} \sum_{(i,j) \in \Omega} w_{ij} \begin{cases}
            (1 - \sigma(z'_{ij}))^\gamma \, \log(1 + e^{-z'_{ij}}) & y_{ij} = 1 \\
            \sigma(\lambda z'_{ij})^\gamma \, \tfrac{1}{\lambda} \log(1 + e^{\lambda z'_{ij}}) & y_{ij} = 0
            \end{cases} \\
        z'_{ij} &= z_{ij} - \tfrac{\kappa}{\lambda} \log(N / n_j - 1), \qquad
        w_{ij} = \alpha + \sigma(\beta (r_{ij} - \mu)), \qquad
        r_{ij} = \frac{1 / n_j}{\sum_k y_{ik} / n_k}

    :math:`\Omega` are the known labels; without any the loss is 0. A clip that shows no action has :math:`r =
    \infty`, so the largest weight, as in the official code.

    Reference: Wu et al., Distribution-Balanced Loss, ECCV 2020; the numbers are those of its COCO-MLT config.

    Args:
        logits: ``(B, M)``, before the sigmoid.
        labels: multi-hot, ``(B, M)``, NaN where unknown.
        counts: n, training samples that show each action, ``(M,)``, each in 0 < n < total.
        total: N, training samples with known labels.
        floor: :math:`\alpha`.
        slope: :math:`\beta`.
        middle: :math:`\mu`.
        bias: :math:`\kappa`.
        tolerance: :math:`\lambda`, > 0.
        gamma: 0, or >= 1.
        scale: s.

    Returns:
        Scalar, float32 (float64 for float64 logits).
    """
    check_labels(logits, labels)
    check_focus("gamma", gamma)
    count = class_vector(counts, logits)
    target, known = known_labels(labels, logits)
    ratio = (1 / count) / (target @ (1 / count))[:, None]  # (B, M)
    weight = floor + (slope * (ratio - middle)).sigmoid()
    shifted = logits - bias / tolerance * (total / count - 1).log()
    signed = torch.where(target > 0.5, shifted, -tolerance * shifted)
    cost = weight * (-signed).sigmoid().pow(gamma) * F.softplus(-signed)
    return scale * masked_mean(torch.where(target > 0.5, cost, cost / tolerance), known)


class DistributionBalancedLoss(nn.Module):
    """Module form of :func:`distribution_balanced_loss`."""

    counts: Tensor

    def __init__(
        self,
        counts: Sequence[float],
        total: float,
        *,
        floor: float = 0.1,
        slope: float = 10.0,
        middle: float = 0.2,
        bias: float = 0.05,
        tolerance: float = 2.0,
        gamma: float = 2.0,
        scale: float = 2.0,
    ) -> None:
        super().__init__()
        check_focus("gamma", gamma)
        if tolerance <= 0:
            raise ValueError(f"tolerance must be > 0, got {tolerance}")
        odd = {action: count for action, count in enumerate(counts) if not 0 < count < total}
        if odd:
            raise ValueError(
                f"distribution-balanced loss needs each action in some but not all of the {total:g} samples, "
                f"got counts {odd} by action; merge those actions or choose another loss"
            )
        self.register_buffer("counts", torch.tensor(counts, dtype=torch.float32), persistent=False)
        self.total = total
        self.numbers = {
            "floor": floor,
            "slope": slope,
            "middle": middle,
            "bias": bias,
            "tolerance": tolerance,
            "gamma": gamma,
            "scale": scale,
        }

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        return distribution_balanced_loss(logits, labels, self.counts, self.total, **self.numbers)
