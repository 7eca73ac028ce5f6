"""Binary cross-entropy over actions, each on its own."""

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

    :math:`\Omega` are the labels that are known (not NaN); without any the loss is 0 and so is its gradient.

    Reference: Re-ID-AR, eq. 2.

    Args:
        logits: ``(B, M)``, before the sigmoid.
        labels: multi-hot, ``(B, M)``, NaN where unknown.

    Returns:
        Scalar, float32 (float64 for float64 logits).
    """
    check_labels(logits, labels)
    target, known = known_labels(labels, logits)
    return masked_mean(F.binary_cross_entropy_with_logits(logits, target, reduction="none"), known)


class BinaryCrossEntropy(nn.Module):
    """Module form of :func:`binary_cross_entropy`."""

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        return binary_cross_entropy(logits, labels)
