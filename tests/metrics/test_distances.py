import math

import pytest
import torch

from reidar_plugin.metrics.distances import (
    check_metric,
    distance_blocks,
    pair_distances,
    pairwise_distances,
    prepare_features,
)


def definition(a: list[float], b: list[float], metric: str, normalize: bool) -> float:
    if normalize or metric == "cosine":
        a, b = ([x / math.hypot(*v) for x in v] for v in (a, b))
    if metric == "cosine":
        return 1 - sum(x * y for x, y in zip(a, b, strict=True))
    return math.dist(a, b) ** 2


def features(count: int, seed: int, width: int = 16) -> torch.Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_matches_the_definition(metric: str, normalize: bool, dtype: torch.dtype) -> None:
    query, gallery = features(5, 0).to(dtype), features(7, 1).to(dtype)
    ours = pairwise_distances(query, gallery, metric, normalize)
    expected = [[definition(q, g, metric, normalize) for g in gallery.tolist()] for q in query.tolist()]
    assert ours.dtype == torch.float32
    torch.testing.assert_close(ours, torch.tensor(expected), rtol=1e-5, atol=1e-5)


def test_by_hand() -> None:
    query, gallery = torch.tensor([[0.0, 0.0], [3.0, 4.0]]), torch.tensor([[3.0, 4.0], [-4.0, 3.0]])
    assert pairwise_distances(query, gallery).tolist() == [[25.0, 25.0], [0.0, 50.0]]
    assert pairwise_distances(query[1:], gallery, "cosine")[0].tolist() == pytest.approx([0.0, 1.0])


@pytest.mark.parametrize("block", [1, 20, 21, 10_000])
def test_blocks_are_the_rows_in_order(block: int) -> None:
    query, gallery = features(9, 0), features(10, 1)
    blocks = list(distance_blocks(query, gallery, block=block))
    assert len(blocks) == math.ceil(9 / max(1, block // 10))
    torch.testing.assert_close(torch.cat(blocks), pairwise_distances(query, gallery))


def test_pairs_are_entries_of_the_matrix() -> None:
    everyone = features(30, 2)
    first, second = torch.randint(0, 30, (2, 50), generator=torch.Generator().manual_seed(3))
    for metric in ("euclidean", "cosine"):
        chosen = pair_distances(prepare_features(everyone, metric), first, second, chunk=7)
        torch.testing.assert_close(chosen, pairwise_distances(everyone, everyone, metric)[first, second])


def test_stays_in_float32_under_autocast_and_fast_products() -> None:
    query, gallery = features(8, 0, 64), features(8, 1, 64)
    expected = pairwise_distances(query, gallery)
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert (query @ gallery.T).dtype == torch.bfloat16  # else autocast is off and this proves nothing
            assert torch.equal(pairwise_distances(query, gallery), expected)
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)


def test_never_below_zero_and_inputs_unchanged() -> None:
    query = features(50, 0, 512) * 10
    kept = query.clone()
    assert (query.square().sum(1)[:, None] + query.square().sum(1) - 2 * query @ query.T).min() < 0
    assert pairwise_distances(query, query).min() == 0
    assert torch.equal(query, kept)


def test_bad_features_are_named() -> None:
    broken = features(10, 0)
    broken[3, 2], broken[7, 0] = float("nan"), float("inf")
    with pytest.raises(
        ValueError, match=r"gallery features: 2 of 10 rows hold NaN or infinity, the first is row 3"
    ):
        pairwise_distances(features(2, 1), broken)
    with pytest.raises(ValueError, match=r"query features are 16 wide, gallery features 8"):
        pairwise_distances(features(2, 1), features(2, 1, 8))
    with pytest.raises(ValueError, match=r"query features: expected .* got shape \(0, 16\)"):
        pairwise_distances(features(0, 1), features(2, 1))
    with pytest.raises(ValueError, match=r"unknown metric 'manhattan'; choose one of 'euclidean', 'cosine'"):
        check_metric("manhattan")
