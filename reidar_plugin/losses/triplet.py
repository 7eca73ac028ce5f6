"""Batch-hard triplet loss with Euclidean or cosine distance."""

from typing import Literal

from torch import Tensor, nn

from reidar_plugin.losses.checks import check_choice, check_embedding, in_float32, masked_mean
from reidar_plugin.losses.pairwise import cosine_similarities, euclidean_distances, same_person

__all__ = ["TripletLoss", "batch_hard_triplet_loss"]

Metric = Literal["euclidean", "cosine"]


@in_float32
def batch_hard_triplet_loss(
    features: Tensor, pids: Tensor, margin: float = 0.3, metric: Metric = "euclidean"
) -> Tensor:
    r"""Hinge on the distance to the farthest positive minus the distance to the nearest negative of each clip.

    .. math::
        L = \frac{1}{|A|} \sum_{i \in A} \Bigl[m + \max_{j \ne i,\, y_j = y_i} d_{ij}
            - \min_{y_k \ne y_i} d_{ik}\Bigr]_+

    :math:`A` is the set of clips with a positive in the batch; one without a negative costs nothing. Without any
    such clip, the loss and its gradient are 0. With ``metric="cosine"``, :math:`d = 1 - \cos`, the form of VPRFT.

    Reference: Hermans et al., In Defense of the Triplet Loss, arXiv 1703.07737, eq. 5; VPRFT, bag of tricks.

    Args:
        features: clip features, ``(B, D)``.
        pids: identity of each clip, ``(B,)``; any integers.
        margin: m, by how much a negative must be farther than a positive to cost nothing, >= 0.
        metric: distance between features, "euclidean" or "cosine".

    Returns:
        Scalar, float32 (float64 for float64 features).

    Example:
        >>> import torch
        >>> features = torch.tensor([[0.0], [3.0], [4.0]])
        >>> batch_hard_triplet_loss(features, torch.tensor([0, 0, 1]), margin=0.5)
        tensor(1.2500)
    """
    check_embedding(features, pids)
    check_choice("metric", metric, ("euclidean", "cosine"))
    distances = 1 - cosine_similarities(features) if metric == "cosine" else euclidean_distances(features)
    positive, negative = same_person(pids)
    farthest = distances.masked_fill(~positive, -1e9).amax(dim=1)  # (B,)
    nearest = distances.masked_fill(~negative, 1e9).amin(dim=1)  # without one the hinge is far from active
    return masked_mean((margin + farthest - nearest).clamp(min=0), positive.any(dim=1))


class TripletLoss(nn.Module):
    """Module form of :func:`batch_hard_triplet_loss`."""

    def __init__(self, margin: float = 0.3, metric: Metric = "euclidean") -> None:
        super().__init__()
        check_choice("metric", metric, ("euclidean", "cosine"))
        if margin < 0:
            raise ValueError(f"margin must be >= 0, got {margin}")
        self.margin = margin
        self.metric = metric

    def forward(self, features: Tensor, pids: Tensor) -> Tensor:
        return batch_hard_triplet_loss(features, pids, self.margin, self.metric)
