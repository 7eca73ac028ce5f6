"""Binary cross-entropy over actions that may be partly unknown."""

import torch.nn.functional as F
from torch import Tensor, nn

from reidar_plugin.losses.checks import check_labels, in_float32, known_labels, masked_mean

__all__ = ["BinaryCrossEntropy", "binary_cross_entropy"]


@in_float32
def binary_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    r"""Mean binary cross-entropy of all known labels.

    .. math::
        L = -\frac{1}{|\Omega|} \sum_{(i,j) \in \Omega}
            y_{ij} \log \sigma(z_{ij}) + (1 - y_{ij}) \log(1 - \sigma(z_{ij}))

    :math:`\Omega` is the set of known (not NaN) labels; without any, the loss and its gradient are 0.

    Reference: Re-ID-AR, eq. 2.

    Args:
        logits: action logits before the sigmoid, ``(B, M)``.
        labels: multi-hot action labels, ``(B, M)``, NaN where unknown.

    Returns:
        Scalar, float32 (float64 for float64 logits).

    Example:
        >>> import torch
        >>> logits = torch.tensor([[2.0, -1.0], [0.0, 3.0]])
        >>> labels = torch.tensor([[1.0, 0.0], [torch.nan, 1.0]])
        >>> binary_cross_entropy(logits, labels)
        tensor(0.1629)
    """
    check_labels(logits, labels)
    target, known = known_labels(labels, logits)
    return masked_mean(F.binary_cross_entropy_with_logits(logits, target, reduction="none"), known)


class BinaryCrossEntropy(nn.Module):
    """Module form of :func:`binary_cross_entropy`."""

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        return binary_cross_entropy(logits, labels)
