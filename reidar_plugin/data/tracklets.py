"""Tracklets: as they are parsed from files, and as samples of the host with labels attached."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

__all__ = ["Frames", "Sample", "Split", "Tracklet"]

#: A sample of the host: (paths, pid, camid, dsetid).
Sample = tuple[Sequence[str], int, int, int]


class Frames(tuple[str, ...]):
    """Frame paths of a tracklet, a tuple that carries the key and the labels of the tracklet as well.

    The samples of the host are ``(paths, pid, camid, dsetid)``. It copies, joins and relabels them, but never looks
    inside ``paths``. Labels attached to the paths therefore survive ``combineall``, sums of data sets, ``deepcopy``
    and the transfer to a data worker, which a fifth item of the sample would not.

    Args:
        paths: paths of the frames, in time order.
        key: name of the tracklet in label files, e.g. ``0001C2T0003`` or ``scen1/view2/17``.
        labels: names of its actions; None if they are unknown, an empty set if it shows none.
        attributes: names of its attributes (``group=value``); None if they are unknown.

    Example:
        >>> frames = Frames(["a/1.jpg", "a/2.jpg"], key="a", labels={"walking"})
        >>> len(frames), frames[0], sorted(frames.labels)
        (2, 'a/1.jpg', ['walking'])
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
        return self  # immutable


class Tracklet(NamedTuple):
    """A tracklet as parsed from the files of a data set."""

    key: str  #: name of the tracklet in label files, e.g. ``0001C2T0003`` or ``scen1/view2/17``
    paths: tuple[str, ...]  #: paths of its frames in time order
    pid: int  #: identity as numbered by the data set; 0 is a distractor
    camid: int  #: index of the camera, from 0


class Split(NamedTuple):
    """Training, query and gallery tracklets of a data set, with distractors in the gallery and without junk."""

    train: tuple[Tracklet, ...]
    query: tuple[Tracklet, ...]
    gallery: tuple[Tracklet, ...]
