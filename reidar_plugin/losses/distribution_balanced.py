"""Distribution-balanced loss: weights that undo the imbalance of sampling, and tolerance for absent actions."""

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
    r"""Focal loss with re-balanced weights and a softened cost of absent actions.

    .. math::
        L &= \frac{s}{|\Omega|} \sum_{(i,j) \in \Omega} w_{ij} \begin{cases}
            (1 - \sigma(z'_{ij}))^\gamma \, \log(1 + e^{-z'_{ij}}) & y_{ij} = 1 \\
            \sigma(\lambda z'_{ij})^\gamma \, \tfrac{1}{\lambda} \log(1 + e^{\lambda z'_{ij}}) & y_{ij} = 0
            \end{cases} \\
        z'_{ij} &= z_{ij} - \tfrac{\kappa}{\lambda} \log(N / n_j - 1), \qquad
        w_{ij} = \alpha + \sigma(\beta (r_{ij} - \mu)), \qquad
        r_{ij} = \frac{1 / n_j}{\sum_k y_{ik} / n_k}

    :math:`\Omega` is the set of known (not NaN) labels; without any the loss is 0. A clip that shows no action
    has :math:`r = \infty` and so the largest weight, as in the official code.

    Reference: Wu et al., Distribution-Balanced Loss, ECCV 2020; the defaults are those of its COCO-MLT config.

    Args:
        logits: action logits before the sigmoid, ``(B, M)``.
        labels: multi-hot action labels, ``(B, M)``, NaN where unknown.
        counts: n, number of training samples that show each action, ``(M,)``, each in 0 < n < total.
        total: N, number of training samples with known labels.
        floor: :math:`\alpha`, the least weight of a label.
        slope: :math:`\beta`, steepness of the weight over r.
        middle: :math:`\mu`, value of r at which the weight is halfway.
        bias: :math:`\kappa`, how far logits are shifted by the log-odds of their action.
        tolerance: :math:`\lambda` > 0, how much flatter the cost of absent actions is.
        gamma: focusing exponent, 0 or >= 1.
        scale: s, factor on the whole loss.

    Returns:
        Scalar, float32 (float64 for float64 logits).

    Example:
        >>> import torch
        >>> logits = torch.tensor([[2.0, -1.0], [0.0, 3.0]])
        >>> labels = torch.tensor([[1.0, 0.0], [torch.nan, 1.0]])
        >>> distribution_balanced_loss(logits, labels, counts=[60, 5], total=100)
        tensor(0.0018)
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
