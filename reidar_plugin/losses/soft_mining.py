"""Online soft mining with class-aware attention (OSM-CAA): a contrastive loss over all weighted pairs."""

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
    r"""Contrastive loss in which near positives and near negatives of reliable clips weigh most.

    .. math::
        L &= (1 - \lambda) L_P + \lambda L_N, \qquad
        L_P = \frac{\sum_{P} W_{ij} d_{ij}^2}{2 \sum_{P} W_{ij}}, \qquad
        L_N = \frac{\sum_{N} W_{ij} [\alpha - d_{ij}]_+^2}{2 \sum_{N} W_{ij}} \\
        W_{ij} &= \min(a_i, a_j) \cdot \begin{cases} e^{-d_{ij}^2 / \sigma^2} & (i,j) \in P \\
            [\alpha - d_{ij}]_+ & (i,j) \in N \end{cases}, \qquad
        a_i = \frac{e^{x_i \cdot c_{y_i}}}{\sum_k e^{x_i \cdot c_k}}

    Features :math:`x` and class vectors :math:`c` are scaled to unit length, :math:`d` is the Euclidean
    distance, P is the set of pairs with one identity and N that of pairs with two. A set without a pair, or
    with weights that are all 0, costs 0. The gradient flows through the weights, also into the class vectors,
    as in the released code.

    Reference: Wang et al., Deep Metric Learning by Online Soft Mining, AAAI 2019 (the source of the defaults);
    VPRFT, where it is called "CL Centers OSM" if the class vectors are the centres of the centre loss.

    Args:
        features: clip features, ``(B, D)``.
        pids: identity of each clip, ``(B,)``, 0..K-1.
        class_vectors: one vector for each class, ``(K, D)``: rows of the identity classifier, or learned centres.
        sigma: :math:`\sigma`, how fast the weight of a positive pair falls with its distance, > 0.
        alpha: :math:`\alpha`, distance beyond which a negative pair costs nothing, > 0.
        balance: :math:`\lambda`, weight of the negative part, in [0, 1].

    Returns:
        Scalar, float32 (float64 for float64 features).

    Example:
        >>> import torch
        >>> features = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
        >>> soft_mining_loss(features, torch.tensor([0, 0, 1]), class_vectors=torch.eye(2))
        tensor(0.5472)
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
    """Module form of :func:`soft_mining_loss`.

    The additional argument ``vectors`` tells the objective which class vectors to pass: the rows of the
    identity "classifier", or the "centres" of the term ``identity_centre``.
    """

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
