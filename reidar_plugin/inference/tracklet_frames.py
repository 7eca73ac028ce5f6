"""Tracklets as a caller gives them: pictures in memory or files, of any size, brought to the size of the network."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from reidar_plugin.data.clips import tracklet_clips
from reidar_plugin.data.frames import read_picture, resize_into
from reidar_plugin.errors import InputError
from reidar_plugin.inference.model_card import ModelCard

__all__ = ["Frame", "Tracklet", "TrackletFrames"]

#: A picture, uint8 ``(h, w, 3)`` RGB, or the path of one.
Frame: TypeAlias = NDArray[np.uint8] | str | Path

#: The frames of a person in time order; an array is ``(n, h, w, 3)``.
Tracklet: TypeAlias = Sequence[Frame] | NDArray[np.uint8]


class TrackletFrames:
    """The frames of one tracklet, each read when it is asked for.

    Args:
        frames: the tracklet.
        number: its place among the tracklets, for error messages.
        card: the size of the network, and how its test cuts tracklets.
    """

    def __init__(self, frames: Tracklet, number: int, card: ModelCard) -> None:
        if not isinstance(frames, Sequence | np.ndarray) or isinstance(frames, str | bytes):
            raise InputError(
                f"tracklet {number}: expected a list of pictures or an array (n, h, w, 3), got {type(frames).__name__}"
            )
        if not len(frames):
            raise InputError(f"tracklet {number} has no frames; leave it out")
        self.frames, self.number, self.card = frames, number, card

    def __len__(self) -> int:
        return len(self.frames)

    def clips(self) -> NDArray[np.int64]:
        """Indices ``(C, T)`` of the frames of its clips."""
        card = self.card
        return tracklet_clips(len(self), card.clip_length, card.test_clips, card.test_max_clips)

    def read(self, places: NDArray[np.int64], out: NDArray[np.uint8]) -> None:
        """Write frames into ``out``; one that comes twice is read once.

        Args:
            places: ``(T,)``, which frames.
            out: ``(T, H, W, 3)``.
        """
        written: dict[int, int] = {}
        for row, place in enumerate(places.tolist()):
            if place in written:
                out[row] = out[written[place]]
            else:
                self._read_one(place, out[row])
                written[place] = row

    def _read_one(self, place: int, out: NDArray[np.uint8]) -> None:
        frame: Any = self.frames[place]
        if isinstance(frame, str | Path):
            frame = read_picture(str(frame), into=out)
            if frame is out:
                return
        if not isinstance(frame, np.ndarray) or frame.dtype != np.uint8 or not _is_picture(frame.shape):
            what = f"{frame.dtype} {frame.shape}" if isinstance(frame, np.ndarray) else type(frame).__name__
            raise InputError(
                f"frame {place} of tracklet {self.number}: expected an RGB picture of uint8 (h, w, 3) or its path, "
                f"got {what}; a tracklet alone goes into a list, predictor([tracklet])"
            )
        resize_into(out, frame, self.card.interpolation)


def _is_picture(shape: tuple[int, ...]) -> bool:
    return len(shape) == 3 and shape[2] == 3 and 0 not in shape
