"""Distances between tracklets, and who is found by them."""

import numpy as np

from reidar_plugin.data.tracklets import Tracklet
from reidar_plugin.synthped.seeded_random import Array

__all__ = ["by_camera", "camids_of", "cross_camera", "distances", "rank"]


def rank(
    distance: Array, queries: list[Tracklet], gallery: list[Tracklet], own_camera: bool = True
) -> tuple[float, float]:
    """Rank-1 and mAP in percent over the queries that have a right answer.

    Pictures of the query's person in its own camera do not count; without ``own_camera`` nothing of that camera does.
    """
    hits, precisions = [], []
    pids, camids = (np.array([getattr(t, name) for t in gallery]) for name in ("pid", "camid"))
    for row, query in zip(distance, queries, strict=True):
        same = camids == query.camid
        keep = ~same if not own_camera else ~(same & (pids == query.pid))
        match = (pids == query.pid)[keep][np.argsort(row[keep], kind="stable")]
        if match.any():
            indices = np.flatnonzero(match)
            hits.append(match[0])
            precisions.append(np.mean((np.arange(len(indices)) + 1) / (indices + 1)))
    return 100 * float(np.mean(hits)), 100 * float(np.mean(precisions))


def distances(features: Array, queries: int) -> Array:
    """Euclidean distances of the first rows to the others."""
    a, b = features[:queries], features[queries:]
    return (a * a).sum(1)[:, None] + (b * b).sum(1)[None] - 2 * a @ b.T


def cross_camera(distance: Array, pids: Array, camids: Array, queries: int) -> float:
    """Rank-1 in percent among the tracklets of other cameras."""
    blocked = np.where(camids[:queries, None] == camids[None, queries:], np.inf, distance)
    return 100 * float((pids[queries:][blocked.argmin(1)] == pids[:queries]).mean())


def by_camera(features: Array, camids: Array) -> Array:
    """Standardise within each camera, so that what is left can be compared across them."""
    result = features.copy()
    for camid in np.unique(camids):
        rows = features[camids == camid]
        result[camids == camid] = (rows - rows.mean(0)) / (rows.std(0) + 1e-9)
    return result


def camids_of(tracklets: list[Tracklet]) -> Array:
    return np.array([t.camid for t in tracklets])
