"""The retrieval test of a data set: each protocol, with plain or re-ranked distances, and its intervals."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from torch import Tensor

from reidar_plugin.errors import InputError
from reidar_plugin.metrics.distances import Metric, distance_blocks
from reidar_plugin.metrics.intervals import Interval, bootstrap_interval
from reidar_plugin.metrics.protocols import DISTRACTOR, Protocol, TrackletFeatures
from reidar_plugin.metrics.rerank import rerank
from reidar_plugin.metrics.retrieval import Retrieval, rank_blocks

__all__ = ["ProtocolResult", "Reranking", "evaluate_retrieval"]


class Reranking(NamedTuple):
    """Parameters of :func:`~reidar_plugin.metrics.rerank.rerank`; the defaults are the papers'."""

    k1: int = 20
    k2: int = 6
    lambda_value: float = 0.3


@dataclass(frozen=True)
class ProtocolResult:
    """The result of one test under one protocol."""

    dataset: str
    protocol: str  #: name of the protocol
    summary: str  #: the protocol explained in one line
    distance: str  #: the distance in words, e.g. ``squared Euclidean``
    reranked: bool  #: whether distances were re-ranked
    action_weight: float  #: of the likelihoods of actions in the distances, 0 for none
    queries: int  #: number of queries, valid or not
    gallery: int  #: number of gallery tracklets
    distractors: int  #: number of distractors among them
    retrieval: Retrieval
    query_pids: np.ndarray  #: identities of the valid queries, int64 ``(V,)``
    fingerprint: str  #: digest of identities and cameras; results can be compared where it is equal

    @property
    def title(self) -> str:
        """Data set and protocol, printed with every number."""
        return f"{self.dataset} {self.protocol}"

    def figures(self, ranks: Sequence[int] = (1, 5, 10, 20)) -> dict[str, float]:
        """CMC at the given ranks, mAP and mINP by name, as fractions in [0, 1]."""
        cmc = {f"rank-{rank}": self.retrieval.cmc(rank) for rank in ranks}
        return {**cmc, "mAP": self.retrieval.mAP, "mINP": self.retrieval.mINP}

    def intervals(self, level: float = 0.95, resamples: int = 10_000, seed: int = 0) -> dict[str, Interval]:
        """Bootstrap intervals over queries of rank-1, mAP and mINP (see :func:`bootstrap_interval`)."""
        return {
            name: bootstrap_interval(values, level, resamples, seed)
            for name, values in self.per_query().items()
        }

    def per_query(self) -> dict[str, np.ndarray]:
        """The values of each valid query whose means are rank-1, mAP and mINP, ``(V,)`` each."""
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
    action_weight: float = 0.0,
) -> list[ProtocolResult]:
    """Rank the gallery for each query, once under each protocol.

    Args:
        query: features of all query tracklets of the data set; protocols select from them.
        gallery: features of all gallery tracklets of the data set.
        protocols: the protocols, see :func:`~reidar_plugin.metrics.protocols.protocols_of`.
        metric: ``euclidean`` (squared) or ``cosine``.
        normalize: scale features to unit length first.
        reranking: parameters of re-ranking; None for plain distances.
        action_weight: with which :func:`~reidar_plugin.metrics.action_evidence.with_action_evidence` put likelihoods of
            actions into the features, whose squared Euclidean distances count then; it only names the result.

    Returns:
        One result for each protocol.

    Raises:
        ValueError: a protocol leaves no query or no gallery tracklet, or no query is valid.
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
                distance=_words(metric, normalize, reranking, action_weight),
                reranked=reranking is not None,
                action_weight=action_weight,
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
    """Distances in blocks ``(B, G)`` of consecutive queries, re-ranked or not."""
    if reranking is None:
        return distance_blocks(query, gallery, metric, normalize)
    return [rerank(query, gallery, *reranking, metric=metric, normalize=normalize)]


def _words(metric: Metric, normalize: bool, reranking: Reranking | None, action_weight: float) -> str:
    words = "cosine" if metric == "cosine" or action_weight else "squared Euclidean"
    if normalize and words != "cosine":
        words += " of unit vectors"
    if action_weight:
        words += f" + {action_weight:g} x squared difference of action likelihoods"
    if reranking is not None:
        words += f", re-ranked (k1 {reranking.k1}, k2 {reranking.k2}, lambda {reranking.lambda_value:g})"
    return words


def _fingerprint(query: TrackletFeatures, gallery: TrackletFeatures) -> str:
    digest = hashlib.sha256()
    for column in (query.pids, query.camids, gallery.pids, gallery.camids):
        digest.update(column.cpu().numpy().astype("<i8").tobytes() + b"|")
    return digest.hexdigest()[:16]
