"""From a config to the arguments of this room: the one place where it reads ``cfg``."""

from typing import Any

from yacs.config import CfgNode

from reidar_plugin.metrics.distances import check_metric
from reidar_plugin.metrics.evaluation import Reranking

__all__ = ["retrieval_options"]


def retrieval_options(cfg: CfgNode) -> dict[str, Any]:
    """Keyword arguments of :func:`~reidar_plugin.metrics.evaluation.evaluate_retrieval`.

    The host's keys choose (``test.dist_metric``, ``test.normalize_feature``, ``test.rerank``); the
    re-ranking's parameters are ``reidar.test.rerank``.
    """
    parameters = cfg.reidar.test.rerank
    reranking = Reranking(parameters.k1, parameters.k2, parameters.lambda_value)
    return {
        "metric": check_metric(cfg.test.dist_metric),
        "normalize": bool(cfg.test.normalize_feature),
        "reranking": reranking if cfg.test.rerank else None,
    }
