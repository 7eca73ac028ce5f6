"""The same figures on a GPU as on the CPU."""

import pytest
import torch

from reidar_plugin.metrics.distances import pairwise_distances
from reidar_plugin.metrics.protocol_results import Reranking, evaluate_retrieval
from reidar_plugin.metrics.protocols import TrackletFeatures, protocols_of
from reidar_plugin.metrics.rerank import rerank

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]


def side(count: int, seed: int, device: str) -> TrackletFeatures:
    draw = torch.Generator().manual_seed(seed)
    pids = torch.randint(0, 20, (count,), generator=draw)
    centres = torch.randn(20, 64, generator=torch.Generator().manual_seed(9))
    features = (
        2 * centres[pids] + 2 * torch.randn(count, 64, generator=draw)
    ).round()  # whole: exact on both
    return TrackletFeatures(
        *(t.to(device) for t in (features, pids, torch.randint(0, 4, (count,), generator=draw)))
    )


@pytest.mark.parametrize("reranking", [None, Reranking()])
def test_same_figures(reranking: Reranking | None) -> None:
    (cpu,), (gpu,) = (
        evaluate_retrieval(
            side(80, 0, device), side(300, 1, device), protocols_of("any"), reranking=reranking
        )
        for device in ("cpu", "cuda")
    )
    assert gpu.fingerprint == cpu.fingerprint
    assert gpu.figures() == pytest.approx(cpu.figures(), abs=1e-6)


def test_same_distances_under_autocast() -> None:
    query, gallery = (side(count, seed, "cpu").features for count, seed in ((80, 0), (300, 1)))
    with torch.autocast("cuda", dtype=torch.bfloat16):
        plain = pairwise_distances(query.cuda(), gallery.cuda()).cpu()
        reranked = rerank(query.cuda(), gallery.cuda()).cpu()
    assert torch.equal(plain, pairwise_distances(query, gallery))
    torch.testing.assert_close(reranked, rerank(query, gallery), atol=1e-6, rtol=0)
