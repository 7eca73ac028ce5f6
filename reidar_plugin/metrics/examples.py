"""Which queries to look at, and what the model ranks first for them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from reidar_plugin.metrics.distances import Metric, pairwise_distances
from reidar_plugin.metrics.neighbours import nearest
from reidar_plugin.metrics.retrieval import Retrieval
from reidar_plugin.metrics.tracklets import TrackletFeatures

__all__ = ["Example", "choose_queries", "rank_examples"]


class Example(NamedTuple):
    """One query and the first gallery tracklets, without those of its own identity and camera."""

    query: int  #: place in the list of queries
    gallery: tuple[int, ...]  #: places in the gallery, nearest first
    distances: tuple[float, ...]


def choose_queries(retrieval: Retrieval, count: int) -> list[int]:
    """Valid queries from the worst average precision to the best, evenly: failures are shown as often as they are.

    Args:
        retrieval: of all queries.
        count: how many; all valid ones if there are fewer.

    Returns:
        Places in the list of queries, worst first.
    """
    if count < 1:
        raise ValueError(f"expected at least one query to show, got {count}")
    order = np.argsort(retrieval.average_precision, kind="stable")
    steps = np.linspace(0, len(order) - 1, min(count, len(order))).round().astype(int)
    return np.flatnonzero(retrieval.valid)[order[steps]].tolist()


def rank_examples(
    query: TrackletFeatures,
    gallery: TrackletFeatures,
    chosen: Sequence[int],
    count: int = 10,
    metric: Metric = "euclidean",
    normalize: bool = False,
) -> list[Example]:
    """Rank the gallery for some queries, ties in gallery order.

    Args:
        query, gallery: as a protocol selects them.
        chosen: places of the queries.
        count: gallery tracklets to name.
        metric, normalize: as in :func:`~reidar_plugin.metrics.distances.distance_blocks`.
    """
    asked = query.take(torch.as_tensor(list(chosen), dtype=torch.int64, device=query.pids.device))
    distances = pairwise_distances(asked.features, gallery.features, metric, normalize)
    own = (asked.pids[:, None] == gallery.pids) & (asked.camids[:, None] == gallery.camids)
    values, places = nearest(distances.masked_fill_(own, torch.inf), count)
    examples = []
    for place, row, found in zip(chosen, values.tolist(), places.tolist(), strict=True):
        kept = sum(value < float("inf") for value in row)
        examples.append(Example(int(place), tuple(found[:kept]), tuple(row[:kept])))
    return examples
