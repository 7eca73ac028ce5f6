"""Discriminative centroids loss: clips are pulled to the centroids of their actions and pushed from the others."""

import torch
from torch import Tensor

from reidar_plugin.losses.checks import check_centres, in_float32, known_labels
from reidar_plugin.losses.learned_centres import LearnedCentres

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
    r"""Pull each clip to the centroids of its actions, and push it from all others up to a margin.

    .. math::
        L = \frac{1}{2 |V|} \sum_{i \in V} \sum_{j : y_{ij} = 1} \lVert f_i - c_j \rVert_2^2
            + \rho \Bigl[m - \frac{1}{|V| M} \sum_{i \in V} \sum_{j : y_{ij} = 0}
            \lVert f_i - c_j \rVert_2^2\Bigr]_+

    :math:`V` is the set of clips whose labels are all known; without any the loss is 0. The official form is
    defined for clips with one action; for several, the sums run over the actions shown and not shown.

    Reference: Liu et al., Large-Scale Long-Tailed Recognition in an Open World, CVPR 2019 (DiscCentroidsLoss
    of the official code).

    Args:
        features: clip features, ``(B, D)``.
        labels: multi-hot action labels, ``(B, M)``; a row that contains NaN is left out.
        centres: one centroid for each action, ``(M, D)``.
        margin: m, mean squared distance to the other centroids from which on the push costs nothing.
        repel_weight: :math:`\rho`, weight of the push.
        average: divide the gradient that the pull sends to a centroid by 1 + the number of clips that show its
            action, as the official code does; the value of the loss is the same either way.

    Returns:
        Scalar, float32 (float64 for float64 features).

    Example:
        >>> import torch
        >>> centres = torch.tensor([[0.0, 0.0], [3.0, 3.0]])
        >>> discriminative_centroids_loss(torch.tensor([[3.0, 4.0]]), torch.tensor([[1.0, 0.0]]), centres)
        tensor(12.5950)
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
    """The centres, with the gradient of each divided by 1 + the number of clips that show its action."""
    share = 1 / (1 + shown.sum(dim=0))[:, None]
    return centres.detach() + share * (centres - centres.detach())


class DiscriminativeCentroidsLoss(LearnedCentres):
    """Module form of :func:`discriminative_centroids_loss`; it owns the centroids."""

    def __init__(
        self,
        num_actions: int,
        feature_dim: int,
        *,
        margin: float = 10.0,
        repel_weight: float = 0.01,
        average: bool = True,
    ) -> None:
        super().__init__(num_actions, feature_dim)
        self.margin = margin
        self.repel_weight = repel_weight
        self.average = average

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        return discriminative_centroids_loss(
            features,
            labels,
            self.learning_centres(),
            margin=self.margin,
            repel_weight=self.repel_weight,
            average=self.average,
        )
