"""Focal loss: binary cross-entropy with a small weight on labels that are already predicted well."""

import torch.nn.functional as F
from torch import Tensor, nn

from reidar_plugin.losses.checks import check_focus, check_labels, in_float32, known_labels, masked_mean

__all__ = ["FocalLoss", "focal_loss", "focal_terms"]


def focal_terms(logits: Tensor, target: Tensor, gamma: float) -> Tensor:
    r"""The focal cost :math:`-(1 - p_t)^\gamma \log p_t` of each logit, not reduced: ``(B, M) -> (B, M)``.

    :math:`p_t` is the predicted probability of the label: :math:`\sigma(z)` for 1 and :math:`\sigma(-z)` for 0.
    """
    signed = logits * (2 * target - 1)
    return -(-signed).sigmoid().pow(gamma) * F.logsigmoid(signed)


@in_float32
def focal_loss(logits: Tensor, labels: Tensor, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    r"""Binary cross-entropy in which well-predicted labels weigh little.

    .. math::
        L = -\frac{1}{|\Omega|} \sum_{(i,j) \in \Omega} \alpha_t (1 - p_t)^\gamma \log p_t, \qquad
        (p_t, \alpha_t) = \begin{cases} (p, \alpha) & y = 1 \\ (1 - p, 1 - \alpha) & y = 0 \end{cases}

    :math:`\Omega` is the set of known (not NaN) labels; without any the loss is 0. With ``gamma=0, alpha=0.5``
    it is half the binary cross-entropy.

    Reference: Lin et al., Focal Loss for Dense Object Detection, ICCV 2017, eq. 5. The paper divides by the
    number of positive anchors of a detector; here the mean is over all known labels.

    Args:
        logits: action logits before the sigmoid, ``(B, M)``.
        labels: multi-hot action labels, ``(B, M)``, NaN where unknown.
        alpha: weight of a present action, in [0, 1]; an absent one weighs 1 - alpha.
        gamma: focusing exponent, 0 or >= 1; the larger, the less a well-predicted label weighs.

    Returns:
        Scalar, float32 (float64 for float64 logits).

    Example:
        >>> import torch
        >>> logits = torch.tensor([[2.0, -1.0], [0.0, 3.0]])
        >>> labels = torch.tensor([[1.0, 0.0], [torch.nan, 1.0]])
        >>> focal_loss(logits, labels)
        tensor(0.0058)
    """
    check_labels(logits, labels)
    check_focus("gamma", gamma)
    target, known = known_labels(labels, logits)
    side = alpha * target + (1 - alpha) * (1 - target)
    return masked_mean(side * focal_terms(logits, target, gamma), known)


class FocalLoss(nn.Module):
    """Module form of :func:`focal_loss`."""

    def __init__(self, alpha: float = 0.25, gamma: float = 2.0) -> None:
        super().__init__()
        check_focus("gamma", gamma)
        if not 0 <= alpha <= 1:
            raise ValueError(f"alpha must be in 0..1, got {alpha}")
        self.alpha = alpha
        self.gamma = gamma

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        return focal_loss(logits, labels, self.alpha, self.gamma)
