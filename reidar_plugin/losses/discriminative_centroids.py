"""Discriminative centroids: clips are drawn to the centroids of their actions and pushed from the others."""

import torch
from torch import Tensor, nn

from reidar_plugin.losses.checks import check_centres, in_float32, known_labels
from reidar_plugin.losses.gradient_scale import scale_gradient

__all__ = ["DiscriminativeCentroidsLoss", "discriminative_centroids_loss"]


@in_float32
def discriminative_centroids_loss(
    features: Tensor,
    labels: Tensor,
    centres: Tensor,
    *,
    margin: float = 10.0,
    repel_weight: float = 0.01,
    average: bool = True,
) -> Tensor:
    r"""Attraction to the centroid of each action shown, and a bounded push from all others.

    .. math::
        L = \frac{1}{2 |V|} \sum_{i \in V} \sum_{j : y_{ij} = 1} \lVert f_i - c_j \rVert_2^2
            + \rho \Bigl[m - \frac{1}{|V| M} \sum_{i \in V} \sum_{j : y_{ij} = 0}
            \lVert f_i - c_j \rVert_2^2\Bigr]_+

    :math:`V` are the clips whose labels are known; without any the loss is 0. The official form is for one
    action a clip; the sums over the actions shown and not shown are how we carry it to several.

    Reference: Liu et al., Large-Scale Long-Tailed Recognition in an Open World, CVPR 2019 (DiscCentroidsLoss
    of the official code).

    Args:
        features: ``(B, D)``.
        labels: multi-hot, ``(B, M)``, a row with any NaN is unknown.
        centres: ``(M, D)``.
        margin: m, mean squared distance to the others that costs nothing.
        repel_weight: :math:`\rho`.
        average: whether the gradient that attraction sends to a centroid is divided by 1 + the clips that
            show its action, as the official code does; the value is the same either way.

    Returns:
        Scalar, float32 (float64 for float64 features).
    """
    if features.ndim != 2 or labels.shape != (len(features), len(centres)) or labels.numel() == 0:
        raise ValueError(
            "expected features (B, D), labels (B, M) and centres (M, D) with B, M >= 1, "
            f"got {tuple(features.shape)}, {tuple(labels.shape)} and {tuple(centres.shape)}"
        )
    check_centres(features, centres)
    target, known = known_labels(labels, features)
    whole = known.all(dim=1, keepdim=True)  # (B, 1)
    shown, hidden = (target > 0.5) & whole, (target <= 0.5) & whole
    clips = whole.sum().clamp(min=1)
    attracting = _averaged(centres, shown) if average else centres
    pull = torch.where(shown, _squares(features, attracting), 0).sum() / (2 * clips)
    far = torch.where(hidden, _squares(features, centres), 0).sum() / (clips * len(centres))
    return pull + repel_weight * (margin - far).clamp(min=0) * whole.any()


def _squares(features: Tensor, centres: Tensor) -> Tensor:
    return (features[:, None] - centres).square().sum(dim=2)  # (B, M)


def _averaged(centres: Tensor, shown: Tensor) -> Tensor:
    """The centres, each with its gradient divided by 1 + the number of clips it is shown in."""
    share = 1 / (1 + shown.sum(dim=0))[:, None]
    return centres.detach() + share * (centres - centres.detach())


class DiscriminativeCentroidsLoss(nn.Module):
    """Module form of :func:`discriminative_centroids_loss`; owns the centroids.

    ``gradient_scale`` multiplies the gradient of the centroids alone (see :func:`~.gradient.scale_gradient`).
    """

    def __init__(
        self,
        num_actions: int,
        feature_dim: int,
        *,
        margin: float = 10.0,
        repel_weight: float = 0.01,
        average: bool = True,
    ) -> None:
        super().__init__()
        self.margin = margin
        self.repel_weight = repel_weight
        self.average = average
        self.gradient_scale = 1.0
        self.centres = nn.Parameter(torch.randn(num_actions, feature_dim))

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        return discriminative_centroids_loss(
            features,
            labels,
            scale_gradient(self.centres, self.gradient_scale),
            margin=self.margin,
            repel_weight=self.repel_weight,
            average=self.average,
        )
