"""The nearest neighbours within one set, ties in order of place."""

from typing import NamedTuple

from torch import Tensor

__all__ = ["Neighbours", "nearest"]


class Neighbours(NamedTuple):
    """The first places of some rows of a distance matrix."""

    places: Tensor  #: int64 ``(B, K)``, in order of distance
    distances: Tensor  #: float32 ``(B, K)``


def nearest(distances: Tensor, count: int) -> Neighbours:
    """What a stable sort would put first, without sorting; all if there are fewer than ``count``.

    ``topk`` says how far the last neighbour is, but not which of several at that distance is the first; the
    rows where that matters are few, and only they are sorted.
    """
    count = min(count, distances.shape[1])
    values, places = distances.topk(count, dim=1, largest=False, sorted=False)
    limit = values.amax(dim=1, keepdim=True)
    crowded = ((distances <= limit).sum(dim=1) > count).nonzero().flatten()
    if len(crowded):
        places[crowded] = distances[crowded].sort(dim=1, stable=True).indices[:, :count]
    places = places.sort(dim=1).values
    values, order = distances.gather(1, places).sort(dim=1, stable=True)
    return Neighbours(places.gather(1, order), values)
