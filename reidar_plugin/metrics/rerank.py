r"""k-reciprocal re-ranking with sparse sets: the host's ``re_ranking`` in :math:`O(N k)` memory.

Two tracklets are neighbours when each is among the first ``k1 + 1`` of the other. A tracklet's set of
neighbours takes in the (half as wide) sets of its members that overlap it by more than two thirds; the set
becomes a vector

.. math::
    V_{ij} = \frac{e^{-\tilde d_{ij}}}{\sum_{l \in R^*(i)} e^{-\tilde d_{il}}} \quad (j \in R^*(i)), \qquad
    \tilde d_{ij} = \frac{d_{ij}^2}{\max_l d_{il}^2}

which is averaged over the first ``k2`` neighbours, and

.. math::
    d^*(q, g) = \lambda\, \tilde d_{qg} + (1 - \lambda) \Bigl(1 - \frac{s_{qg}}{2 - s_{qg}}\Bigr), \qquad
    s_{qg} = \sum_j \min(V_{qj}, V_{gj})

The host squares the distance it is given, although that is squared already: with Euclidean distances it
works on :math:`\lVert q - g\rVert^4`. So does this.

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
from reidar_plugin.metrics.neighbours import explore

__all__ = ["rerank"]

TINY = torch.finfo(torch.float32).tiny  # instead of a division by 0 where all features are equal
ROWS = 64  # queries whose sets are compared at a time


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

    Distances and nearest neighbours are found on the device of the features, sets in sparse matrices on the
    CPU.

    Args:
        query: features ``(Q, D)``.
        gallery: features ``(G, D)``, on the same device.
        k1: neighbours that make a set, >= 1.
        k2: neighbours over which the vectors are averaged, >= 1; 1 averages nothing.
        lambda_value: weight of the original distance, 0 to 1.
        metric, normalize: the original distance, see
            :func:`~reidar_plugin.metrics.distances.distance_blocks`.

    Returns:
        float32 ``(Q, G)``, on the device of the features.
    """
    _check(k1, k2, lambda_value)
    check_widths(query, gallery)
    prepare_features(query, metric, normalize, "query features")  # the error should name the side
    features = prepare_features(torch.cat((query, gallery)), metric, normalize, "query and gallery features")
    hood = explore(features, len(query), max(k1 + 1, k2))
    places, farthest = hood.places.cpu().numpy(), hood.farthest.square().clamp_(min=TINY)
    members = _expanded_sets(places, k1)
    vectors = _encode(members, features, farthest)
    if k2 != 1:
        vectors = (_adjacency(places, k2) @ vectors).tocsr() / np.float32(min(k2, places.shape[1]))
    scaled = hood.asked.square_().div_(farthest[: len(query), None])
    overlap = torch.from_numpy(_shared_weight(vectors, len(query))).to(scaled.device)
    jaccard = overlap.div_(2 - overlap).neg_().add_(1)
    return scaled.mul_(lambda_value).add_(jaccard, alpha=1 - lambda_value)


def _check(k1: int, k2: int, lambda_value: float) -> None:
    if k1 < 1 or k2 < 1:
        raise InputError(f"re-ranking needs k1 >= 1 and k2 >= 1, got k1={k1}, k2={k2}")
    if not 0 <= lambda_value <= 1:
        raise InputError(f"re-ranking needs a lambda from 0 to 1, got {lambda_value}")


def _adjacency(places: np.ndarray, count: int) -> Any:
    """0-1 matrix ``(N, N)``: row i marks the first ``count`` neighbours of i."""
    places = places[:, :count]
    starts = np.arange(0, places.size + 1, places.shape[1])
    return sparse.csr_matrix(
        (np.ones(places.size, np.float32), places.ravel(), starts), shape=(len(places),) * 2
    )


def _mutual(places: np.ndarray, count: int) -> Any:
    """0-1 matrix ``(N, N)`` of the pairs that are among the first ``count`` of each other."""
    forward = _adjacency(places, count)
    return forward.multiply(forward.T).tocsr()


def _expanded_sets(places: np.ndarray, k1: int) -> Any:
    """Sets of neighbours with those that overlap them taken in; row i is non-zero at i's members."""
    near, half = _mutual(places, k1 + 1), _mutual(places, round(k1 / 2) + 1)
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

    Only coordinates that both have count: each non-zero of a query meets the gallery's non-zeros of its
    column.
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
