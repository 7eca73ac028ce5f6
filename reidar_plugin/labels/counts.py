"""How often each label occurs in a list of samples; class weights are computed from these counts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reidar_plugin.labels.attributes import AttributeSpace
from reidar_plugin.labels.spaces import LabelSpace

__all__ = ["LabelCounts", "count_labels"]


@dataclass(frozen=True)
class LabelCounts:
    """Counts of M labels over tracklets or people.

    Args:
        names: names of the M labels.
        positives: number of tracklets (or people) that carry each label, int64 ``(M,)``.
        known: number of tracklets (or people) for which each label is known, int64 ``(M,)``.
        unknown: number of tracklets (or people) without any known label.
    """

    names: tuple[str, ...]
    positives: NDArray[np.int64]
    known: NDArray[np.int64]
    unknown: int

    @property
    def ratios(self) -> NDArray[np.float64]:
        r"""Share of positives among the known, :math:`r_j = n_j / N`, ``(M,)``; 0 where nothing is known."""
        return self.positives / np.maximum(self.known, 1)


def count_labels(
    samples: Iterable[Sequence[Any]], space: LabelSpace | AttributeSpace, by_person: bool = False
) -> LabelCounts:
    """Count the labels of samples.

    Args:
        samples: ``(frames, pid, camid, dsetid)``; labels of plain paths (samples of the host) are unknown.
        space: the labels to count; for an :class:`AttributeSpace` the attributes of the frames are counted.
        by_person: count people instead of tracklets; a person carries the labels of all their tracklets. People
            are told apart by pid, so distractors should be left out before.

    Returns:
        The counts, with zeros for an empty list.

    Example:
        >>> from reidar_plugin.data.tracklets import Frames
        >>> from reidar_plugin.labels.spaces import ACTIONS3
        >>> walker = Frames(["1.jpg"], labels={"walking"})
        >>> counts = count_labels([(walker, 0, 0, 0), (["2.jpg"], 1, 0, 0)], ACTIONS3)
        >>> counts.positives.tolist(), counts.unknown
        ([1, 0, 0], 1)
    """
    attribute = "attributes" if isinstance(space, AttributeSpace) else "labels"
    owners: dict[Any, int] = {}
    rows, indices = [], []
    for index, (frames, pid, *_) in enumerate(samples):
        rows.append(space.encode(getattr(frames, attribute, None)))
        indices.append(owners.setdefault(pid if by_person else index, len(owners)))
    carried = np.full((len(owners), len(space)), -1, dtype=np.int64)  # -1 is unknown
    if rows:
        values = np.nan_to_num(np.stack(rows), nan=-1).astype(np.int64)
        np.maximum.at(carried, indices, values)
    return LabelCounts(
        names=tuple(space.names),
        positives=(carried == 1).sum(axis=0),
        known=(carried >= 0).sum(axis=0),
        unknown=int((carried < 0).all(axis=1).sum()) if len(space) else len(owners),
    )
