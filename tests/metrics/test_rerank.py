"""Re-ranking against a definition with Python sets, and against the host's dense one."""

import math

import numpy as np
import pytest
import torch

from reidar_plugin.host import reid
from reidar_plugin.metrics.distances import pairwise_distances
from reidar_plugin.metrics.rerank import rerank
from reidar_plugin.metrics.retrieval import rank_distances


def definition(distances: np.ndarray, queries: int, k1: int, k2: int, weight: float) -> np.ndarray:
    """Zhong et al., one set at a time, on the host's squared squares; ties in order of index."""
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
    people = pids[:30], pids[30:], torch.zeros(30).long(), torch.ones(330).long()
    assert rank_distances(reranked, *people).mAP > rank_distances(plain, *people).mAP + 0.02


def test_by_hand() -> None:
    """One neighbour each: two pairs of twins share their sets, so their Jaccard distance is 0, and 1 across."""
    query, gallery = torch.zeros(1, 2), torch.tensor([[0.0, 0.0], [3.0, 4.0], [3.0, 4.0]])
    reranked = rerank(query, gallery, k1=1, k2=1, lambda_value=0.25)
    assert reranked.tolist() == [[0.0, 1.0, 1.0]]  # the farthest has the scaled distance 1


def test_bad_parameters_are_named() -> None:
    query = clustered(0, 4)
    with pytest.raises(ValueError, match=r"k1 >= 1 and k2 >= 1, got k1=0, k2=6"):
        rerank(query, query, k1=0)
    with pytest.raises(ValueError, match=r"from 0 to 1, got 1.5"):
        rerank(query, query, lambda_value=1.5)
    query[2] = float("nan")
    with pytest.raises(ValueError, match=r"query features: 1 of 4 rows .* row 2"):
        rerank(query, clustered(1, 4))
