"""All of MARS: the real identities and cameras, made-up features; ours against the host's evaluator."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import loadmat

from reidar_plugin.host import reid
from reidar_plugin.metrics.distances import pairwise_distances
from reidar_plugin.metrics.protocol_results import evaluate_retrieval
from reidar_plugin.metrics.protocols import TrackletFeatures, protocols_of

INFO = Path(__file__).resolve().parents[2] / "../shared/mars/info"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not INFO.is_dir(), reason=f"the MARS tables are not at {INFO}"),
]


def mars(width: int = 32, noise: float = 0.8) -> tuple[TrackletFeatures, TrackletFeatures]:
    """The real test lists; features of one person lie together, distractors anywhere."""
    table = loadmat(INFO / "tracks_test_info.mat")["track_test_info"].astype(np.int64)
    asked = loadmat(INFO / "query_IDX.mat")["query_IDX"].ravel().astype(np.int64) - 1
    searched = np.setdiff1d(np.arange(len(table)), asked)
    searched = searched[table[searched, 2] != -1]  # junk
    draw = torch.Generator().manual_seed(0)
    centres = torch.randn(2000, width, generator=draw)

    def side(places: np.ndarray) -> TrackletFeatures:
        pids, camids = torch.from_numpy(table[places, 2]), torch.from_numpy(table[places, 3] - 1)
        own = torch.where(pids[:, None] > 0, centres[pids], torch.randn(len(pids), width, generator=draw))
        return TrackletFeatures(own + noise * torch.randn(len(pids), width, generator=draw), pids, camids)

    return side(asked), side(searched)


def test_the_three_protocols_have_the_published_sizes() -> None:
    results = evaluate_retrieval(*mars(), protocols_of("mars"))
    assert [
        (r.title, r.queries, r.gallery, r.distractors, int(r.retrieval.valid.sum())) for r in results
    ] == [
        ("MARS usual", 1980, 9330, 3248, 1840),
        ("MARS no-distractors", 1980, 6082, 0, 1840),
        ("MARS mixing", 1980, 11310, 3248, 1980),
    ]
    usual, without, _ = (result.retrieval for result in results)
    assert without.mAP > usual.mAP  # distractors only ever push right answers back
    assert (without.first_match <= usual.first_match).all()


@pytest.mark.slow
def test_matches_the_host() -> None:
    query, gallery = mars(noise=1.2)
    few = torch.arange(0, 1980, 12)  # the host's evaluator takes 10 ms a query
    query = query.take(few)
    distances = pairwise_distances(query.features, gallery.features).numpy()
    people = query.pids.numpy(), gallery.pids.numpy(), query.camids.numpy(), gallery.camids.numpy()
    cmc, mean_ap = reid.metrics.evaluate_rank(distances, *people, max_rank=20, use_cython=False)
    ours = evaluate_retrieval(query, gallery, protocols_of("mars")[:1])[0].retrieval
    assert 0.1 < mean_ap < 0.99
    assert ours.mAP == pytest.approx(mean_ap, abs=1e-6)
    assert [ours.cmc(rank) for rank in range(1, 21)] == pytest.approx(cmc.tolist(), abs=1e-6)
