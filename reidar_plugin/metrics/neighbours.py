"""Nearest neighbours within one set of tracklets: ties in order of index, each distance computed once."""

from typing import NamedTuple

import torch
from torch import Tensor

from reidar_plugin.metrics.distances import PreparedFeatures, block_size, prepared_distances

__all__ = ["Neighbours", "nearest_neighbours", "smallest"]


class Neighbours(NamedTuple):
    """Nearest neighbours of N tracklets, and what else re-ranking needs of all N x N distances."""

    distances: Tensor  #: float32 ``(N, K)``, distances to the nearest neighbours, in ascending order
    indices: Tensor  #: int64 ``(N, K)``, these neighbours; a tracklet is a neighbour of itself
    farthest: Tensor  #: float32 ``(N,)``, distance to the farthest tracklet
    query_gallery: Tensor  #: float32 ``(Q, N - Q)``, distances between the first Q tracklets and the others


def nearest_neighbours(features: PreparedFeatures, queries: int, count: int) -> Neighbours:
    """Find the nearest neighbours of each tracklet in one pass over all distances, a block of rows at a time.

    Distances are symmetric: a block holds the distances from its tracklets to those from the same index on, and
    its columns serve the later tracklets as well.

    Args:
        features: features of all tracklets, ``(N, D)``, queries first.
        queries: number Q of queries.
        count: number K of neighbours; N if there are fewer tracklets.
    """
    total, offsets = len(features.vectors), features.offsets
    count = min(count, total)
    found = Neighbours(
        distances=offsets.new_full((total, count), torch.inf),
        indices=torch.zeros(total, count, dtype=torch.int64, device=offsets.device),
        farthest=offsets.new_zeros(total),
        query_gallery=offsets.new_empty(queries, total - queries),
    )
    rows = max(1, block_size(offsets.device) // total)
    for start in range(0, total, rows):
        stop = min(start + rows, total)
        block = prepared_distances(features.part(start, stop), features.part(start))
        if start < queries:
            found.query_gallery[start:stop] = block[: queries - start, queries - start :]
        _add(found, slice(start, stop), block, start)
        if stop < total:
            _add(found, slice(stop, total), block[:, stop - start :].T, start)
    return found


def smallest(distances: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The smallest values of each row with their indices, as a stable sort would give them, without sorting.

    ``topk`` finds the largest of them, but does not promise which of several equal values it takes; only the
    few rows where that matters are sorted.

    Args:
        distances: values, ``(B, N)``.
        count: number K of values; N if there are fewer.

    Returns:
        Values and indices, ``(B, K)`` each, in ascending order.

    Example:
        >>> smallest(torch.tensor([[3.0, 1.0, 2.0, 1.0]]), 3)
        (tensor([[1., 1., 2.]]), tensor([[1, 3, 2]]))
    """
    count = min(count, distances.shape[1])
    values, indices = distances.topk(count, dim=1, largest=False, sorted=False)
    crowded = ((distances <= values.amax(dim=1, keepdim=True)).sum(dim=1) > count).nonzero().flatten()
    if len(crowded):
        indices[crowded] = distances[crowded].sort(dim=1, stable=True).indices[:, :count]
    indices = indices.sort(dim=1).values
    values, order = distances.gather(1, indices).sort(dim=1, stable=True)
    return values, indices.gather(1, order)


def _add(found: Neighbours, rows: slice, distances: Tensor, first: int) -> None:
    """Update some rows with their distances to the tracklets from index ``first`` on; all before are known."""
    known = found.indices.shape[1]
    candidates = torch.cat((found.distances[rows], distances), dim=1)  # equal distances in order of index
    values, chosen = smallest(candidates, known)
    old = found.indices[rows].gather(1, chosen.clamp(max=known - 1))
    found.distances[rows] = values
    found.indices[rows] = torch.where(chosen < known, old, chosen + (first - known))
    found.farthest[rows] = torch.maximum(found.farthest[rows], distances.amax(dim=1))
