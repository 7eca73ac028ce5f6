"""Binary cross-entropy over attributes, where each attribute is a group of one-hot columns."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reidar_plugin.losses.checks import check_labels, class_vector, in_float32, known_labels

__all__ = ["AttributeLoss", "attribute_loss", "column_weights"]


def column_weights(groups: Sequence[int]) -> Tensor:
    """Column weights that make every attribute count the same, however many values it has.

    Args:
        groups: number of columns of each attribute, in order, each >= 1; their sum is A.

    Returns:
        float32 ``(A,)``; the weights of each attribute sum to 1.

    Example:
        >>> column_weights([3, 2])
        tensor([0.3333, 0.3333, 0.3333, 0.5000, 0.5000])
    """
    if min(groups, default=0) < 1:
        raise ValueError(f"expected attributes of 1 or more columns each, got groups {list(groups)}")
    return torch.tensor([1 / size for size in groups for _ in range(size)])


@in_float32
def attribute_loss(
    logits: Tensor, labels: Tensor, weights: Tensor | None = None, positive_only: bool = False
) -> Tensor:
    r"""Mean binary cross-entropy of all known attribute columns.

    .. math::
        L = -\frac{1}{\sum_{\Omega} v_j} \sum_{(i,j) \in \Omega} v_j
            \bigl(y_{ij} \log \sigma(z_{ij}) + (1 - y_{ij}) \log(1 - \sigma(z_{ij}))\bigr)

    :math:`\Omega` is the set of known (not NaN) labels; without any the loss is 0. Without ``weights`` every
    column counts the same, which is the mean that the threshold 0.15 in ASA-Net's schedule refers to; with
    :func:`column_weights` every attribute counts the same. ASA-Net prints only the first half of the formula,
    summed (eq. 18), which a network that always answers 1 would minimise; ``positive_only=True`` takes that
    half, still as a mean.

    Reference: ASA-Net, eq. 18; the code of AITL, whose attribute coding ASA-Net uses.

    Args:
        logits: attribute logits before the sigmoid, ``(B, A)``.
        labels: one-hot labels of each attribute, ``(B, A)``, NaN where unknown.
        weights: v, weight of each column, ``(A,)``, > 0; None weighs all columns alike.
        positive_only: leave columns with label 0 out of the sum (but not out of its divisor).

    Returns:
        Scalar, float32 (float64 for float64 logits).

    Example:
        >>> import torch
        >>> logits = torch.tensor([[2.0, -1.0, 0.0]])
        >>> attribute_loss(logits, torch.tensor([[1.0, 0.0, torch.nan]]))
        tensor(0.2201)
    """
    check_labels(logits, labels)
    target, known = known_labels(labels, logits)
    weight = known.to(logits.dtype) if weights is None else class_vector(weights, logits) * known
    if positive_only:
        cost = -(weight * target * F.logsigmoid(logits)).sum()
    else:
        cost = F.binary_cross_entropy_with_logits(logits, target, weight, reduction="sum")
    total = weight.sum()
    return cost / torch.where(total > 0, total, 1)


class AttributeLoss(nn.Module):
    """Module form of :func:`attribute_loss`.

    Args:
        groups: number of columns of each attribute, to weigh them by :func:`column_weights`; None weighs all
            columns alike.
        positive_only: see :func:`attribute_loss`.
    """

    weights: Tensor | None

    def __init__(self, groups: Sequence[int] | None = None, positive_only: bool = False) -> None:
        super().__init__()
        self.register_buffer("weights", column_weights(groups) if groups else None, persistent=False)
        self.positive_only = positive_only

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        return attribute_loss(logits, labels, self.weights, self.positive_only)
