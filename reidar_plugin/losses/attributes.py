"""Binary cross-entropy over attributes, each of which is a group of one-hot columns."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reidar_plugin.losses.checks import check_labels, class_vector, in_float32, known_labels

__all__ = ["AttributeLoss", "attribute_loss", "column_weights"]


def column_weights(groups: Sequence[int]) -> Tensor:
    """Weights with which every attribute counts the same, however many values it has: ``(A,)``.

    Args:
        groups: number of columns of each attribute, in order, each >= 1; their sum is A.
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

    :math:`\Omega` are the columns that are known (not NaN) of each clip; without any the loss is 0. Without
    ``weights`` every column counts the same, the mean that the threshold 0.15 of ASA-Net's schedule speaks
    of; with those of :func:`column_weights` every attribute does. ASA-Net prints the first half of the
    formula alone, summed (eq. 18), which a network that always says yes would minimise;
    ``positive_only=True`` takes that half, still as a mean.

    Reference: ASA-Net, eq. 18; AITL's code, whose attribute coding it uses.

    Args:
        logits: ``(B, A)``, before the sigmoid.
        labels: one-hot for each attribute, ``(B, A)``, NaN where unknown.
        weights: v, ``(A,)``, > 0.
        positive_only: whether columns that are 0 are left out of the sum (not of its divisor).

    Returns:
        Scalar, float32 (float64 for float64 logits).
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
    """Module form of :func:`attribute_loss`; ``groups`` are those of :func:`column_weights`."""

    weights: Tensor | None

    def __init__(self, groups: Sequence[int] | None = None, positive_only: bool = False) -> None:
        super().__init__()
        self.register_buffer("weights", column_weights(groups) if groups else None, persistent=False)
        self.positive_only = positive_only

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        return attribute_loss(logits, labels, self.weights, self.positive_only)
