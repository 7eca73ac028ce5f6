"""Test protocols by name: which tracklets ask, which are searched. No number means anything without one.

What a valid query is does not differ between them: one with at least one gallery tracklet of its identity
in another camera (see :mod:`reidar_plugin.metrics.retrieval`). docs/protocols.md tells where each comes
from and who reports what.
"""

from collections.abc import Callable
from dataclasses import dataclass

from reidar_plugin.errors import InputError
from reidar_plugin.metrics.tracklets import TrackletFeatures

__all__ = ["DISTRACTOR", "Protocol", "protocols_of"]

Selection = Callable[[TrackletFeatures, TrackletFeatures], tuple[TrackletFeatures, TrackletFeatures]]

DISTRACTOR = 0  #: the identity of MARS tracklets that show nobody in particular


@dataclass(frozen=True)
class Protocol:
    """A named way of testing."""

    dataset: str  #: as people write it, e.g. ``MARS``
    name: str  #: e.g. ``no-distractors``
    summary: str  #: one line that can stand under a table
    select: Selection  #: (query, gallery) of the data set -> (query, gallery) of the test
    has_distractors: bool = False  #: whether identity 0 is nobody, as in MARS

    @property
    def title(self) -> str:
        """What stands beside every number, e.g. ``MARS no-distractors``."""
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
        split: which of the splits is tested; PRID2011 and iLIDS-VID have 10.
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
