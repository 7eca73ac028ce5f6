"""People from tracklets: constrained clustering of their features.

Average-linkage agglomeration: clusters that are on average nearest are joined, until none are nearer than a threshold.
Two tracklets that cannot be one person are never brought together: those that one camera sees at the same time, and, if
the cameras are far from one another, those that follow too soon for the way.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from reidar_plugin.errors import InputError
from reidar_plugin.metrics.distances import Metric, pairwise_distances

__all__ = ["cluster_people", "join_clusters", "never_one_person"]


def cluster_people(
    features: NDArray[np.floating],
    camera_of: NDArray[np.integer],
    first_time: NDArray[np.floating],
    last_time: NDArray[np.floating],
    threshold: float,
    *,
    metric: Metric = "euclidean",
    travel_time: float | None = None,
) -> NDArray[np.int64]:
    r"""The person of each tracklet.

    .. math::
        d(A, B) = \frac{1}{|A| |B|} \sum_{a \in A} \sum_{b \in B} d(a, b)

    The two clusters of the smallest d are joined while that is at most the threshold; pairs with two tracklets that
    cannot be one person are passed over. Equal distances are taken in the order of the tracklets, so the same
    input gives the same people. Memory is that of a matrix ``(N, N)`` in float64, time grows with about its size.

    Args:
        features: ``(N, D)``, one a tracklet.
        camera_of: number of the camera of each tracklet, ``(N,)``.
        first_time: time of its first frame on a clock that all cameras share, ``(N,)``.
        last_time: time of its last frame, ``(N,)``.
        threshold: mean distance up to which clusters are one person; a
            :class:`~reidar_plugin.inference.calibration.Calibration` has one.
        metric: ``euclidean`` (squared) or ``cosine``, that of the threshold.
        travel_time: seconds that nobody is faster from one camera to another; None where cameras may see the
            same place.

    Returns:
        ``(N,)``; people count from 0 in the order of their first tracklet.

    Raises:
        InputError: shapes that differ, a time that is not finite or ends before it begins, a threshold that is NaN.
    """
    sizes = {len(column) for column in (features, camera_of, first_time, last_time)}
    if len(sizes) != 1:
        raise InputError(
            f"expected a feature, a camera and two times a tracklet, got {sorted(sizes)} of them"
        )
    if not len(features):
        return np.empty(0, np.int64)
    apart = never_one_person(camera_of, first_time, last_time, travel_time)
    vectors = torch.from_numpy(np.ascontiguousarray(features))
    distances = pairwise_distances(vectors, vectors, metric).numpy().astype(np.float64)
    return join_clusters(distances, apart, threshold)


def never_one_person(
    camera_of: NDArray[np.integer],
    first_time: NDArray[np.floating],
    last_time: NDArray[np.floating],
    travel_time: float | None = None,
) -> NDArray[np.bool_]:
    """Pairs of tracklets ``(N, N)`` that cannot be one person: at one time in one camera, or too soon in another.

    The arguments are those of :func:`cluster_people`.
    """
    first, last = np.asarray(first_time, np.float64), np.asarray(last_time, np.float64)
    wrong = ~(np.isfinite(first) & np.isfinite(last) & (first <= last))
    if wrong.any():
        row = int(wrong.argmax())
        raise InputError(
            f"tracklet {row}: expected a first time that is not after the last, got {first[row]} and {last[row]}"
        )
    gap = np.maximum(first[:, None] - last[None, :], first[None, :] - last[:, None])  # below 0: they overlap
    camera = np.asarray(camera_of)
    here = camera[:, None] == camera[None, :]
    apart = here & (gap <= 0)
    if travel_time is not None:
        apart |= ~here & (gap < travel_time)
    np.fill_diagonal(apart, False)
    return apart


def join_clusters(
    distances: NDArray[np.float64], apart: NDArray[np.bool_], threshold: float
) -> NDArray[np.int64]:
    """Average-linkage clusters of a matrix of distances under constraints.

    Args:
        distances: symmetric ``(N, N)``.
        apart: pairs that never come together, symmetric ``(N, N)``.
        threshold: mean distance up to which two clusters are joined.

    Returns:
        Cluster of each row ``(N,)``, from 0 in the order of their first rows.
    """
    if np.isnan(threshold):
        raise InputError("threshold: expected a distance, got NaN")
    count = len(distances)
    between = np.where(apart, np.inf, distances)
    between = np.maximum(between, between.T)  # rounding may differ on both sides
    np.fill_diagonal(between, np.inf)
    weight, cluster = np.ones(count), np.arange(count)
    nearest = between.argmin(axis=1)
    nearness = between[np.arange(count), nearest]
    while True:
        first = int(nearness.argmin())
        if not nearness[first] <= min(threshold, np.finfo(np.float64).max):
            break
        a, b = sorted((first, int(nearest[first])))
        share = weight[a] / (weight[a] + weight[b])
        merged = between[a] * share + between[b] * (1.0 - share)  # infinite where either is
        merged[[a, b]] = np.inf
        between[a] = between[:, a] = merged
        between[b] = between[:, b] = np.inf
        weight[a] += weight[b]
        cluster[cluster == b] = a
        nearness[b] = np.inf
        _look_again(between, nearest, nearness, a, b)
    return _in_order(cluster)


def _look_again(
    between: NDArray[np.float64], nearest: NDArray[np.intp], nearness: NDArray[np.float64], a: int, b: int
) -> None:
    """Bring the nearest neighbours up to date after cluster b has been joined to a.

    A mean lies between its parts, so nobody comes nearer than its nearest was: only who had a or b as the nearest, and a
    itself, look through their whole row.
    """
    stale = np.flatnonzero((nearest == a) | (nearest == b) | (np.arange(len(nearest)) == a))
    stale = stale[stale != b]
    rows = between[stale]
    nearest[stale] = rows.argmin(axis=1)
    nearness[stale] = rows[np.arange(len(stale)), nearest[stale]]


def _in_order(cluster: NDArray[np.intp]) -> NDArray[np.int64]:
    names, first, inverse = np.unique(cluster, return_index=True, return_inverse=True)
    rank = np.empty(len(names), np.int64)
    rank[np.argsort(first)] = np.arange(len(names))
    return rank[inverse.reshape(-1)]
