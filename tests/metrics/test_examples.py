import numpy as np
import pytest
import torch

from reidar_plugin.metrics.examples import choose_queries, rank_examples
from reidar_plugin.metrics.retrieval import Retrieval
from reidar_plugin.metrics.tracklets import TrackletFeatures


def test_queries_from_worst_to_best() -> None:
    valid = np.array([True, False, True, True, True, True])
    precision = np.array([0.5, 0.9, 0.1, 0.7, 0.3])  # of queries 0, 2, 3, 4, 5
    retrieval = Retrieval(valid, precision, precision, np.ones(5, dtype=np.int64))
    assert choose_queries(retrieval, 3) == [3, 0, 2]
    assert choose_queries(retrieval, 99) == [3, 5, 0, 4, 2]
    assert choose_queries(retrieval, 1) == [3]
    with pytest.raises(ValueError, match=r"at least one query to show, got 0"):
        choose_queries(retrieval, 0)


def test_ranks_others_nearest_first() -> None:
    query = TrackletFeatures(torch.tensor([[0.0], [10.0]]), torch.tensor([1, 2]), torch.tensor([0, 0]))
    gallery = TrackletFeatures(
        torch.tensor([[1.0], [2.0], [11.0], [1.0]]), torch.tensor([1, 2, 2, 1]), torch.tensor([1, 1, 0, 0])
    )
    first, second = rank_examples(query, gallery, [1, 0], count=3)
    assert (first.query, first.gallery, first.distances) == (
        1,
        (1, 0, 3),
        (64.0, 81.0, 81.0),
    )  # 2 is the same camera
    assert (second.query, second.gallery) == (0, (0, 1, 2))  # 3 is the same camera
