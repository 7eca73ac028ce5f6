"""Online soft mining with class-aware attention (OSM-CAA): all pairs count, the doubtful ones less."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reidar_plugin.losses.checks import check_centres, check_choice, check_embedding, check_pids, in_float32
from reidar_plugin.losses.pairwise import same_person, squared_distances

__all__ = ["SoftMiningLoss", "soft_mining_loss"]

Vectors = Literal["classifier", "centres"]


@in_float32
def soft_mining_loss(
    features: Tensor,
    pids: Tensor,
    class_vectors: Tensor,
    *,
    sigma: float = 0.8,
    alpha: float = 1.2,
    balance: float = 0.5,
) -> Tensor:
    r"""Contrastive loss in which near positives and near negatives of trusted clips weigh most.

    .. math::
        L &= (1 - \lambda) L_P + \lambda L_N, \qquad
        L_P = \frac{\sum_{P} W_{ij} d_{ij}^2}{2 \sum_{P} W_{ij}}, \qquad
        L_N = \frac{\sum_{N} W_{ij} [\alpha - d_{ij}]_+^2}{2 \sum_{N} W_{ij}} \\
        W_{ij} &= \min(a_i, a_j) \cdot \begin{cases} e^{-d_{ij}^2 / \sigma^2} & (i,j) \in P \\
            [\alpha - d_{ij}]_+ & (i,j) \in N \end{cases}, \qquad
        a_i = \frac{e^{x_i \cdot c_{y_i}}}{\sum_k e^{x_i \cdot c_k}}

    Features :math:`x` and class vectors :math:`c` are brought to length 1, :math:`d` is Euclidean, P are the
    pairs of two clips of one person and N those of two persons. A set without a pair, or whose weights are
    all 0, costs 0. The gradient flows through the weights, also into the class vectors, as in the released
    code.

    Reference: Wang et al., Deep Metric Learning by Online Soft Mining, AAAI 2019 (whose values are the
    defaults here); VPRFT: with centres of the centre loss for class vectors it is "CL Centers OSM".

    Args:
        features: clip features, ``(B, D)``.
        pids: identity of each clip, ``(B,)``, 0..K-1.
        class_vectors: one a class, ``(K, D)``: rows of the identity classifier, or the centres.
        sigma: width of the positive weight, > 0.
        alpha: distance beyond which a negative costs nothing, > 0.
        balance: :math:`\lambda`, share of the negatives, 0..1.

    Returns:
        Scalar, float32 (float64 for float64 features).
    """
    check_embedding(features, pids)
    check_centres(features, class_vectors)
    check_pids(pids, len(class_vectors))
    squares = squared_distances(features, normalise=True)  # (B, B)
    positive, negative = same_person(pids)
    scores = F.normalize(features) @ F.normalize(class_vectors).T  # (B, K)
    trust = scores.softmax(dim=1).gather(1, pids[:, None])  # (B, 1)
    pair_trust = torch.minimum(trust, trust.T)
    gap = (alpha - squares.sqrt()).clamp(min=0)
    pull = _weighted_mean(squares, (-squares / sigma**2).exp() * pair_trust * positive)
    push = _weighted_mean(gap.square(), gap * pair_trust * negative)
    return ((1 - balance) * pull + balance * push) / 2


def _weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    return (weights * values).sum() / weights.sum().clamp(min=torch.finfo(weights.dtype).tiny)


class SoftMiningLoss(nn.Module):
    """Module form of :func:`soft_mining_loss`; ``vectors`` says whose rows the objective hands in."""

    def __init__(
        self, *, sigma: float = 0.8, alpha: float = 1.2, balance: float = 0.5, vectors: Vectors = "classifier"
    ) -> None:
        super().__init__()
        check_choice("vectors", vectors, ("classifier", "centres"))
        if sigma <= 0 or alpha <= 0 or not 0 <= balance <= 1:
            raise ValueError(
                "expected sigma > 0, alpha > 0 and balance in 0..1, "
                f"got sigma={sigma}, alpha={alpha}, balance={balance}"
            )
        self.sigma = sigma
        self.alpha = alpha
        self.balance = balance
        self.vectors = vectors

    def forward(self, features: Tensor, pids: Tensor, class_vectors: Tensor) -> Tensor:
        return soft_mining_loss(
            features, pids, class_vectors, sigma=self.sigma, alpha=self.alpha, balance=self.balance
        )
