"""People cut out of a video, as the network was trained to see them, and joined to clips as they come.

Memory holds one frame of the video and at most T crops of each track that is not over, however long the video is.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from warnings import warn

import numpy as np
from numpy.typing import NDArray

from reidar_plugin.data.frames import ON_BROKEN, check_reading, resize_into
from reidar_plugin.errors import ConfigError
from reidar_plugin.inference.tracks import Tracks
from reidar_plugin.inference.video import VideoFrame

__all__ = ["Crop", "TrackClip", "join_clips", "read_crops"]


class Crop(NamedTuple):
    """A person in a frame."""

    track: int
    frame: int  #: index in the video, from 0
    time: float  #: seconds since the first frame of the video
    box: NDArray[np.float64]  #: ``(4,)``: left, top, width, height in pixels of the video
    pixels: NDArray[np.uint8]  #: ``(H, W, 3)``, RGB, in the size of the network


class TrackClip(NamedTuple):
    """Up to T frames in a row of one track; n is T in all clips but the last of a track."""

    track: int
    frames: NDArray[np.int64]  #: ``(n,)`` indices in the video
    times: NDArray[np.float64]  #: ``(n,)`` seconds since the first frame of the video
    boxes: NDArray[np.float64]  #: ``(n, 4)``
    pixels: NDArray[
        np.uint8
    ]  #: ``(T, H, W, 3)``; where n < T the n frames in turn, as in a test of the model
    ends: bool  #: whether it is the last of its track


def read_crops(
    frames: Iterable[VideoFrame], tracks: Tracks, height: int, width: int, interpolation: str = "cubic"
) -> Iterator[Crop]:
    """Cut out all boxes, in order of frame, then track, and resize them as the data of training was.

    Args:
        frames: frames of the video, in order.
        tracks: boxes that lie inside the picture, sorted; :func:`~reidar_plugin.inference.tracks.fit_to_video` sees to
            it. A box that begins or ends inside a pixel takes the whole pixel.
        height: H of the network.
        width: W of the network.
        interpolation: one of :data:`~reidar_plugin.data.frames.INTERPOLATIONS`, the one of training.

    Warns:
        RuntimeWarning: at the end, if boxes are left over because their frame was damaged or is not there.
    """
    check_reading(ON_BROKEN[0], interpolation)
    if height < 1 or width < 1:
        raise ConfigError(f"expected a height and a width of crops above 0, got {height} and {width}")
    row, lost = 0, 0
    for frame in frames:
        first = row + int(np.searchsorted(tracks.frame[row:], frame.index))
        lost += first - row
        row = first + int(np.searchsorted(tracks.frame[first:], frame.index, side="right"))
        for each in range(first, row):
            out = np.empty((height, width, 3), np.uint8)
            resize_into(out, _cut(frame.pixels, tracks.box[each]), interpolation)
            yield Crop(int(tracks.track[each]), frame.index, frame.time, tracks.box[each], out)
        if row == len(tracks):
            break
    lost += len(tracks) - row
    if lost:
        warn(
            f"{lost} of {len(tracks)} boxes are in frames that could not be read",
            RuntimeWarning,
            stacklevel=2,
        )


def join_clips(crops: Iterable[Crop], tracks: Tracks, length: int) -> Iterator[TrackClip]:
    """Join the crops of each track to clips of T frames in a row, as ``consecutive`` of docs/clips.md cuts a tracklet.

    A full clip comes with the next crop of its track, the last clip of a track with its last crop; if that was lost,
    with the next crop of another track, or at the end. Each track has exactly one clip that ends it.

    Args:
        crops: crops in order of frame, as :func:`read_crops` gives them.
        tracks: the same boxes; they say when a track is over.
        length: T.
    """
    if length < 1:
        raise ConfigError(f"a clip needs at least one frame, got {length}")
    if tracks.are_detections:
        raise ConfigError("expected tracks, got detections; associate them first")
    ids, last_row = np.unique(tracks.track[::-1], return_index=True)
    ends_at = dict(zip(ids.tolist(), tracks.frame[::-1][last_row].tolist(), strict=True))
    waiting: dict[int, list[Crop]] = {}
    now = -1
    for crop in crops:
        if crop.frame != now:
            now = crop.frame
            for track in [track for track in waiting if ends_at[track] < now]:  # its last frame was lost
                yield _clip(waiting.pop(track), length, ends=True)
        clip = waiting.setdefault(crop.track, [])
        ends = ends_at[crop.track] == crop.frame
        if len(clip) == length:
            yield _clip(clip, length, ends=False)
            clip.clear()
        clip.append(crop)
        if ends:
            yield _clip(waiting.pop(crop.track), length, ends=True)
    for clip in waiting.values():
        yield _clip(clip, length, ends=True)


def _cut(picture: NDArray[np.uint8], box: NDArray[np.float64]) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    left, top = np.clip(np.floor(box[:2]), 0, (width - 1, height - 1)).astype(int)
    right, bottom = np.clip(np.ceil(box[:2] + box[2:]), (left + 1, top + 1), (width, height)).astype(int)
    return np.ascontiguousarray(picture[top:bottom, left:right])


def _clip(crops: list[Crop], length: int, ends: bool) -> TrackClip:
    pixels = np.stack([crops[i % len(crops)].pixels for i in range(length)])
    return TrackClip(
        crops[0].track,
        np.array([crop.frame for crop in crops]),
        np.array([crop.time for crop in crops]),
        np.stack([crop.box for crop in crops]),
        pixels,
        ends,
    )
