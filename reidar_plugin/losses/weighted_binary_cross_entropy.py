"""Binary cross-entropy weighted by the frequency of each action."""

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
    r"""Binary cross-entropy in which a rare action weighs more where it is present and less where it is absent.

    .. math::
        L = -\frac{1}{|V|} \sum_{i \in V} \sum_{j=1}^{M} \omega_{ij}
            \bigl(y_{ij} \log \sigma(z_{ij}) + (1 - y_{ij}) \log(1 - \sigma(z_{ij}))\bigr), \qquad
        \omega_{ij} = \begin{cases} e^{1 - r_j} & y_{ij} = 1 \\ e^{r_j} & y_{ij} = 0 \end{cases}

    :math:`V` is the set of clips with a known label; unknown (NaN) labels cost nothing, and without any known
    label the loss is 0. Eq. 3 of the paper lacks the minus sign. ``double_sigmoid`` repeats a slip of the
    released code, which applies a second sigmoid to probabilities; its other slip, ratios :math:`1/n_j`, can be
    repeated by passing such ratios. The sum over actions grows with M; ``reduction="mean"`` takes their mean instead.

    Reference: Li et al., Richly Annotated Pedestrian, ICPR 2015 / ICME 2018; Re-ID-AR, eq. 3 and 4.

    Args:
        logits: action logits before the sigmoid, ``(B, M)``.
        labels: multi-hot action labels, ``(B, M)``, NaN where unknown.
        ratios: r, share of the training samples that show each action, ``(M,)``, in 0..1.
        double_sigmoid: apply a sigmoid to the logits before the one in the formula.
        reduction: how the actions of a clip are added up, ``sum`` as in the paper or ``mean``.

    Returns:
        Scalar, float32 (float64 for float64 logits).

    Example:
        >>> import torch
        >>> logits = torch.tensor([[2.0, -1.0], [0.0, 3.0]])
        >>> labels = torch.tensor([[1.0, 0.0], [torch.nan, 1.0]])
        >>> weighted_binary_cross_entropy(logits, labels, ratios=[0.6, 0.05])
        tensor(0.3222)
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
