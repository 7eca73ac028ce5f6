"""Tracklets: as files tell them, and as the host sees them with what it has no place for."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

__all__ = ["Frames", "Sample", "Split", "Tracklet"]

#: What the host keeps of a tracklet: frames, person, camera, data set.
Sample = tuple[Sequence[str], int, int, int]


class Frames(tuple[str, ...]):
    """Paths of one tracklet's frames in time order, and what is known of the tracklet.

    The host's samples are ``(paths, pid, camid, dsetid)``; it copies, adds and relabels them, but never
    looks inside ``paths``. Labels that ride on the paths therefore survive ``combineall``, sums of sources,
    ``deepcopy`` and the way into a data worker, which a fifth item of the sample would not.

    Args:
        paths: image files, in time order.
        key: name of the tracklet in label files, e.g. ``0001C2T0003`` or ``scen1/view2/17``.
        labels: names of its actions; None where they are unknown, an empty set where it does nothing of the
            space.
        attributes: names of its attributes (``group=value``); None where they are unknown.
    """

    key: str
    labels: frozenset[str] | None
    attributes: frozenset[str] | None

    def __new__(
        cls,
        paths: Iterable[str],
        key: str = "",
        labels: Iterable[str] | None = None,
        attributes: Iterable[str] | None = None,
    ) -> "Frames":
        self = super().__new__(cls, paths)
        self.key = key
        self.labels = None if labels is None else frozenset(labels)
        self.attributes = None if attributes is None else frozenset(attributes)
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (tuple(self), self.key, self.labels, self.attributes)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Frames":
        return self  # immutable all the way down


class Tracklet(NamedTuple):
    """One tracklet as the files of a data set tell it; nothing of it has been opened."""

    key: str  #: its name in label files, e.g. ``0001C2T0003`` or ``scen1/view2/17``
    paths: tuple[str, ...]  #: its frames in time order
    pid: int  #: the person as the data set numbers it; 0 is a distractor
    camid: int  #: the camera, from 0


class Split(NamedTuple):
    """The tracklets of a data set by their use. Junk is left out, distractors are in the gallery."""

    train: tuple[Tracklet, ...]
    query: tuple[Tracklet, ...]
    gallery: tuple[Tracklet, ...]
