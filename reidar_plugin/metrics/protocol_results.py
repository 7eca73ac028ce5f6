"""A data set's whole retrieval test: every protocol, plain or re-ranked, with intervals."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from torch import Tensor

from reidar_plugin.errors import InputError
from reidar_plugin.metrics.distances import Metric, distance_blocks
from reidar_plugin.metrics.intervals import Interval, bootstrap_interval
from reidar_plugin.metrics.protocols import DISTRACTOR, Protocol
from reidar_plugin.metrics.rerank import rerank
from reidar_plugin.metrics.retrieval import Retrieval, rank_blocks
from reidar_plugin.metrics.tracklets import TrackletFeatures

__all__ = ["ProtocolResult", "Reranking", "evaluate_retrieval"]


class Reranking(NamedTuple):
    """Parameters of :func:`~reidar_plugin.metrics.rerank.rerank`; the defaults are the papers'."""

    k1: int = 20
    k2: int = 6
    lambda_value: float = 0.3


@dataclass(frozen=True)
class ProtocolResult:
    """One test under one protocol."""

    dataset: str
    protocol: str  #: its name
    summary: str  #: the protocol in one line
    distance: str  #: in words, e.g. ``squared Euclidean``
    reranked: bool
    queries: int
    gallery: int
    distractors: int
    retrieval: Retrieval
    query_pids: np.ndarray  #: int64 ``(V,)`` of the valid queries
    fingerprint: str  #: of identities and cameras on both sides: equal in two results that may be compared

    @property
    def title(self) -> str:
        """Data set and protocol, what stands beside every number."""
        return f"{self.dataset} {self.protocol}"

    def figures(self, ranks: Sequence[int] = (1, 5, 10, 20)) -> dict[str, float]:
        """All means by name, as fractions."""
        cmc = {f"rank-{rank}": self.retrieval.cmc(rank) for rank in ranks}
        return {**cmc, "mAP": self.retrieval.mAP, "mINP": self.retrieval.mINP}

    def intervals(self, level: float = 0.95, resamples: int = 10_000, seed: int = 0) -> dict[str, Interval]:
        """Bootstrap intervals over queries of rank-1, mAP and mINP."""
        return {
            name: bootstrap_interval(values, level, resamples, seed)
            for name, values in self.per_query().items()
        }

    def per_query(self) -> dict[str, np.ndarray]:
        """The figures whose means are rank-1, mAP and mINP, ``(V,)`` each."""
        return {
            "rank-1": (self.retrieval.first_match == 1).astype(np.float64),
            "mAP": self.retrieval.average_precision,
            "mINP": self.retrieval.inverse_penalty,
        }


def evaluate_retrieval(
    query: TrackletFeatures,
    gallery: TrackletFeatures,
    protocols: Sequence[Protocol],
    *,
    metric: Metric = "euclidean",
    normalize: bool = False,
    reranking: Reranking | None = None,
) -> list[ProtocolResult]:
    """Test features under each protocol.

    Args:
        query, gallery: all that the data set's lists hold; protocols choose from them.
        protocols: see :func:`~reidar_plugin.metrics.protocols.protocols_of`.
        metric, normalize: the distance, see :func:`~reidar_plugin.metrics.distances.distance_blocks`.
        reranking: re-rank every protocol's distances so; None does not.
    """
    results = []
    for protocol in protocols:
        asked, searched = protocol.select(query, gallery)
        if not len(asked.pids) or not len(searched.pids):
            empty = "query" if not len(asked.pids) else "gallery"
            raise InputError(f"{protocol.title}: the {empty} is empty; look at the data set's {empty} list")
        distances = _distances(asked.features, searched.features, metric, normalize, reranking)
        retrieval = rank_blocks(distances, asked.pids, searched.pids, asked.camids, searched.camids)
        results.append(
            ProtocolResult(
                dataset=protocol.dataset,
                protocol=protocol.name,
                summary=protocol.summary,
                distance=_words(metric, normalize, reranking),
                reranked=reranking is not None,
                queries=len(asked.pids),
                gallery=len(searched.pids),
                distractors=int((searched.pids == DISTRACTOR).sum()) if protocol.has_distractors else 0,
                retrieval=retrieval,
                query_pids=asked.pids.cpu().numpy()[retrieval.valid],
                fingerprint=_fingerprint(asked, searched),
            )
        )
    return results


def _distances(
    query: Tensor, gallery: Tensor, metric: Metric, normalize: bool, reranking: Reranking | None
) -> Iterable[Tensor]:
    """The distances of a test in blocks ``(B, G)``, re-ranked or not."""
    if reranking is None:
        return distance_blocks(query, gallery, metric, normalize)
    return [rerank(query, gallery, *reranking, metric=metric, normalize=normalize)]


def _words(metric: Metric, normalize: bool, reranking: Reranking | None) -> str:
    words = "cosine" if metric == "cosine" else "squared Euclidean"
    if normalize and metric != "cosine":
        words += " of unit vectors"
    if reranking is not None:
        words += f", re-ranked (k1 {reranking.k1}, k2 {reranking.k2}, lambda {reranking.lambda_value:g})"
    return words


def _fingerprint(query: TrackletFeatures, gallery: TrackletFeatures) -> str:
    digest = hashlib.sha256()
    for column in (query.pids, query.camids, gallery.pids, gallery.camids):
        digest.update(column.cpu().numpy().astype("<i8").tobytes() + b"|")
    return digest.hexdigest()[:16]
