"""People from tracklets: the clusters of the definition, constraints that matter, the same answer in any order."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from reidar_plugin.errors import InputError
from reidar_plugin.inference.people import cluster_people, join_clusters, never_one_person


def distances_of(points: NDArray[np.float64]) -> NDArray[np.float64]:
    return ((points[:, None] - points[None]) ** 2).sum(axis=2)


def by_definition(
    distances: NDArray[np.float64], apart: NDArray[np.bool_], threshold: float
) -> set[frozenset[int]]:
    """Every pair of clusters anew at each step, with sets and means of all pairs of members."""
    clusters = [frozenset([row]) for row in range(len(distances))]
    while True:
        best: tuple[float, frozenset[int], frozenset[int]] | None = None
        for one, other in itertools.combinations(clusters, 2):
            pairs = list(itertools.product(one, other))
            if any(apart[a, b] for a, b in pairs):
                continue
            mean = sum(distances[a, b] for a, b in pairs) / len(pairs)
            if mean <= threshold and (best is None or mean < best[0]):
                best = mean, one, other
        if best is None:
            return set(clusters)
        clusters = [each for each in clusters if each not in best[1:]] + [best[1] | best[2]]


def as_sets(people: NDArray[np.int64]) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(people == person).tolist()) for person in np.unique(people)}


@pytest.mark.parametrize("seed", range(12))
def test_matches_the_definition(seed: int) -> None:
    random = np.random.default_rng(seed)
    distances = distances_of(random.normal(size=(18, 3)))
    apart = np.triu(random.random((18, 18)) < 0.25, 1)
    apart |= apart.T
    threshold = float(np.quantile(distances, 0.4))
    found = as_sets(join_clusters(distances, apart, threshold))
    assert found == by_definition(distances, apart, threshold)
    free = as_sets(join_clusters(distances, np.zeros_like(apart), threshold))
    assert found != free  # the constraints changed the answer
    assert 1 < len(found) < 18


def test_without_constraints_it_is_scipys_average_linkage() -> None:
    points = np.random.default_rng(0).normal(size=(300, 4))
    distances = distances_of(points)
    threshold = 3.0
    tree = linkage(squareform(distances, checks=False), method="average")
    theirs = fcluster(tree, threshold, criterion="distance")
    ours = join_clusters(distances, np.zeros(distances.shape, bool), threshold)
    assert as_sets(ours) == as_sets(theirs.astype(np.int64))
    assert 20 < ours.max() < 200


def test_two_of_one_camera_at_one_time_are_two_people() -> None:
    """Twins walk side by side past both cameras: without the constraint all four tracklets are one person."""
    features = np.array([[0.0, 0.0], [0.3, 0.0], [0.0, 0.1], [0.3, 0.1]])
    camera = np.array([0, 0, 1, 1])
    first, last = np.array([0.0, 0.0, 20.0, 20.0]), np.array([9.0, 9.0, 29.0, 29.0])
    assert cluster_people(features, camera, first, last, 1.0).tolist() == [0, 1, 0, 1]
    later = first + np.array([0.0, 10.0, 0.0, 10.0])
    assert cluster_people(features, camera, later, later + 9.0, 1.0).tolist() == [0, 0, 0, 0]


def test_pairs_that_cannot_be_one_by_hand() -> None:
    camera = np.array([0, 0, 0, 1, 1])
    first = np.array([0.0, 5.0, 10.0, 11.0, 40.0])
    last = np.array([5.0, 9.0, 12.0, 14.0, 50.0])

    def pairs(travel_time: float | None) -> list[tuple[int, int]]:
        apart = never_one_person(camera, first, last, travel_time)
        np.testing.assert_array_equal(apart, apart.T)
        return [(int(a), int(b)) for a, b in zip(*np.nonzero(np.triu(apart)), strict=True)]

    assert pairs(None) == [(0, 1)]  # they meet at 5.0
    assert pairs(0.0) == [(0, 1), (2, 3)]
    assert pairs(2.5) == [(0, 1), (1, 3), (2, 3)]
    assert pairs(100.0) == [(0, 1), *itertools.product((0, 1, 2), (3, 4))]


def test_travel_time_keeps_apart_who_could_not_have_walked_there() -> None:
    features, camera = np.zeros((2, 4)) + 1.0, np.array([0, 1])
    first, last = np.array([0.0, 12.0]), np.array([10.0, 20.0])
    assert cluster_people(features, camera, first, last, 0.5, travel_time=2.0).tolist() == [0, 0]
    assert cluster_people(features, camera, first, last, 0.5, travel_time=2.5).tolist() == [0, 1]


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_people_do_not_depend_on_the_order_of_tracklets(metric: str) -> None:
    random = np.random.default_rng(1)
    centres = random.normal(size=(12, 16))
    truth = random.integers(0, 12, 80)
    features = (centres[truth] + 0.05 * random.normal(size=(80, 16))).astype(np.float32)
    first = random.uniform(0, 1e6, 80)
    order = random.permutation(80)

    def people(rows: NDArray[np.intp]) -> NDArray[np.int64]:
        camera = np.zeros(80, int)
        limit = {"euclidean": 2.0, "cosine": 0.1}[metric]
        return cluster_people(features[rows], camera, first[rows], first[rows], limit, metric=metric)  # type: ignore[arg-type]

    found, again = people(np.arange(80)), people(order)
    assert as_sets(found) == as_sets(truth)
    back = np.empty(80, np.int64)
    back[order] = again
    assert as_sets(back) == as_sets(found)
    assert [int(np.flatnonzero(found == person)[0]) for person in range(12)] == sorted(
        np.unique(found, return_index=True)[1]
    )  # numbered in the order of their first tracklets


def test_a_threshold_of_zero_or_infinity() -> None:
    features, times = np.arange(6.0)[:, None], np.arange(6.0)
    camera = np.zeros(6, int)
    assert cluster_people(features, camera, times, times, 0.0).tolist() == list(range(6))
    assert cluster_people(features, camera, times, times, np.inf).tolist() == [0] * 6
    assert cluster_people(features, camera, times * 0, times, np.inf).tolist() == list(
        range(6)
    )  # all overlap
    assert cluster_people(np.empty((0, 3)), *np.empty((3, 0)), 1.0).tolist() == []


def test_wrong_input_is_one_line() -> None:
    one, two = np.zeros((1, 2)), np.zeros(2)
    with pytest.raises(InputError, match=r"got \[1, 2\] of them"):
        cluster_people(one, two, two, two, 1.0)
    with pytest.raises(InputError, match=r"tracklet 1: expected a first time .* got 3.0 and 2.0"):
        cluster_people(np.zeros((2, 2)), two, np.array([0.0, 3.0]), np.array([1.0, 2.0]), 1.0)
    with pytest.raises(InputError, match="threshold: expected a distance, got NaN"):
        cluster_people(np.zeros((2, 2)), two, two, two, np.nan)
