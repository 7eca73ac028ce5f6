"""Re-ranking against a definition with Python sets, and against the host's dense one."""

import math

import numpy as np
import pytest
import torch

from reidar_plugin.host import reid
from reidar_plugin.metrics.distances import pairwise_distances, prepare_features
from reidar_plugin.metrics.neighbours import explore, nearest
from reidar_plugin.metrics.rerank import rerank


def definition(distances: np.ndarray, queries: int, k1: int, k2: int, weight: float) -> np.ndarray:
    """Zhong et al., one set at a time, on the host's squared squares; ties in order of place."""
    everyone = range(len(distances))
    scaled = [[float(d) ** 2 / max(float(x) ** 2 for x in row) for d in row] for row in distances]
    order = [sorted(everyone, key=lambda j: (distances[i][j], j)) for i in everyone]

    def mutual(i: int, count: int) -> set[int]:
        return {j for j in order[i][:count] if i in order[j][:count]}

    vectors = []
    for i in everyone:
        members = set(near := mutual(i, k1 + 1))
        for j in near:
            half = mutual(j, round(k1 / 2) + 1)
            if len(half & near) > 2 / 3 * len(half):
                members |= half
        total = sum(math.exp(-scaled[i][j]) for j in members)
        vectors.append({j: math.exp(-scaled[i][j]) / total for j in members})
    averaged = [
        {j: sum(vectors[n].get(j, 0.0) for n in order[i][:k2]) / len(order[i][:k2]) for j in everyone}
        for i in everyone
    ]
    result = np.empty((queries, len(distances) - queries))
    for q in range(queries):
        for g in range(queries, len(distances)):
            shared = sum(min(averaged[q][j], averaged[g][j]) for j in everyone)
            result[q, g - queries] = weight * scaled[q][g] + (1 - weight) * (1 - shared / (2 - shared))
    return result


def clustered(seed: int, count: int, people: int = 12, width: int = 32) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    centres = torch.randn(people, width, generator=draw)
    return centres[torch.randint(0, people, (count,), generator=draw)] + 0.7 * torch.randn(
        count, width, generator=draw
    )


PARAMETERS = [(20, 6, 0.3), (5, 3, 0.3), (7, 1, 0.0), (4, 12, 0.5), (1, 1, 0.3), (9, 5, 1.0)]


@pytest.mark.parametrize(("k1", "k2", "weight"), PARAMETERS)
def test_matches_the_definition(k1: int, k2: int, weight: float) -> None:
    everyone = clustered(0, 50)
    expected = definition(pairwise_distances(everyone, everyone).numpy(), 15, k1, k2, weight)
    ours = rerank(everyone[:15], everyone[15:], k1, k2, weight)
    np.testing.assert_allclose(ours.numpy(), expected, atol=1e-5)
    assert weight == 1.0 or not np.allclose(ours, pairwise_distances(everyone[:15], everyone[15:]), atol=0.1)


def test_ties_follow_the_definition() -> None:
    # everybody three times, in whole numbers so that equal distances are computed equal
    everyone = (clustered(1, 20) * 2).round().repeat(3, 1)
    distances = pairwise_distances(everyone, everyone)
    assert (distances == 0).sum() >= 180
    expected = definition(distances.numpy(), 20, 6, 3, 0.3)
    np.testing.assert_allclose(rerank(everyone[:20], everyone[20:], 6, 3, 0.3).numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize(("k1", "k2", "weight"), PARAMETERS)
def test_matches_the_host(k1: int, k2: int, weight: float, metric: str) -> None:
    query, gallery = clustered(2, 60), clustered(2, 200)[60:]
    compare = reid.metrics.compute_distance_matrix
    pairs = (query, gallery), (query, query), (gallery, gallery)
    expected = reid.utils.re_ranking(*(compare(a, b, metric).numpy() for a, b in pairs), k1, k2, weight)
    np.testing.assert_allclose(rerank(query, gallery, k1, k2, weight, metric).numpy(), expected, atol=1e-6)


def test_small_sets_and_many_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    query, gallery = clustered(3, 70), clustered(4, 9)
    whole = rerank(query, gallery)
    monkeypatch.setattr("reidar_plugin.metrics.distances.CPU_BLOCK", 1000)
    monkeypatch.setattr("reidar_plugin.metrics.rerank.ROWS", 3)
    torch.testing.assert_close(rerank(query, gallery), whole, atol=1e-6, rtol=0)
    assert rerank(query[:1], gallery[:1]).shape == (1, 1)


def test_improves_a_clustered_search() -> None:
    draw = torch.Generator().manual_seed(5)
    pids = torch.arange(30).repeat(12)
    everyone = torch.randn(30, 32, generator=draw)[pids] + 0.9 * torch.randn(360, 32, generator=draw)
    plain, reranked = pairwise_distances(everyone[:30], everyone[30:]), rerank(everyone[:30], everyone[30:])
    from reidar_plugin.metrics.retrieval import rank_distances

    people = pids[:30], pids[30:], torch.zeros(30).long(), torch.ones(330).long()
    assert rank_distances(reranked, *people).mAP > rank_distances(plain, *people).mAP + 0.02


def test_nearest_is_a_stable_sort() -> None:
    draw = torch.Generator().manual_seed(0)
    for distances in (
        torch.rand(20, 50, generator=draw),
        torch.randint(0, 3, (20, 50), generator=draw).float(),
    ):
        values, places = distances.sort(dim=1, stable=True)
        ours, where = nearest(distances, 7)
        assert torch.equal(where, places[:, :7])
        assert torch.equal(ours, values[:, :7])
    assert nearest(torch.rand(2, 3), 9)[0].shape == (2, 3)


@pytest.mark.parametrize("elements", [1, 400, 2**22])  # one row at a time, 6 rows, all at once
def test_exploring_sees_all_distances(elements: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reidar_plugin.metrics.distances.CPU_BLOCK", elements)
    everyone = (clustered(6, 30) * 2).round().repeat(2, 1)  # whole numbers and twins: exact ties
    distances = pairwise_distances(everyone, everyone)
    values, places = distances.sort(dim=1, stable=True)
    hood = explore(prepare_features(everyone), queries=17, count=8)
    assert torch.equal(hood.distances, values[:, :8])
    assert torch.equal(hood.places, places[:, :8])
    assert torch.equal(hood.farthest, distances.amax(dim=1))
    assert torch.equal(hood.asked, distances[:17, 17:])


def test_bad_parameters_are_named() -> None:
    query = clustered(0, 4)
    with pytest.raises(ValueError, match=r"k1 >= 1 and k2 >= 1, got k1=0, k2=6"):
        rerank(query, query, k1=0)
    with pytest.raises(ValueError, match=r"from 0 to 1, got 1.5"):
        rerank(query, query, lambda_value=1.5)
    query[2] = float("nan")
    with pytest.raises(ValueError, match=r"query features: 1 of 4 rows .* row 2"):
        rerank(query, clustered(1, 4))
