"""Boxes of people in a video, in memory; :mod:`reidar_plugin.inference.mot_files` reads and writes them.

Frames count from 0. A box is left, top, width and height in pixels; it reaches from ``left`` to ``left + width``.
"""

from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reidar_plugin.errors import ConfigError, ReidarError

__all__ = ["DETECTION", "FittedTracks", "TrackFileError", "Tracks", "fit_to_video"]

DETECTION = -1  # id of a box that belongs to no track
ON_OUTSIDE = ("stop", "skip")

_PEDESTRIAN = 1
_LEAST = 1e-3  # pixels of a box that is still seen, what a file can tell


class TrackFileError(ReidarError, ValueError):
    """A track or detection file that cannot be used; the message starts with its path, and a line where one is wrong."""


@dataclass(frozen=True, eq=False)
class Tracks:
    """N boxes of one video, in order of frame, then track."""

    frame: NDArray[np.int64]  #: ``(N,)``, from 0
    track: NDArray[np.int64]  #: ``(N,)``, -1 in all rows if these are detections
    box: NDArray[np.float64]  #: ``(N, 4)``: left, top, width, height in pixels
    score: NDArray[np.float32]  #: ``(N,)``; in a ground truth 0 where the box does not count
    category: NDArray[np.int64] | None = None  #: ``(N,)`` class of a ground truth, 1 for a pedestrian
    visibility: NDArray[np.float32] | None = None  #: ``(N,)`` seen part of a ground truth, 0 to 1

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def are_detections(self) -> bool:
        """Whether no box belongs to a track yet."""
        return len(self) > 0 and bool((self.track == DETECTION).all())

    @property
    def ids(self) -> NDArray[np.int64]:
        """The tracks there are, ascending."""
        return np.unique(self.track[self.track != DETECTION])

    def take(self, rows: NDArray[Any]) -> "Tracks":
        """Some of the boxes, by mask or index."""
        columns: dict[str, Any] = {}
        for field in fields(self):
            column = getattr(self, field.name)
            columns[field.name] = None if column is None else column[rows]
        return Tracks(**columns)

    def people(self) -> "Tracks":
        """Without the boxes of a ground truth that do not count or are no pedestrians; all boxes of other files."""
        if self.category is None:
            return self
        return self.take((self.score != 0) & (self.category == _PEDESTRIAN))

    def sorted(self) -> "Tracks":
        """In order of frame, then track."""
        return self.take(np.lexsort((self.track, self.frame)))


class FittedTracks(NamedTuple):
    """What :func:`fit_to_video` gives."""

    tracks: Tracks  #: boxes inside the picture
    clipped: int  #: boxes that were cut at the border
    outside: int  #: boxes left out because no part of them is in the picture
    beyond: int  #: boxes left out because the video has no such frame


def fit_to_video(
    tracks: Tracks, width: int, height: int, frames: int, on_outside: str = "stop", name: str = "tracks"
) -> FittedTracks:
    """Cut the boxes at the border of the picture, and find those that cannot be of this video.

    Args:
        tracks: boxes in pixels of the video.
        width: width of the picture in pixels.
        height: height of the picture in pixels.
        frames: number of frames of the video.
        on_outside: ``stop`` raises where a box lies wholly outside or its frame does not exist; ``skip`` leaves
            such boxes out and counts them.
        name: what the boxes are called in the error, such as their file.
    """
    if on_outside not in ON_OUTSIDE:
        raise ConfigError(f"unknown on_outside {on_outside!r}; choose one of 'stop', 'skip'")
    corner = np.clip(tracks.box[:, :2], 0, (width, height))
    end = np.clip(tracks.box[:, :2] + tracks.box[:, 2:], 0, (width, height))
    beyond = tracks.frame >= frames
    outside = (end - corner < _LEAST).any(axis=1) & ~beyond
    if on_outside == "stop" and beyond.any():
        raise TrackFileError(
            f"{name}: {beyond.sum()} of {len(tracks)} boxes are in frames up to {tracks.frame.max() + 1}, the video has "
            f"{frames}: are they of another video? on_outside 'skip' (--on-outside skip) leaves them out"
        )
    if on_outside == "stop" and outside.any():
        first = int(outside.argmax())
        raise TrackFileError(
            f"{name}: {outside.sum()} of {len(tracks)} boxes lie outside the picture of {width} x {height}, the first in "
            f"frame {tracks.frame[first] + 1}: are they of another video? on_outside 'skip' (--on-outside skip) "
            "leaves them out"
        )
    inside = ~(beyond | outside)
    cut = np.concatenate([corner, end - corner], axis=1)
    clipped = inside & (np.abs(cut - tracks.box) > 1e-6).any(axis=1)
    box = np.where(clipped[:, None], cut, tracks.box)
    kept = Tracks(tracks.frame, tracks.track, box, tracks.score, tracks.category, tracks.visibility)
    return FittedTracks(kept.take(inside), int(clipped.sum()), int(outside.sum()), int(beyond.sum()))
