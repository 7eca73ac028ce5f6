import pytest
import torch

from reidar_plugin.metrics.intervals import bootstrap_interval
from reidar_plugin.metrics.protocol_results import Reranking, evaluate_retrieval
from reidar_plugin.metrics.protocols import TrackletFeatures, protocols_of
from reidar_plugin.metrics.rerank import rerank
from reidar_plugin.metrics.retrieval import rank_distances


def side(pids: list[int], camids: list[int], seed: int = 0) -> TrackletFeatures:
    features = torch.randn(len(pids), 8, generator=torch.Generator().manual_seed(seed))
    return TrackletFeatures(features, torch.tensor(pids), torch.tensor(camids))


# person 3 has no gallery tracklet in another camera, only a query of its own in one
QUERY = side([1, 2, 3, 3], [0, 0, 0, 1], seed=1)
GALLERY = side([0, 1, 2, 0, 2, 3], [0, 1, 1, 2, 0, 0], seed=2)


def test_results_carry_protocol_and_counts() -> None:
    usual, without, mixing = evaluate_retrieval(QUERY, GALLERY, protocols_of("mars"))
    assert [
        (r.title, r.queries, r.gallery, r.distractors, r.retrieval.invalid) for r in (usual, without, mixing)
    ] == [
        ("MARS usual", 4, 6, 2, 1),  # the query of person 3 in camera 0 sees only camera 0
        ("MARS no-distractors", 4, 4, 0, 1),
        ("MARS mixing", 4, 10, 2, 0),
    ]
    assert usual.query_pids.tolist() == [1, 2, 3]
    distances = torch.cdist(QUERY.features, GALLERY.features)
    expected = rank_distances(distances, QUERY.pids, GALLERY.pids, QUERY.camids, GALLERY.camids)
    assert usual.figures() == {
        "rank-1": expected.cmc(1),
        "rank-5": expected.cmc(5),
        "rank-10": expected.cmc(10),
        "rank-20": expected.cmc(20),
        "mAP": expected.mAP,
        "mINP": expected.mINP,
    }
    assert usual.intervals(resamples=100)["mAP"].mean == pytest.approx(expected.mAP)
    assert len({usual.fingerprint, without.fingerprint, mixing.fingerprint}) == 3


def test_distances_are_named() -> None:
    protocols = protocols_of("mars")[:1]
    words = [
        evaluate_retrieval(QUERY, GALLERY, protocols, **options)[0].distance  # type: ignore[arg-type]
        for options in (
            {},
            {"normalize": True},
            {"metric": "cosine", "normalize": True},
            {"reranking": Reranking(3, 2, 0.25)},
        )
    ]
    assert words == [
        "squared Euclidean",
        "squared Euclidean of unit vectors",
        "cosine",
        "squared Euclidean, re-ranked (k1 3, k2 2, lambda 0.25)",
    ]


def test_reranked_results_are_those_of_reranked_distances() -> None:
    parameters = Reranking(2, 1, 0.3)
    (plain,), (result,) = (
        evaluate_retrieval(QUERY, GALLERY, protocols_of("any"), reranking=reranking)
        for reranking in (None, parameters)
    )
    distances = rerank(QUERY.features, GALLERY.features, *parameters)
    expected = rank_distances(distances, QUERY.pids, GALLERY.pids, QUERY.camids, GALLERY.camids)
    assert result.retrieval.average_precision.tolist() == expected.average_precision.tolist()
    assert result.reranked
    assert not plain.reranked


def test_intervals_are_those_of_the_values_of_each_query() -> None:
    (result,) = evaluate_retrieval(QUERY, GALLERY, protocols_of("any"))
    values = result.per_query()
    assert values["rank-1"].tolist() == (result.retrieval.first_match == 1).astype(float).tolist()
    assert result.intervals(0.8, 50, seed=3) == {
        name: bootstrap_interval(column, 0.8, 50, 3) for name, column in values.items()
    }


def test_no_distractors_in_data_sets_without() -> None:
    query, gallery = side([0, 1], [0, 0]), side([0, 1], [1, 1])
    (result,) = evaluate_retrieval(query, gallery, protocols_of("prid2011", split=4))
    assert (result.title, result.distractors) == ("PRID2011 split-4", 0)


def test_a_person_whom_nobody_else_saw_is_no_valid_query() -> None:
    query, gallery = side([4, 5, 6], [11, 11, 11]), side([4, 5, 4], [10, 12, 12])
    (result,) = evaluate_retrieval(query, gallery, protocols_of("lpw_actions"))
    assert (result.title, result.retrieval.invalid) == ("LPW scene-1", 1)


def test_empty_sides_are_named() -> None:
    nobody = GALLERY.take(GALLERY.pids == 99)
    with pytest.raises(ValueError, match=r"MARS usual: the gallery is empty"):
        evaluate_retrieval(QUERY, nobody, protocols_of("mars"))
    with pytest.raises(ValueError, match=r"MARS usual: the query is empty"):
        evaluate_retrieval(nobody, GALLERY, protocols_of("mars"))
    with pytest.raises(ValueError, match=r"MARS no-distractors: the gallery is empty"):
        evaluate_retrieval(QUERY, GALLERY.take(GALLERY.pids == 0), protocols_of("mars")[1:])
