"""Nearest neighbours within one set: ties in order of place, each distance computed once."""

from typing import NamedTuple

import torch
from torch import Tensor

from reidar_plugin.metrics.distances import PreparedFeatures, block_size, prepared_distances

__all__ = ["Neighbourhood", "explore", "nearest"]


class Neighbourhood(NamedTuple):
    """What a pass over all N x N distances leaves behind."""

    distances: Tensor  #: float32 ``(N, K)`` to the nearest neighbours, in order
    places: Tensor  #: int64 ``(N, K)`` of these neighbours; a tracklet is its own
    farthest: Tensor  #: float32 ``(N,)``, distance to the farthest tracklet
    asked: Tensor  #: float32 ``(Q, N - Q)``, all distances between the first Q and the others


def explore(features: PreparedFeatures, queries: int, count: int) -> Neighbourhood:
    """Go once over the distances between all tracklets, a block of rows at a time.

    Distances are symmetric: a block holds the distances to the tracklets from its own on, and serves the
    later ones, read by columns, as well.

    Args:
        features: ``(N, D)``, queries first.
        queries: Q.
        count: K, at most N neighbours.
    """
    total, offsets = len(features.vectors), features.offsets
    count = min(count, total)
    hood = Neighbourhood(
        distances=offsets.new_full((total, count), torch.inf),
        places=torch.zeros(total, count, dtype=torch.int64, device=offsets.device),
        farthest=offsets.new_zeros(total),
        asked=offsets.new_empty(queries, total - queries),
    )
    rows = max(1, block_size(offsets.device) // total)
    for start in range(0, total, rows):
        stop = min(start + rows, total)
        block = prepared_distances(features.part(start, stop), features.part(start))
        if start < queries:
            hood.asked[start:stop] = block[: queries - start, queries - start :]
        _add(hood, slice(start, stop), block, start)
        if stop < total:
            _add(hood, slice(stop, total), block[:, stop - start :].T, start)
    return hood


def nearest(distances: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """What a stable sort would put first, without sorting; all if there are fewer than ``count``.

    ``topk`` says how far the last neighbour is, but not which of several at that distance is the first; the
    rows where that matters are few, and only they are sorted.

    Args:
        distances: ``(B, N)``.
        count: K.

    Returns:
        Distances and places, ``(B, K)`` each.
    """
    count = min(count, distances.shape[1])
    values, places = distances.topk(count, dim=1, largest=False, sorted=False)
    crowded = ((distances <= values.amax(dim=1, keepdim=True)).sum(dim=1) > count).nonzero().flatten()
    if len(crowded):
        places[crowded] = distances[crowded].sort(dim=1, stable=True).indices[:, :count]
    places = places.sort(dim=1).values
    values, order = distances.gather(1, places).sort(dim=1, stable=True)
    return values, places.gather(1, order)


def _add(hood: Neighbourhood, rows: slice, distances: Tensor, first: int) -> None:
    """Let some rows meet the tracklets from place ``first`` on; they have met all before."""
    known = hood.places.shape[1]
    candidates = torch.cat(
        (hood.distances[rows], distances), dim=1
    )  # in order of place where distances are equal
    values, chosen = nearest(candidates, known)
    old = hood.places[rows].gather(1, chosen.clamp(max=known - 1))
    hood.distances[rows] = values
    hood.places[rows] = torch.where(chosen < known, old, chosen + (first - known))
    hood.farthest[rows] = torch.maximum(hood.farthest[rows], distances.amax(dim=1))
