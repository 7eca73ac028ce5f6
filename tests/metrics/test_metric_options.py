import pytest
from yacs.config import CfgNode

from reidar_plugin.config import reidar_node
from reidar_plugin.metrics.evaluation import Reranking
from reidar_plugin.metrics.options import retrieval_options


def config(**test: object) -> CfgNode:
    host = {"dist_metric": "euclidean", "normalize_feature": False, "rerank": False}
    return CfgNode({"test": {**host, **test}, "reidar": reidar_node()})


def test_host_keys_choose_and_ours_refine() -> None:
    assert retrieval_options(config()) == {"metric": "euclidean", "normalize": False, "reranking": None}
    chosen = config(dist_metric="cosine", normalize_feature=True, rerank=True)
    assert retrieval_options(chosen) == {
        "metric": "cosine",
        "normalize": True,
        "reranking": Reranking(20, 6, 0.3),
    }
    chosen.reidar.test.rerank.k1 = 7
    assert retrieval_options(chosen)["reranking"] == Reranking(7, 6, 0.3)


def test_unknown_metric_is_named() -> None:
    with pytest.raises(ValueError, match=r"unknown metric 'manhattan'"):
        retrieval_options(config(dist_metric="manhattan"))
