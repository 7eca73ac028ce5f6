"""Distances between features, in float32 on any device and in blocks of rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple, cast, get_args

import torch
from torch import Tensor
from torch.nn.functional import normalize as unit_length

from reidar_plugin.errors import InputError

__all__ = [
    "Metric",
    "PreparedFeatures",
    "check_metric",
    "distance_blocks",
    "pair_distances",
    "pairwise_distances",
    "prepare_features",
    "prepared_distances",
]

#: Values of the config key ``test.dist_metric``.
Metric = Literal["euclidean", "cosine"]

#: Distances in one block: 16 MB of float32 keep to the caches of a CPU, 256 MB fill an accelerator.
CPU_BLOCK, ACCELERATOR_BLOCK = 2**22, 2**26


class PreparedFeatures(NamedTuple):
    r"""Features in a form in which both metrics need a single matrix product.

    .. math::
        d(q, g) = o_q + o_g - s \langle q, g\rangle

    Squared Euclidean: :math:`o_x = \lVert x \rVert^2` and :math:`s = 2`. Cosine: vectors of unit length,
    :math:`o_x = 1/2` and :math:`s = 1`.
    """

    vectors: Tensor  #: float32 ``(N, D)``
    offsets: Tensor  #: float32 ``(N,)``
    scale: float

    def part(self, start: int, stop: int | None = None) -> "PreparedFeatures":
        """The features of a range of rows, as a view."""
        return PreparedFeatures(self.vectors[start:stop], self.offsets[start:stop], self.scale)


def check_metric(metric: str) -> Metric:
    """Return the metric, or raise ValueError with the list of metrics."""
    if metric not in get_args(Metric):
        raise InputError(f"unknown metric {metric!r}; choose one of {', '.join(map(repr, get_args(Metric)))}")
    return cast(Metric, metric)


def prepare_features(
    features: Tensor, metric: Metric = "euclidean", normalize: bool = False, name: str = "features"
) -> PreparedFeatures:
    """Check features and convert them to the form that the distance functions need.

    Args:
        features: features ``(N, D)`` of any floating type; float32 is copied only if it must be normalised.
        metric: ``euclidean`` (squared) or ``cosine``.
        normalize: scale vectors to unit length first; ``cosine`` always does.
        name: name of the features in error messages.

    Raises:
        ValueError: the metric is unknown, the shape is wrong, or a row holds NaN or infinity.
    """
    check_metric(metric)
    if features.ndim != 2 or 0 in features.shape:
        raise ValueError(
            f"{name}: expected (tracklets, width) with neither 0, got shape {tuple(features.shape)}"
        )
    vectors = features.detach().float()
    finite = vectors.isfinite().all(dim=1)
    if not finite.all():
        rows = (~finite).nonzero().flatten()
        raise ValueError(
            f"{name}: {len(rows)} of {len(vectors)} rows hold NaN or infinity, "
            f"the first is row {int(rows[0])}; look for the loss that diverged or the clip that is broken"
        )
    if normalize or metric == "cosine":
        vectors = unit_length(vectors, dim=1)
    if metric == "cosine":
        return PreparedFeatures(vectors, vectors.new_full((len(vectors),), 0.5), 1.0)
    return PreparedFeatures(vectors, vectors.square().sum(dim=1), 2.0)


def pairwise_distances(
    query: Tensor, gallery: Tensor, metric: Metric = "euclidean", normalize: bool = False
) -> Tensor:
    """All distances between queries and gallery in one matrix; see :func:`distance_blocks` for blocks of it.

    Returns:
        float32 ``(Q, G)``.

    Example:
        >>> pairwise_distances(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0], [1.0, 0.0]]))
        tensor([[25.,  1.]])
    """
    return torch.cat(list(distance_blocks(query, gallery, metric, normalize)))


def distance_blocks(
    query: Tensor,
    gallery: Tensor,
    metric: Metric = "euclidean",
    normalize: bool = False,
    block: int | None = None,
) -> Iterator[Tensor]:
    r"""Distances of blocks of consecutive queries to the whole gallery.

    .. math::
        d(q, g) = \lVert q - g \rVert_2^2 \quad\text{or}\quad
        d(q, g) = 1 - \frac{\langle q, g\rangle}{\lVert q\rVert \lVert g\rVert}

    Distances are at least 0 and always computed in float32: autocast and TF32 are switched off, because coarse
    distances are often equal, and ties change mAP (a bfloat16 matrix has about 4,000 different values).

    Args:
        query: query features, ``(Q, D)``.
        gallery: gallery features, ``(G, D)``, on the same device.
        metric: ``euclidean`` (squared) or ``cosine``.
        normalize: scale vectors to unit length first.
        block: number of distances in one block; None chooses it by device.

    Yields:
        float32 ``(B, G)``; the blocks together hold ``Q`` rows, in order.
    """
    check_widths(query, gallery)
    prepared_query = prepare_features(query, metric, normalize, "query features")
    prepared_gallery = prepare_features(gallery, metric, normalize, "gallery features")
    rows = max(1, (block or block_size(query.device)) // len(gallery))
    for start in range(0, len(query), rows):
        yield prepared_distances(prepared_query.part(start, start + rows), prepared_gallery)


def prepared_distances(query: PreparedFeatures, gallery: PreparedFeatures) -> Tensor:
    """Distances between features from :func:`prepare_features`, float32 ``(Q, G)``."""
    with full_precision(query.vectors.device):
        distances = torch.addmm(gallery.offsets, query.vectors, gallery.vectors.T, alpha=-query.scale)
    return distances.add_(query.offsets[:, None]).clamp_(min=0)


def block_size(device: torch.device) -> int:
    """Number of distances to hold in memory at a time."""
    return CPU_BLOCK if device.type == "cpu" else ACCELERATOR_BLOCK


def pair_distances(features: PreparedFeatures, first: Tensor, second: Tensor, chunk: int = 4096) -> Tensor:
    """Distances of selected pairs within one set of features.

    Args:
        features: the features of the set.
        first: index of the first member of each pair, ``(P,)``.
        second: index of the second member of each pair, ``(P,)``.
        chunk: number of pairs computed at a time.

    Returns:
        float32 ``(P,)``.
    """
    distances = features.offsets.new_empty(len(first))
    for a, b, out in zip(first.split(chunk), second.split(chunk), distances.split(chunk), strict=True):
        products = (features.vectors[a] * features.vectors[b]).sum(dim=1)
        torch.add(features.offsets[a] + features.offsets[b], products, alpha=-features.scale, out=out)
    return distances.clamp_(min=0)


def check_widths(query: Tensor, gallery: Tensor) -> None:
    """Raise ValueError unless both sides have the same width and are on the same device."""
    if query.ndim == gallery.ndim == 2 and query.shape[1] != gallery.shape[1]:
        raise ValueError(
            f"query features are {query.shape[1]} wide, gallery features {gallery.shape[1]}; use one model"
        )
    if query.device != gallery.device:
        raise ValueError(
            f"query features are on {query.device}, gallery features on {gallery.device}; move one"
        )


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Compute float32 products exactly in float32: without autocast, TF32 or bfloat16 passes."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        torch.set_float32_matmul_precision(before)
