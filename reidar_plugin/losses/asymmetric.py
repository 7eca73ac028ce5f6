"""Asymmetric loss: a focal loss with its own exponent for present and absent actions; easy absent ones are free."""

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
    r"""Focal loss with one exponent for present and one for absent actions; unlikely absent actions cost nothing.

    .. math::
        L = -\frac{1}{|V|} \sum_{i \in V} \sum_j y_{ij} (1 - p_{ij})^{\gamma_+} \log p_{ij}
            + (1 - y_{ij})\, q_{ij}^{\gamma_-} \log(1 - q_{ij}), \quad
        q_{ij} = \max(p_{ij} - c, 0)

    :math:`V` is the set of clips with a known label; unknown (NaN) labels cost nothing, and without any known
    label the loss is 0. The official code sums over the batch; here it is the mean over clips, so that the
    weight of the term does not depend on the batch size. The gradient flows through the focusing factors too.

    Reference: Ben-Baruch et al., Asymmetric Loss for Multi-Label Classification, ICCV 2021, eq. 7 (with its
    :math:`\gamma_+ = 0`; the official code's default is 1).

    Args:
        logits: action logits before the sigmoid, ``(B, M)``.
        labels: multi-hot action labels, ``(B, M)``, NaN where unknown.
        gamma_positive: focusing exponent of present actions, 0 or >= 1.
        gamma_negative: focusing exponent of absent actions, 0 or >= 1.
        clip: c, an absent action with a probability up to this value costs nothing; in [0, 1).

    Returns:
        Scalar, float32 (float64 for float64 logits).

    Example:
        >>> import torch
        >>> logits = torch.tensor([[2.0, -1.0], [0.0, 3.0]])
        >>> labels = torch.tensor([[1.0, 0.0], [torch.nan, 1.0]])
        >>> asymmetric_loss(logits, labels)
        tensor(0.0880)
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
