"""Ranking against a definition that walks down a sorted gallery, and against the host's evaluator."""

import numpy as np
import pytest
import torch

from reidar_plugin.host import reid
from reidar_plugin.metrics import retrieval as module
from reidar_plugin.metrics.distances import distance_blocks, pairwise_distances
from reidar_plugin.metrics.retrieval import rank_blocks, rank_distances

Case = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def definition(case: Case) -> list[tuple[float, float, int] | None]:
    """(AP, INP, first match) of each query, None where it is not valid: one gallery entry at a time."""
    distances, query_pids, gallery_pids, query_cams, gallery_cams = case
    figures: list[tuple[float, float, int] | None] = []
    for row, pid, cam in zip(distances.tolist(), query_pids, query_cams, strict=True):
        rank, right_ranks = 0, []
        for g in sorted(range(len(row)), key=lambda g: (row[g], g)):
            if gallery_pids[g] == pid and gallery_cams[g] == cam:
                continue
            rank += 1
            if gallery_pids[g] == pid:
                right_ranks.append(rank)
        if not right_ranks:
            figures.append(None)
            continue
        precision = [number / rank for number, rank in enumerate(right_ranks, start=1)]
        figures.append((sum(precision) / len(precision), len(precision) / right_ranks[-1], right_ranks[0]))
    return figures


def case(seed: int, queries: int, gallery: int, people: int, cameras: int, levels: int = 0) -> Case:
    """Random distances; with ``levels`` there are only that many different ones."""
    draws = np.random.default_rng(seed)
    distances = draws.normal(size=(queries, gallery)).astype(np.float32)
    if levels:
        distances = np.floor(draws.random((queries, gallery)) * levels).astype(np.float32) - levels // 2
    ids = [draws.integers(0, bound, size) for bound in (people, cameras) for size in (queries, gallery)]
    return distances, *ids


CASES = {
    "random": case(0, 40, 90, 12, 4),
    "two distances only": case(1, 40, 90, 12, 4, levels=2),
    "all at one distance": case(2, 20, 60, 6, 3, levels=1),
    "negative, zero and positive ties": case(3, 30, 80, 10, 4, levels=5),
    "few matches": case(4, 40, 30, 60, 3),
    "gallery of one": case(5, 6, 1, 2, 3),
    "one person": case(6, 10, 30, 1, 4, levels=3),
    "two cameras": case(7, 30, 40, 8, 2),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("elements", [1, 300, 2**19])
def test_matches_the_definition(name: str, elements: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CPU_BLOCK", elements)
    expected = definition(CASES[name])
    ours = rank_distances(*CASES[name])
    assert ours.valid.tolist() == [figures is not None for figures in expected]
    assert ours.valid.any()
    assert ours.invalid == expected.count(None)
    precision, penalty, first = zip(*(figures for figures in expected if figures), strict=True)
    np.testing.assert_allclose(ours.average_precision, precision, rtol=1e-12)
    np.testing.assert_allclose(ours.inverse_penalty, penalty, rtol=1e-12)
    assert ours.first_match.tolist() == list(first)
    assert ours.mAP == pytest.approx(np.mean(precision))
    assert ours.mINP == pytest.approx(np.mean(penalty))
    for rank in (1, 5, 10, 20):
        assert ours.cmc(rank) == pytest.approx(np.mean([figure <= rank for figure in first]))


def test_the_cases_reach_what_they_claim() -> None:
    assert any(figures is None for figures in definition(CASES["few matches"]))
    assert len(np.unique(CASES["all at one distance"][0])) == 1
    assert (
        CASES["negative, zero and positive ties"][0].min()
        < 0
        < CASES["negative, zero and positive ties"][0].max()
    )


def test_by_hand() -> None:
    # order: wrong, right, same camera (ignored), right, wrong -> right answers at ranks 2 and 3
    distances = torch.tensor([[0.1, 0.2, 0.3, 0.4, 0.5]])
    ours = rank_distances(distances, [7], [1, 7, 7, 7, 2], [0], [1, 1, 0, 2, 1])
    assert ours.first_match.tolist() == [2]
    assert ours.average_precision.tolist() == pytest.approx([(1 / 2 + 2 / 3) / 2])
    assert ours.inverse_penalty.tolist() == pytest.approx([2 / 3])
    assert (ours.cmc(1), ours.cmc(2)) == (0.0, 1.0)


def test_ties_stand_in_gallery_order() -> None:
    right_last = rank_distances(torch.zeros(1, 3), [1], [2, 3, 1], [0], [1, 1, 1])
    right_first = rank_distances(torch.tensor([[-0.0, 0.0, 0.0]]), [1], [1, 2, 3], [0], [1, 1, 1])
    assert (right_last.first_match.tolist(), right_first.first_match.tolist()) == ([3], [1])
    zeros_of_both_signs = rank_distances(torch.tensor([[0.0, -0.0]]), [1], [1, 2], [0], [1, 1])
    assert zeros_of_both_signs.first_match.tolist() == [1]


@pytest.mark.parametrize("seed", range(3))
def test_matches_the_host_without_ties(seed: int) -> None:
    distances, *people = case(seed, 60, 200, 25, 5)
    assert all(len(np.unique(row)) == len(row) for row in distances)
    cmc, mean_ap = reid.metrics.evaluate_rank(distances, *people, max_rank=20, use_cython=False)
    ours = rank_distances(distances, *people)
    assert ours.mAP == pytest.approx(mean_ap, abs=1e-9)
    assert [ours.cmc(rank) for rank in range(1, 21)] == pytest.approx(cmc.tolist(), abs=1e-6)


def test_blocks_give_what_the_matrix_gives() -> None:
    draw = torch.Generator().manual_seed(0)
    query, gallery = torch.randn(50, 8, generator=draw), torch.randn(70, 8, generator=draw)
    _, *people = case(9, 50, 70, 10, 4)
    whole = rank_distances(pairwise_distances(query, gallery), *people)
    parts = rank_blocks(distance_blocks(query, gallery, block=500), *people)
    np.testing.assert_allclose(whole.average_precision, parts.average_precision, rtol=1e-12)
    assert np.array_equal(whole.first_match, parts.first_match)


def test_input_is_not_changed() -> None:
    distances, *people = CASES["random"]
    kept = distances.copy()
    rank_distances(distances, *people)
    assert np.array_equal(distances, kept)


def test_no_cross_camera_match_says_so() -> None:
    with pytest.raises(
        ValueError, match=r"none of 3 queries has a match .* among 5 gallery tracklets .*: 2; .*: 2\)"
    ):
        rank_distances(torch.rand(3, 5), [1, 2, 3], [1, 2, 3, 1, 2], [2, 2, 2], [2] * 5)
    with pytest.raises(ValueError, match=r"none of 2 queries"):  # distractors only
        rank_distances(torch.rand(2, 4), [1, 2], [0, 0, 0, 0], [0, 0], [1, 1, 1, 1])


def test_bad_input_is_named() -> None:
    good = [1, 2], [1, 2, 3], [0, 0], [1, 1, 1]
    with pytest.raises(ValueError, match=r"distances hold NaN"):
        rank_distances(torch.tensor([[0.0, float("nan"), 1.0], [0.0, 1.0, 2.0]]), *good)
    with pytest.raises(ValueError, match=r"2 queries x 3 gallery tracklets, got a block of shape \(2, 4\)"):
        rank_distances(torch.rand(2, 4), *good)
    with pytest.raises(ValueError, match=r"distances of 1 queries, but identities of 2"):
        rank_distances(torch.rand(1, 3), *good)
    with pytest.raises(ValueError, match=r"the gallery is empty"):
        rank_distances(torch.rand(2, 0), [1, 2], [], [0, 0], [])
    with pytest.raises(ValueError, match=r"the query is empty"):
        rank_distances(torch.rand(0, 3), [], [1, 2, 3], [], [1, 1, 1])
    with pytest.raises(ValueError, match=r"query: 2 identities but 3 cameras"):
        rank_distances(torch.rand(2, 3), [1, 2], [1, 2, 3], [0, 0, 0], [1, 1, 1])
    with pytest.raises(TypeError, match=r"gallery pids: expected integers, got torch.float32"):
        rank_distances(torch.rand(2, 3), [1, 2], [1.0, 2.0, 3.0], [0, 0], [1, 1, 1])
    with pytest.raises(TypeError, match=r"query pids: expected integers, got torch.bool"):
        rank_distances(torch.rand(2, 3), [True, False], [1, 2, 3], [0, 0], [1, 1, 1])
    with pytest.raises(ValueError, match=r"gallery camids: .* got shape \(1, 3\)"):
        rank_distances(torch.rand(2, 3), [1, 2], [1, 2, 3], [0, 0], [[1, 1, 1]])
    with pytest.raises(ValueError, match=r"got shape \(3,\)"):
        rank_distances(torch.rand(3), *good)
    with pytest.raises(ValueError, match=r"counted from 1, got 0"):
        rank_distances(torch.rand(2, 3), *good).cmc(0)
