"""Ranked list loss: clips of one identity within a radius, clips of other identities beyond a larger one."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reidar_plugin.losses.checks import check_choice, check_embedding, in_float32
from reidar_plugin.losses.pairwise import euclidean_distances, same_person

__all__ = ["RankedListLoss", "ranked_list_loss"]

Positives = Literal["non-trivial", "all"]


@in_float32
def ranked_list_loss(
    features: Tensor,
    pids: Tensor,
    *,
    margin: float = 1.3,
    alpha: float = 2.0,
    temperature: float = 1.0,
    positive_weight: float = 1.0,
    negative_weight: float = 1.0,
    positives: Positives = "non-trivial",
    normalise: bool = True,
) -> Tensor:
    r"""Pull clips of the same identity within ``alpha - margin``, push clips of others beyond ``alpha``.

    .. math::
        L &= \frac{1}{B} \sum_{i=1}^{B} \bigl(\mu_P L_P(i) + \mu_N L_N(i)\bigr) \\
        L_P(i) &= \frac{1}{|P_i^*|} \sum_{j \in P_i^*} [d_{ij} - (\alpha - m)]_+, \qquad
        L_N(i) = \sum_{j \in N_i^*} \frac{w_{ij}}{\sum_{k \in N_i^*} w_{ik}} [\alpha - d_{ij}]_+ \\
        w_{ij} &= e^{T (\alpha - d_{ij})}, \quad
        P_i^* = \{j \ne i : y_j = y_i,\ d_{ij} > \alpha - m\}, \quad
        N_i^* = \{j : y_j \ne y_i,\ d_{ij} < \alpha\}

    An empty set costs 0, so a single clip, or identities that are far apart, give 0 with gradient 0. The
    gradient flows through the weights too. The released code divides :math:`L_P` by the number of all positives
    (here ``positives="all"``) and adds 1e-5 to the two denominators (not done here; it changes the value by
    less than 4e-6 of it for three positives per anchor).

    Reference: Wang et al., Ranked List Loss, CVPR 2019; Not 3D Re-ID, eq. 5 to 10; Re-ID-AR, supplementary
    eq. 3.

    Args:
        features: clip features, ``(B, D)``.
        pids: identity of each clip, ``(B,)``; any integers.
        margin: m, width of the shell between the two radii, >= 0.
        alpha: distance beyond which a clip of another identity costs nothing, > 0.
        temperature: T, how much the nearest negatives outweigh the others, >= 0; 0 is the plain mean.
        positive_weight: :math:`\mu_P`, weight of the pull.
        negative_weight: :math:`\mu_N`, weight of the push.
        positives: :math:`L_P` is the mean over positives with a cost ("non-trivial") or over "all" of them.
        normalise: scale features to unit length first.

    Returns:
        Scalar, float32 (float64 for float64 features).

    Example:
        >>> import torch
        >>> features = torch.tensor([[0.0, 0.0], [6.0, 0.0], [3.0, 4.0]])
        >>> ranked_list_loss(features, torch.tensor([1, 1, 2]), margin=3.0, alpha=7.0, normalise=False)
        tensor(3.3333)
    """
    check_embedding(features, pids)
    check_choice("positives", positives, ("non-trivial", "all"))
    distances = euclidean_distances(features, normalise)  # (B, B)
    positive, negative = same_person(pids)
    pull = F.relu(distances - (alpha - margin)) * positive
    counted = pull > 0 if positives == "non-trivial" else positive
    pulled = pull.sum(dim=1) / counted.sum(dim=1).clamp(min=1)  # (B,)

    push = F.relu(alpha - distances) * negative
    # a row without a near negative gets equal weights, on pushes that are all 0
    scores = (temperature * push).masked_fill(push == 0, torch.finfo(push.dtype).min)
    pushed = (scores.softmax(dim=1) * push).sum(dim=1)  # (B,)
    return (positive_weight * pulled + negative_weight * pushed).mean()


class RankedListLoss(nn.Module):
    """Module form of :func:`ranked_list_loss`."""

    def __init__(
        self,
        *,
        margin: float = 1.3,
        alpha: float = 2.0,
        temperature: float = 1.0,
        positive_weight: float = 1.0,
        negative_weight: float = 1.0,
        positives: Positives = "non-trivial",
        normalise: bool = True,
    ) -> None:
        super().__init__()
        if alpha <= 0 or margin < 0 or temperature < 0:
            raise ValueError(
                "expected alpha > 0, margin >= 0 and temperature >= 0, "
                f"got alpha={alpha}, margin={margin}, temperature={temperature}"
            )
        check_choice("positives", positives, ("non-trivial", "all"))
        self.margin = margin
        self.alpha = alpha
        self.temperature = temperature
        self.positive_weight = positive_weight
        self.negative_weight = negative_weight
        self.positives = positives
        self.normalise = normalise

    def forward(self, features: Tensor, pids: Tensor) -> Tensor:
        return ranked_list_loss(
            features,
            pids,
            margin=self.margin,
            alpha=self.alpha,
            temperature=self.temperature,
            positive_weight=self.positive_weight,
            negative_weight=self.negative_weight,
            positives=self.positives,
            normalise=self.normalise,
        )
