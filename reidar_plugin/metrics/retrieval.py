r"""CMC, mAP and mINP from distances: exact, with ties in gallery order, without sorting the gallery.

Only the ranks of the matches matter. For one query, gallery tracklets of the same identity *and* camera are
ignored; of the rest, the :math:`n^+` tracklets of its identity are matches. The :math:`j`-th match in order of
distance has the rank

.. math::
    r_j = j + \#\{\text{non-matches before it}\}

from which all metrics follow:

.. math::
    \mathrm{AP} = \frac{1}{n^+} \sum_{j=1}^{n^+} \frac{j}{r_j}, \qquad
    \mathrm{INP} = \frac{n^+}{r_{n^+}}, \qquad
    \mathrm{CMC}(k) = \Pr[r_1 \le k]

A query without a match is not valid: it is left out of every mean, and counted. Equal distances are ranked in
gallery order.

References: Zheng et al., Scalable Person Re-identification, ICCV 2015 (CMC and mAP); Ye et al., Deep
Learning for Person Re-identification, TPAMI 2021 (mINP).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from reidar_plugin.errors import InputError

__all__ = ["Retrieval", "rank_blocks", "rank_distances"]

#: Number of distances ranked at a time: their keys (8 bytes each) should fit in the cache of a CPU core.
CPU_BLOCK, ACCELERATOR_BLOCK = 2**19, 2**25
LAST = torch.iinfo(torch.int64).max  # a key behind that of every distance


@dataclass(frozen=True)
class Retrieval:
    """Metrics of each query; ``V`` is the number of valid queries, which stay in query order."""

    valid: np.ndarray  #: bool ``(Q,)``, whether the query has a match
    average_precision: np.ndarray  #: float64 ``(V,)``
    inverse_penalty: np.ndarray  #: float64 ``(V,)``, number of matches over the rank of the last one
    first_match: np.ndarray  #: int64 ``(V,)``, rank of the first match, from 1

    @property
    def mAP(self) -> float:
        """Mean average precision, 0 to 1."""
        return float(self.average_precision.mean())

    @property
    def mINP(self) -> float:
        """Mean inverse negative penalty, 0 to 1."""
        return float(self.inverse_penalty.mean())

    @property
    def invalid(self) -> int:
        """Number of queries without a match in another camera; they are left out of all means."""
        return int((~self.valid).sum())

    def cmc(self, rank: int) -> float:
        """Share of valid queries whose first match has a rank of at most ``rank``."""
        if rank < 1:
            raise InputError(f"a rank is counted from 1, got {rank}")
        return float((self.first_match <= rank).mean())


def rank_distances(
    distances: Any, query_pids: Any, gallery_pids: Any, query_camids: Any, gallery_camids: Any
) -> Retrieval:
    """Rank the gallery by a matrix of distances. The order of arguments is that of torchreid's ``evaluate_rank``.

    Args:
        distances: a tensor or array ``(Q, G)``; compared in float32, in which close values are equal.
        query_pids: identities of the queries, integers ``(Q,)``.
        gallery_pids: identities of the gallery, integers ``(G,)``.
        query_camids: cameras of the queries, integers ``(Q,)``.
        gallery_camids: cameras of the gallery, integers ``(G,)``.

    Returns:
        Average precision, inverse negative penalty and first match of each query.

    Raises:
        ValueError: shapes do not fit, distances hold NaN or infinity, or no query has a match.

    Example:
        >>> ranking = rank_distances([[0.1, 0.2, 0.3, 0.4]], [7], [1, 7, 7, 7], [0], [1, 1, 0, 2])
        >>> ranking.cmc(1), ranking.cmc(2), round(ranking.mAP, 4), round(ranking.mINP, 4)
        (0.0, 1.0, 0.5833, 0.6667)
    """
    matrix = torch.as_tensor(distances)
    if matrix.ndim != 2:
        raise ValueError(f"distances: expected (queries, gallery), got shape {tuple(matrix.shape)}")
    return rank_blocks([matrix], query_pids, gallery_pids, query_camids, gallery_camids)


def rank_blocks(
    blocks: Iterable[Tensor], query_pids: Any, gallery_pids: Any, query_camids: Any, gallery_camids: Any
) -> Retrieval:
    """Rank the gallery by blocks of distances (:func:`~reidar_plugin.metrics.distances.distance_blocks`).

    Args:
        blocks: distances ``(B, G)`` each, together ``Q`` rows in query order.
        query_pids: identities of the queries, integers ``(Q,)``.
        gallery_pids: identities of the gallery, integers ``(G,)``.
        query_camids: cameras of the queries, integers ``(Q,)``.
        gallery_camids: cameras of the gallery, integers ``(G,)``.
    """
    query = _people(query_pids, query_camids, "query")
    gallery = _people(gallery_pids, gallery_camids, "gallery")
    parts, start = [], 0
    for block in blocks:
        query, gallery = query.to(block.device), gallery.to(block.device)
        for rows in block.split(_rows(block)):
            parts.append(_rank(rows, query[:, start : start + len(rows)], gallery))
            start += len(rows)
    if start != query.shape[1]:
        raise ValueError(f"distances of {start} queries, but identities of {query.shape[1]}")
    return _gather(parts, query, gallery)


def _people(pids: Any, camids: Any, side: str) -> Tensor:
    """Identities and cameras of one side, ``(2, N)``."""
    people, cameras = _integers(pids, f"{side} pids"), _integers(camids, f"{side} camids")
    if len(people) != len(cameras):
        raise ValueError(
            f"{side}: {len(people)} identities but {len(cameras)} cameras; give one of each a tracklet"
        )
    if not len(people):
        raise InputError(f"the {side} is empty: there is nothing to rank; look at the data set's {side} list")
    return torch.stack((people, cameras.to(people.device)))


def _integers(values: Any, name: str) -> Tensor:
    """Integers from a tensor, an array or a list as int64 ``(N,)``; ``name`` is used in errors."""
    vector = torch.as_tensor(values)
    if vector.ndim != 1:
        raise ValueError(f"{name}: expected one integer a tracklet, got shape {tuple(vector.shape)}")
    if vector.numel() and (vector.is_floating_point() or vector.dtype == torch.bool):
        raise TypeError(f"{name}: expected integers, got {vector.dtype}")
    return vector.long()


def _rows(block: Tensor) -> int:
    elements = CPU_BLOCK if block.device.type == "cpu" else ACCELERATOR_BLOCK
    return max(1, elements // max(1, block.shape[-1]))


def _rank(distances: Tensor, query: Tensor, gallery: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Ranks of the matches of some queries, ``(B, P)`` padded with 0, and their number, ``(B,)``."""
    if distances.shape != (query.shape[1], gallery.shape[1]):
        raise ValueError(
            f"distances: expected {query.shape[1]} queries x {gallery.shape[1]} gallery tracklets, "
            f"got a block of shape {tuple(distances.shape)}"
        )
    keys = _ordered_keys(distances)
    row, column = (query[0, :, None] == gallery[0]).nonzero(as_tuple=True)
    other_camera = query[1, row] != gallery[1, column]
    matches, count = _sorted_matches(keys, row[other_camera], column[other_camera])  # (B, P), (B,)
    keys[row, column] = LAST  # the other keys are those of non-matches
    width = matches.shape[1] + 1
    slot = torch.searchsorted(matches, keys)  # how many matches come before each non-match
    slot += torch.arange(0, len(slot) * width, width, device=slot.device)[:, None]
    between = torch.bincount(slot.flatten(), minlength=len(slot) * width).view(-1, width)[:, :-1]
    number = torch.arange(1, width, device=slot.device)
    ranks = (number + between.cumsum(dim=1)).masked_fill_(number > count[:, None], 0)
    return ranks.cpu().numpy(), count.cpu().numpy()


def _ordered_keys(distances: Tensor) -> Tensor:
    """Integers in the order of (distance, index in the gallery), int64 ``(B, G)``; all differ within a row."""
    lowest, highest = torch.aminmax(distances)
    if not (lowest.isfinite() and highest.isfinite()):
        raise InputError("distances hold NaN or infinity; look at the features they were made of")
    bits = (distances.float() + 0.0).view(torch.int32)  # adding 0 turns -0 into 0
    if lowest < 0:
        bits = bits ^ ((bits >> 31) & 0x7FFFFFFF)  # the bits of negative floats are in reverse order
    return torch.add(torch.arange(distances.shape[1], device=bits.device), bits, alpha=2**32)


def _sorted_matches(keys: Tensor, row: Tensor, column: Tensor) -> tuple[Tensor, Tensor]:
    """Keys of the matches in ascending order, ``(B, P)`` padded with LAST, and their number, ``(B,)``."""
    count = torch.bincount(row, minlength=len(keys))
    number = torch.arange(len(row), device=row.device) - (count.cumsum(0) - count)[row]
    matches = keys.new_full((len(keys), int(count.max())), LAST)
    matches[row, number] = keys[row, column]
    return matches.sort(dim=1).values, count


def _gather(parts: Sequence[tuple[np.ndarray, np.ndarray]], query: Tensor, gallery: Tensor) -> Retrieval:
    """Metrics of the queries of all blocks."""
    valid = np.concatenate([count > 0 for _, count in parts])
    if not valid.any():
        raise ValueError(
            f"none of {query.shape[1]} queries has a match in another camera among "
            f"{gallery.shape[1]} gallery tracklets (cameras of the queries: {_few(query[1])}; "
            f"of the gallery: {_few(gallery[1])}); a gallery holds the queries' people, seen by other cameras"
        )
    metrics = [_metrics(ranks[count > 0], count[count > 0]) for ranks, count in parts]
    return Retrieval(valid, *(np.concatenate(column) for column in zip(*metrics, strict=True)))


def _metrics(ranks: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Average precision, inverse negative penalty and first match of valid queries, ``(V,)`` each."""
    number = np.arange(1, ranks.shape[1] + 1)
    precision = np.divide(number, ranks, out=np.zeros(ranks.shape), where=ranks > 0)
    first = ranks[:, 0] if ranks.shape[1] else np.empty(0, dtype=np.int64)
    return precision.sum(axis=1) / count, count / ranks.max(axis=1, initial=1), first


def _few(values: Tensor) -> str:
    """The first distinct values, for an error."""
    distinct = values.unique().tolist()
    return ", ".join(map(str, distinct[:6])) + (", ..." if len(distinct) > 6 else "")
