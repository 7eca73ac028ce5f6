"""Tracklets as folders of pictures, ``<camera>/<tracklet>/*.jpg`` or ``<tracklet>/*.jpg``, in place of videos.

Nothing says when they were taken: frames count from 1 and follow each other by a second, and each tracklet of a camera
begins after the one before, so that no two of them are kept apart for being seen at once.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from reidar_plugin.data.frames import read_picture, resize_into
from reidar_plugin.errors import InputError, MissingFileError
from reidar_plugin.inference.camera_file import CameraFindings
from reidar_plugin.inference.cameras import Camera
from reidar_plugin.inference.crops import TrackClip
from reidar_plugin.inference.predictor import Predictor
from reidar_plugin.inference.recognise import Found
from reidar_plugin.inference.track_summary import summarise_tracks
from reidar_plugin.inference.tracks import Tracks
from reidar_plugin.io.progress import progress

__all__ = ["PictureTracklet", "find_tracklets", "recognise_pictures"]

_ENDINGS = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}
_ALONE = "pictures"  # the camera of tracklets without one


class PictureTracklet(NamedTuple):
    """The pictures of a tracklet, in order of their names."""

    camera: str
    name: str
    paths: Sequence[str]


def find_tracklets(folder: Path) -> list[PictureTracklet]:
    """The tracklets below a folder, in order of camera, then name.

    Raises:
        MissingFileError: there is no such folder.
        InputError: there are no pictures, or they lie neither one nor two folders deep.
    """
    if not folder.is_dir():
        raise MissingFileError(f"{folder}: expected a folder of tracklets, there is none")
    places: dict[tuple[str, ...], list[str]] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in _ENDINGS:
            places.setdefault(path.parent.relative_to(folder).parts, []).append(str(path))
    wrong = [parts for parts in places if len(parts) not in (1, 2)]
    if wrong or not places:
        what = f"pictures in {'/'.join(wrong[0]) or 'the folder itself'}" if wrong else "no pictures"
        raise InputError(f"{folder}: expected <camera>/<tracklet>/*.jpg or <tracklet>/*.jpg, got {what}")
    return [
        PictureTracklet(([_ALONE, *parts])[-2], parts[-1], paths) for parts, paths in sorted(places.items())
    ]


def recognise_pictures(tracklets: Sequence[PictureTracklet], predictor: Predictor) -> list[Found]:
    """What the model says of each tracklet, by camera; its numbers are those of consecutive clips."""
    cameras = {each.camera: Camera(each.camera, Path()) for each in tracklets}
    found = []
    for name, camera in cameras.items():
        own = [each for each in tracklets if each.camera == name]
        said = summarise_tracks(progress(name, _clips(own, predictor), _count(own, predictor)), predictor)
        summaries = [one._replace(track=own[int(one.track)].name) for one in said]
        nothing = Tracks(
            np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 4)), np.empty(0, np.float32)
        )
        found.append(Found(camera, CameraFindings(nothing, summaries, 0, 0)))
    return found


def _count(tracklets: Sequence[PictureTracklet], predictor: Predictor) -> int:
    return sum(-(-len(each.paths) // predictor.clip_length) for each in tracklets)


def _clips(tracklets: Sequence[PictureTracklet], predictor: Predictor) -> Iterator[TrackClip]:
    before, length = 0, predictor.clip_length
    for number, tracklet in enumerate(tracklets):
        for first in range(0, len(tracklet.paths), length):
            paths = tracklet.paths[first : first + length]
            frames = np.arange(first, first + len(paths))
            pixels = np.zeros((length, predictor.height, predictor.width, 3), np.uint8)
            boxes = np.zeros((len(paths), 4))
            for at, path in enumerate(paths):
                picture = read_picture(path)
                resize_into(pixels[at], picture, predictor.interpolation)
                boxes[at, 2:] = picture.shape[1], picture.shape[0]
            ends = first + length >= len(tracklet.paths)
            yield TrackClip(number, frames, (before + frames).astype(np.float64), boxes, pixels, ends)
        before += len(tracklet.paths)
