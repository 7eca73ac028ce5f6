r"""k-reciprocal re-ranking with sparse matrices: the host's ``re_ranking`` in :math:`O(N k)` memory.

Two tracklets are reciprocal neighbours when each is among the ``k1 + 1`` nearest of the other. The set
:math:`R^*(i)` of a tracklet holds its reciprocal neighbours, and those of each member (found with half of k1)
whenever more than two thirds of them are in the set already. The set becomes a vector

.. math::
    V_{ij} = \frac{e^{-\tilde d_{ij}}}{\sum_{l \in R^*(i)} e^{-\tilde d_{il}}} \quad (j \in R^*(i)), \qquad
    \tilde d_{ij} = \frac{d_{ij}^2}{\max_l d_{il}^2}

which is averaged over the first ``k2`` neighbours, and

.. math::
    d^*(q, g) = \lambda\, \tilde d_{qg} + (1 - \lambda) \Bigl(1 - \frac{s_{qg}}{2 - s_{qg}}\Bigr), \qquad
    s_{qg} = \sum_j \min(V_{qj}, V_{gj})

The host squares the distance that it gets, although it is squared already: with Euclidean distances it works
on :math:`\lVert q - g\rVert^4`. This function does the same, to give the same results.

Reference: Zhong et al., Re-ranking Person Re-identification with k-reciprocal Encoding, CVPR 2017.
"""

from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from reidar_plugin.errors import InputError
from reidar_plugin.metrics.distances import (
    Metric,
    PreparedFeatures,
    check_widths,
    pair_distances,
    prepare_features,
)
from reidar_plugin.metrics.neighbours import nearest_neighbours

__all__ = ["rerank"]

TINY = torch.finfo(torch.float32).tiny  # avoids a division by 0 where all features are equal
ROWS = 64  # number of queries whose sets are compared at a time


def rerank(
    query: Tensor,
    gallery: Tensor,
    k1: int = 20,
    k2: int = 6,
    lambda_value: float = 0.3,
    metric: Metric = "euclidean",
    normalize: bool = False,
) -> Tensor:
    """Re-ranked distances between queries and gallery.

    Distances and nearest neighbours are computed on the device of the features, sets on the CPU.

    Args:
        query: query features, ``(Q, D)``.
        gallery: gallery features, ``(G, D)``, on the same device.
        k1: number of nearest neighbours that form a set, >= 1.
        k2: number of nearest neighbours over which the vectors are averaged, >= 1; 1 averages nothing.
        lambda_value: weight of the original distance, in [0, 1].
        metric: the original distance, ``euclidean`` (squared) or ``cosine``.
        normalize: scale features to unit length first.

    Returns:
        float32 ``(Q, G)``, on the device of the features.

    Example:
        >>> gallery = torch.tensor([[0.0, 0.1], [0.2, 0.0], [5.0, 5.0]])
        >>> rerank(torch.zeros(1, 2), gallery, k1=2, k2=1).round(decimals=2)
        tensor([[0., 0., 1.]])
    """
    _check(k1, k2, lambda_value)
    check_widths(query, gallery)
    prepare_features(query, metric, normalize, "query features")  # so that an error names the side
    features = prepare_features(torch.cat((query, gallery)), metric, normalize, "query and gallery features")
    found = nearest_neighbours(features, len(query), max(k1 + 1, k2))
    indices, farthest = found.indices.cpu().numpy(), found.farthest.square().clamp_(min=TINY)
    members = _expanded_sets(indices, k1)
    vectors = _encode(members, features, farthest)
    if k2 != 1:
        vectors = (_adjacency(indices, k2) @ vectors).tocsr() / np.float32(min(k2, indices.shape[1]))
    scaled = found.query_gallery.square_().div_(farthest[: len(query), None])
    overlap = torch.from_numpy(_shared_weight(vectors, len(query))).to(scaled.device)
    jaccard = overlap.div_(2 - overlap).neg_().add_(1)
    return scaled.mul_(lambda_value).add_(jaccard, alpha=1 - lambda_value)


def _check(k1: int, k2: int, lambda_value: float) -> None:
    if k1 < 1 or k2 < 1:
        raise InputError(f"re-ranking needs k1 >= 1 and k2 >= 1, got k1={k1}, k2={k2}")
    if not 0 <= lambda_value <= 1:
        raise InputError(f"re-ranking needs a lambda from 0 to 1, got {lambda_value}")


def _adjacency(indices: np.ndarray, count: int) -> Any:
    """0-1 matrix ``(N, N)``: row i marks the ``count`` nearest neighbours of i."""
    indices = indices[:, :count]
    starts = np.arange(0, indices.size + 1, indices.shape[1])
    return sparse.csr_matrix(
        (np.ones(indices.size, np.float32), indices.ravel(), starts), shape=(len(indices),) * 2
    )


def _mutual(indices: np.ndarray, count: int) -> Any:
    """0-1 matrix ``(N, N)`` of the pairs in which each is among the ``count`` nearest of the other."""
    forward = _adjacency(indices, count)
    return forward.multiply(forward.T).tocsr()


def _expanded_sets(indices: np.ndarray, k1: int) -> Any:
    """The sets R*: sparse ``(N, N)``, row i is non-zero at the members of the set of i."""
    near, half = _mutual(indices, k1 + 1), _mutual(indices, round(k1 / 2) + 1)
    shared = (near @ half.T).multiply(near).tocsr()  # at (i, c): members of c's half set in i's set
    sizes = np.diff(half.indptr)[shared.indices]
    shared.data = (shared.data > 2.0 / 3 * sizes).astype(np.float32)
    shared.eliminate_zeros()
    return (near + shared @ half).tocsr()


def _encode(members: Any, features: PreparedFeatures, farthest: Tensor) -> Any:
    """The vectors V: weights of the members of each set, sum 1; sparse ``(N, N)``."""
    device = farthest.device
    owner = torch.from_numpy(np.repeat(np.arange(members.shape[0]), np.diff(members.indptr))).to(device)
    member = torch.from_numpy(members.indices.astype(np.int64)).to(device)
    weight = (pair_distances(features, owner, member).square_() / farthest[owner]).neg_().exp_()
    total = torch.zeros_like(farthest).index_add_(0, owner, weight)
    return sparse.csr_matrix(
        ((weight / total[owner]).cpu().numpy(), members.indices, members.indptr), members.shape
    )


def _shared_weight(vectors: Any, queries: int) -> np.ndarray:
    """Sum over j of min(V_qj, V_gj), float32 ``(Q, G)``.

    Only coordinates where both are non-zero count: each non-zero of a query is compared with the non-zeros of the
    gallery in the same column.
    """
    gallery = vectors[queries:].tocsc()
    width = gallery.shape[0]
    shared = np.empty((queries, width), dtype=np.float32)
    for start in range(0, queries, ROWS):
        ours = vectors[start : min(start + ROWS, queries)]
        row = np.repeat(np.arange(ours.shape[0]), np.diff(ours.indptr))
        first, count = gallery.indptr[ours.indices], np.diff(gallery.indptr)[ours.indices]
        meets = np.arange(count.sum()) + np.repeat(first - (count.cumsum() - count), count)
        least = np.minimum(np.repeat(ours.data, count), gallery.data[meets])
        pair = np.repeat(row * width, count) + gallery.indices[meets]
        shared[start : start + ROWS] = np.bincount(pair, least, ours.shape[0] * width).reshape(-1, width)
    return shared
