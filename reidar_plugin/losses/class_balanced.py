"""Class-balanced focal loss: actions are weighted by the inverse of their effective number of samples."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from reidar_plugin.losses.checks import (
    check_focus,
    check_fraction,
    check_labels,
    class_vector,
    in_float32,
    known_labels,
)
from reidar_plugin.losses.focal import focal_terms

__all__ = ["ClassBalancedLoss", "class_balanced_loss", "effective_weights"]


def effective_weights(counts: Tensor, beta: float) -> Tensor:
    r"""Weights :math:`w_j \propto (1 - \beta) / (1 - \beta^{n_j})` that sum to M: ``(M,) -> (M,)``.

    An action without a sample gets the weight 0; the weights of the others still sum to M.
    """
    seen = counts > 0
    # expm1 keeps the small difference that 1 - beta ** n loses in float32
    effective = -torch.expm1(counts.clamp(min=1) * (math.log(beta) if beta else -math.inf))
    weights = torch.where(seen, (1 - beta) / effective, 0)
    return weights * (len(counts) / weights.sum())


@in_float32
def class_balanced_loss(
    logits: Tensor, labels: Tensor, counts: Tensor | Sequence[float], beta: float = 0.9999, gamma: float = 2.0
) -> Tensor:
    r"""Focal loss of each clip, weighted by the rarity of the actions that it shows.

    .. math::
        L = -\frac{1}{\sum_{ij} y_{ij}} \sum_i \Bigl(\sum_k w_k y_{ik}\Bigr) \sum_j (1 - p_t)^\gamma \log p_t,
        w_j = \frac{M}{Z} \cdot \frac{1 - \beta}{1 - \beta^{n_j}}

    Z makes the weights sum to M. Unknown (NaN) labels cost nothing; a batch that shows no action gives 0. The
    paper defines the loss for clips with one action; for several, the weights of the actions shown are added.

    Reference: Cui et al., Class-Balanced Loss Based on Effective Number of Samples, CVPR 2019, eq. 10 to 13.

    Args:
        logits: action logits before the sigmoid, ``(B, M)``.
        labels: multi-hot action labels, ``(B, M)``, NaN where unknown.
        counts: n, number of training samples that show each action, ``(M,)``.
        beta: in [0, 1); 0 weighs all actions alike, values close to 1 weigh them by 1 / n.
        gamma: focusing exponent, 0 (plain cross-entropy) or >= 1.

    Returns:
        Scalar, float32 (float64 for float64 logits).

    Example:
        >>> import torch
        >>> logits = torch.tensor([[2.0, -1.0], [0.0, 3.0]])
        >>> labels = torch.tensor([[1.0, 0.0], [torch.nan, 1.0]])
        >>> class_balanced_loss(logits, labels, counts=[60, 5])
        tensor(0.0020)
    """
    check_labels(logits, labels)
    check_focus("gamma", gamma)
    check_fraction("beta", beta)
    weights = effective_weights(class_vector(counts, logits), beta)
    target, known = known_labels(labels, logits)
    costs = torch.where(known, focal_terms(logits, target, gamma), 0).sum(dim=1)  # (B,)
    return ((target @ weights) * costs).sum() / target.sum().clamp(min=1)


class ClassBalancedLoss(nn.Module):
    """Module form of :func:`class_balanced_loss`."""

    counts: Tensor

    def __init__(self, counts: Sequence[float], beta: float = 0.9999, gamma: float = 2.0) -> None:
        super().__init__()
        check_focus("gamma", gamma)
        check_fraction("beta", beta)
        self.register_buffer("counts", torch.tensor(counts, dtype=torch.float32), persistent=False)
        self.beta = beta
        self.gamma = gamma

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        return class_balanced_loss(logits, labels, self.counts, self.beta, self.gamma)
