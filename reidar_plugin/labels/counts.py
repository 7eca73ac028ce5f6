"""How often each label occurs in a list of samples: what class weights are made of."""

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
    """Counts of the M labels of a space.

    Args:
        names: the labels.
        positives: int64 ``(M,)``, how many known ones carry each label.
        known: int64 ``(M,)``, of how many it is known whether they carry it.
        unknown: how many are left out because nothing is known of them.
    """

    names: tuple[str, ...]
    positives: NDArray[np.int64]
    known: NDArray[np.int64]
    unknown: int

    @property
    def ratios(self) -> NDArray[np.float64]:
        r"""Share of the known ones with each label, :math:`r_j = n_j / N` ``(M,)``; 0 if none is known."""
        return self.positives / np.maximum(self.known, 1)


def count_labels(
    samples: Iterable[Sequence[Any]], space: LabelSpace | AttributeSpace, by_person: bool = False
) -> LabelCounts:
    """Count the labels of samples.

    Args:
        samples: ``(frames, pid, camid, dsetid)``; frames without labels (the host's plain paths) are unknown.
        space: the labels to count; attributes are counted for an :class:`AttributeSpace`.
        by_person: count people, not tracklets; a person carries what any of their tracklets carries.
            A person is told by pid; leave distractors out before.
    """
    attribute = "attributes" if isinstance(space, AttributeSpace) else "labels"
    owners: dict[Any, int] = {}
    rows, places = [], []
    for place, (frames, pid, *_) in enumerate(samples):
        rows.append(space.encode(getattr(frames, attribute, None)))
        places.append(owners.setdefault(pid if by_person else place, len(owners)))
    carried = np.full((len(owners), len(space)), -1, dtype=np.int64)  # -1 is unknown
    if rows:
        values = np.nan_to_num(np.stack(rows), nan=-1).astype(np.int64)
        np.maximum.at(carried, places, values)
    return LabelCounts(
        names=tuple(space.names),
        positives=(carried == 1).sum(axis=0),
        known=(carried >= 0).sum(axis=0),
        unknown=int((carried < 0).all(axis=1).sum()) if len(space) else len(owners),
    )
