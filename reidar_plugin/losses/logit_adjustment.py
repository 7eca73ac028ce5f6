"""Logit adjustment: in training, the log-odds of each action are added to its logit."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from reidar_plugin.losses.binary_cross_entropy import binary_cross_entropy
from reidar_plugin.losses.checks import check_labels, class_vector, in_float32

__all__ = ["LogitAdjustedLoss", "logit_adjusted_loss"]


@in_float32
def logit_adjusted_loss(
    logits: Tensor, labels: Tensor, ratios: Tensor | Sequence[float], tau: float = 1.0
) -> Tensor:
    r"""Binary cross-entropy of logits shifted by the log-odds of their action.

    .. math::
        L = \mathrm{BCE}(z_{ij} + \tau \log \frac{r_j}{1 - r_j},\ y_{ij})

    The network then learns only what the frequency of an action does not explain; at test its plain logits are
    used. Unknown (NaN) labels cost nothing. With ``tau=0`` it is
    :func:`~reidar_plugin.losses.binary_cross_entropy.binary_cross_entropy`.

    Reference: Menon et al., Long-Tail Learning via Logit Adjustment, ICLR 2021, eq. 10, in the sigmoid form.

    Args:
        logits: action logits before the sigmoid, ``(B, M)``.
        labels: multi-hot action labels, ``(B, M)``, NaN where unknown.
        ratios: r, share of the training samples that show each action, ``(M,)``, each in 0 < r < 1.
        tau: factor on the log-odds.

    Returns:
        Scalar, float32 (float64 for float64 logits).

    Example:
        >>> import torch
        >>> logits = torch.tensor([[2.0, -1.0], [0.0, 3.0]])
        >>> labels = torch.tensor([[1.0, 0.0], [torch.nan, 1.0]])
        >>> logit_adjusted_loss(logits, labels, ratios=[0.6, 0.05])
        tensor(0.2571)
    """
    check_labels(logits, labels)
    rate = class_vector(ratios, logits)
    return binary_cross_entropy(logits + tau * (rate / (1 - rate)).log(), labels)


class LogitAdjustedLoss(nn.Module):
    """Module form of :func:`logit_adjusted_loss`."""

    ratios: Tensor

    def __init__(self, ratios: Sequence[float], tau: float = 1.0) -> None:
        super().__init__()
        odd = {action: ratio for action, ratio in enumerate(ratios) if not 0 < ratio < 1}
        if odd:
            raise ValueError(
                "logit adjustment needs every action in some samples and not in all, "
                f"got ratios {odd} by action; merge those actions or choose another loss"
            )
        self.register_buffer("ratios", torch.tensor(ratios, dtype=torch.float32), persistent=False)
        self.tau = tau

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        return logit_adjusted_loss(logits, labels, self.ratios, self.tau)
