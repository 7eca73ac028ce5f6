"""Test protocols by name: which tracklets are queries and which are the gallery.

A result can only be compared with others of the same protocol. All protocols share the definition of a valid
query: one with at least one gallery tracklet of its identity in another camera (see
:mod:`reidar_plugin.metrics.retrieval`). docs/protocols.md says where each protocol comes from and which papers use it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from reidar_plugin.errors import InputError

__all__ = ["DISTRACTOR", "Protocol", "TrackletFeatures", "protocols_of"]

DISTRACTOR = 0  #: the identity of MARS tracklets that show nobody in particular


class TrackletFeatures(NamedTuple):
    """Features, identities and cameras of N tracklets (queries or gallery), all on one device."""

    features: Tensor  #: floating ``(N, D)``
    pids: Tensor  #: int64 ``(N,)``; in MARS 0 is a distractor
    camids: Tensor  #: int64 ``(N,)``

    def take(self, chosen: Tensor) -> "TrackletFeatures":
        """Select tracklets by a bool mask ``(N,)`` or by indices."""
        return TrackletFeatures(self.features[chosen], self.pids[chosen], self.camids[chosen])

    def followed_by(self, other: "TrackletFeatures") -> "TrackletFeatures":
        """Append the tracklets of ``other``."""
        return TrackletFeatures(*(torch.cat(pair) for pair in zip(self, other, strict=True)))


Selection = Callable[[TrackletFeatures, TrackletFeatures], tuple[TrackletFeatures, TrackletFeatures]]


@dataclass(frozen=True)
class Protocol:
    """A named way of testing on a data set."""

    dataset: str  #: title of the data set, e.g. ``MARS``
    name: str  #: name of the protocol, e.g. ``no-distractors``
    summary: str  #: one line that explains the protocol below a table
    select: Selection  #: (query, gallery) of the data set -> (query, gallery) of the test
    has_distractors: bool = False  #: whether identity 0 is nobody, as in MARS

    @property
    def title(self) -> str:
        """Data set and protocol, printed with every result, e.g. ``MARS no-distractors``."""
        return f"{self.dataset} {self.name}"


def _all(query: TrackletFeatures, gallery: TrackletFeatures) -> tuple[TrackletFeatures, TrackletFeatures]:
    return query, gallery


def _without_distractors(
    query: TrackletFeatures, gallery: TrackletFeatures
) -> tuple[TrackletFeatures, TrackletFeatures]:
    return query, gallery.take(gallery.pids != DISTRACTOR)


def _mixing(query: TrackletFeatures, gallery: TrackletFeatures) -> tuple[TrackletFeatures, TrackletFeatures]:
    return query, gallery.followed_by(query)


def _lpw(query: TrackletFeatures, gallery: TrackletFeatures) -> tuple[TrackletFeatures, TrackletFeatures]:
    both = sorted(set(query.camids.tolist()) & set(gallery.camids.tolist()))
    if both:
        raise InputError(
            f"LPW: queries are view 2 and the gallery is views 1 and 3 of scene 1, "
            f"but camera {both[0]} is in both; give every scene and view its own camera id"
        )
    return query, gallery


_MARS = (
    ("usual", "every query against the whole gallery, distractors included", _all),
    (
        "no-distractors",
        "distractors (pid 0) left out of the gallery, as the released Re-ID-AR code does",
        _without_distractors,
    ),
    ("mixing", "queries join the gallery, as the official MARS evaluation does", _mixing),
)


def protocols_of(dataset: str, split: int = 0) -> tuple[Protocol, ...]:
    """The protocols of a data set, by the name it has in torchreid.

    Args:
        dataset: ``mars``, ``mars_actions``, ``synthped``, ``lpw_actions``, ``prid2011``, ``ilidsvid`` or
            any other.
        split: index of the split that is tested; PRID2011 and iLIDS-VID have 10.

    Returns:
        The protocols in the order in which they are reported; a data set without one of its own has
        ``cross-camera``, every query against the whole gallery.

    Example:
        >>> [protocol.title for protocol in protocols_of("mars")]
        ['MARS usual', 'MARS no-distractors', 'MARS mixing']
    """
    if dataset in ("mars", "mars_actions", "synthped"):
        title = "SynthPed" if dataset == "synthped" else "MARS"
        return tuple(Protocol(title, *rest, has_distractors=True) for rest in _MARS)
    if dataset in ("lpw", "lpw_actions"):
        return (Protocol("LPW", "scene-1", "scene 1: view 2 asks, views 1 and 3 are searched", _lpw),)
    if dataset in ("prid2011", "ilidsvid"):
        title = {"prid2011": "PRID2011", "ilidsvid": "iLIDS-VID"}[dataset]
        summary = f"split {split} alone; published figures are either one split or the mean of 10"
        return (Protocol(title, f"split-{split}", summary, _all),)
    return (Protocol(dataset, "cross-camera", "every query against the whole gallery", _all),)
