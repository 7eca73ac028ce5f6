"""Binary cross-entropy weighted by how rare each action is."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reidar_plugin.losses.checks import check_choice, check_labels, class_vector, in_float32, known_labels

__all__ = ["WeightedBinaryCrossEntropy", "weighted_binary_cross_entropy"]


@in_float32
def weighted_binary_cross_entropy(
    logits: Tensor,
    labels: Tensor,
    ratios: Tensor | Sequence[float],
    double_sigmoid: bool = False,
    reduction: str = "sum",
) -> Tensor:
    r"""Binary cross-entropy in which a rare action weighs more where it is present, less where it is not.

    .. math::
        L = -\frac{1}{|V|} \sum_{i \in V} \sum_{j=1}^{M} \omega_{ij}
            \bigl(y_{ij} \log \sigma(z_{ij}) + (1 - y_{ij}) \log(1 - \sigma(z_{ij}))\bigr), \qquad
        \omega_{ij} = \begin{cases} e^{1 - r_j} & y_{ij} = 1 \\ e^{r_j} & y_{ij} = 0 \end{cases}

    :math:`V` are the clips with a known label; unknown (NaN) labels cost nothing, and without any known one
    the loss is 0. The paper's eq. 3 lacks the minus sign. ``double_sigmoid`` is a slip of the released code,
    which takes the sigmoid's output for a logit; its other slip, ratios :math:`1/n_j`, is a matter of what is
    handed in. The sum over actions makes it grow with M; ``reduction="mean"`` takes their mean instead.

    Reference: Li et al., Richly Annotated Pedestrian, ICPR 2015 / ICME 2018; Re-ID-AR, eq. 3 and 4.

    Args:
        logits: ``(B, M)``, before the sigmoid.
        labels: multi-hot, ``(B, M)``, NaN where unknown.
        ratios: r, share of the training samples that show each action, ``(M,)``, in 0..1.
        double_sigmoid: whether a sigmoid is taken before the one in the formula.
        reduction: over the actions, ``sum`` as in the paper or ``mean``.

    Returns:
        Scalar, float32 (float64 for float64 logits).
    """
    check_labels(logits, labels)
    check_choice("reduction", reduction, ("sum", "mean"))
    rate = class_vector(ratios, logits)
    target, known = known_labels(labels, logits)
    scores = logits.sigmoid() if double_sigmoid else logits
    weight = torch.where(target > 0.5, 1 - rate, rate).exp() * known
    cost = F.binary_cross_entropy_with_logits(scores, target, weight, reduction="sum")
    counted = known if reduction == "mean" else known.any(dim=1)
    return cost / counted.sum().clamp(min=1)


class WeightedBinaryCrossEntropy(nn.Module):
    """Module form of :func:`weighted_binary_cross_entropy`."""

    ratios: Tensor

    def __init__(self, ratios: Sequence[float], double_sigmoid: bool = False, reduction: str = "sum") -> None:
        super().__init__()
        if not all(0 <= r <= 1 for r in ratios):
            raise ValueError(f"expected ratios in 0..1, got {list(ratios)}")
        self.register_buffer("ratios", torch.tensor(ratios, dtype=torch.float32), persistent=False)
        check_choice("reduction", reduction, ("sum", "mean"))
        self.double_sigmoid, self.reduction = double_sigmoid, reduction

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        return weighted_binary_cross_entropy(logits, labels, self.ratios, self.double_sigmoid, self.reduction)
