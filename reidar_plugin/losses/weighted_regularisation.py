"""Weighted regularisation triplet loss: all pairs of an anchor, weighted by difficulty, without a margin."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reidar_plugin.losses.checks import check_embedding, in_float32, masked_mean
from reidar_plugin.losses.pairwise import euclidean_distances, same_person

__all__ = ["WeightedRegularisationTriplet", "weighted_regularisation_triplet"]


@in_float32
def weighted_regularisation_triplet(
    features: Tensor, pids: Tensor, include_anchor: bool = False, normalise: bool = False
) -> Tensor:
    r"""Softplus of the softmax-weighted distance to the positives minus that to the negatives.

    .. math::
        L = \frac{1}{|A|} \sum_{i \in A} \log\Bigl(1 + \exp\bigl(
            \sum_{j \in P_i} w^p_{ij} d_{ij} - \sum_{k \in N_i} w^n_{ik} d_{ik}\bigr)\Bigr), \qquad
        w^p_{ij} = \frac{e^{d_{ij}}}{\sum_{l \in P_i} e^{d_{il}}}, \quad
        w^n_{ik} = \frac{e^{-d_{ik}}}{\sum_{l \in N_i} e^{-d_{il}}}

    :math:`A` is the set of clips with both a positive and a negative; without any, the loss and its gradient are
    0. The gradient flows through the weights too. The released code of AGW counts the anchor, at distance 0,
    among its own positives (``include_anchor=True``). ASA-Net prints the sum over the batch; the code of AGW,
    and this function, take the mean.

    Reference: Ye et al., Deep Learning for Person Re-identification: A Survey (AGW), eq. 8 and 9; ASA-Net,
    eq. 14.

    Args:
        features: clip features, ``(B, D)``.
        pids: identity of each clip, ``(B,)``; any integers.
        include_anchor: count each clip among its own positives.
        normalise: scale features to unit length first.

    Returns:
        Scalar, float32 (float64 for float64 features).

    Example:
        >>> import torch
        >>> features = torch.tensor([[0.0, 0.0], [3.0, 4.0], [6.0, 0.0]])
        >>> weighted_regularisation_triplet(features, torch.tensor([7, 7, 2]))
        tensor(0.5032)
    """
    check_embedding(features, pids)
    distances = euclidean_distances(features, normalise)  # (B, B)
    positive, negative = same_person(pids)
    anchors = positive.any(dim=1) & negative.any(dim=1)
    counted = ~negative if include_anchor else positive
    far = _softmax_sum(distances, distances, counted)
    near = _softmax_sum(distances, -distances, negative)
    return masked_mean(F.softplus(far - near), anchors)


def _softmax_sum(values: Tensor, scores: Tensor, mask: Tensor) -> Tensor:
    """Mean of each row weighted by the softmax of its scores under the mask: ``(B, B) -> (B,)``."""
    weights = scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(dim=1)
    return (weights * values).sum(dim=1)


class WeightedRegularisationTriplet(nn.Module):
    """Module form of :func:`weighted_regularisation_triplet`."""

    def __init__(self, include_anchor: bool = False, normalise: bool = False) -> None:
        super().__init__()
        self.include_anchor = include_anchor
        self.normalise = normalise

    def forward(self, features: Tensor, pids: Tensor) -> Tensor:
        return weighted_regularisation_triplet(features, pids, self.include_anchor, self.normalise)
