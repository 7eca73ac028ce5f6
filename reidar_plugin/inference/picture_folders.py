"""Tracklets as folders of pictures, ``<camera>/<tracklet>/*.jpg`` or ``<tracklet>/*.jpg``, in place of videos.

Nothing says when they were taken: frames count from 1 and follow each other by a second, and each tracklet of a camera
begins after the one before, so that no two of them are kept apart for being seen at once.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from reidar_plugin.data.frames import read_picture, resize_into
from reidar_plugin.errors import InputError, MissingFileError, PictureError
from reidar_plugin.inference.camera_file import CameraFindings, read_findings, write_findings
from reidar_plugin.inference.cameras import Camera
from reidar_plugin.inference.crops import TrackClip
from reidar_plugin.inference.predictor import Predictor
from reidar_plugin.inference.recognise import Asked, Found
from reidar_plugin.inference.track_summary import TrackSummary, summarise_tracks
from reidar_plugin.inference.tracks import Tracks
from reidar_plugin.io.console import say
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
    """The tracklets below a folder, in order of camera, then name. Hidden files and folders are passed over.

    Raises:
        MissingFileError: there is no such folder.
        InputError: there are no pictures, or they lie neither one nor two folders deep.
    """
    if not folder.is_dir():
        raise MissingFileError(f"{folder}: expected a folder of tracklets, there is none")
    places: dict[tuple[str, ...], list[str]] = {}
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.suffix.lower() in _ENDINGS and not any(part.startswith(".") for part in parts):
            places.setdefault(parts[:-1], []).append(str(path))
    wrong = [parts for parts in places if len(parts) not in (1, 2)]
    if wrong or not places:
        what = f"pictures in {'/'.join(wrong[0]) or 'the folder itself'}" if wrong else "no pictures"
        raise InputError(f"{folder}: expected <camera>/<tracklet>/*.jpg or <tracklet>/*.jpg, got {what}")
    return [
        PictureTracklet(([_ALONE, *parts])[-2], parts[-1], paths) for parts, paths in sorted(places.items())
    ]


def recognise_pictures(tracklets: Sequence[PictureTracklet], asked: Asked, folder: Path) -> list[Found]:
    """What the model says of each tracklet, by camera; its numbers are those of consecutive clips.

    Args:
        tracklets: the tracklets.
        asked: the model.
        folder: where the findings of each camera are kept, ``<camera>.npz``; those of the same pictures are taken up.
    """
    cameras: dict[str, list[PictureTracklet]] = {}
    for each in tracklets:
        cameras.setdefault(each.camera, []).append(each)
    return [_recognise_camera(Camera(name, Path()), own, asked, folder) for name, own in cameras.items()]


def _recognise_camera(
    camera: Camera, tracklets: Sequence[PictureTracklet], asked: Asked, folder: Path
) -> Found:
    path, question = folder / f"{camera.name}.npz", _question(tracklets, asked)
    findings = read_findings(path, question, asked.sizes)
    if findings is None:
        findings = CameraFindings(_NO_BOXES, _summaries(camera, tracklets, asked.predictor), 0, 0)
        write_findings(path, findings, question)
    else:
        say(f"{camera.name}: {len(findings.summaries):,} tracklets, as found before")
    return Found(camera, findings)


_NO_BOXES = Tracks(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 4)), np.empty(0, np.float32))


def _question(tracklets: Sequence[PictureTracklet], asked: Asked) -> str:
    """All that the findings depend on; of pictures their paths, sizes and times of change, as a digest."""
    digest = hashlib.sha256()
    for each in tracklets:
        digest.update(json.dumps([each.name, *map(_state, each.paths)]).encode())
    return json.dumps(
        [digest.hexdigest(), asked.fingerprint, asked.predictor.card.as_json(), asked.predictor.precision]
    )


def _state(path: str) -> list[str | int]:
    try:
        state = os.stat(path)
    except OSError as error:
        raise PictureError(f"{path}: expected a picture, got {error.strerror}") from error
    return [os.path.abspath(path), state.st_size, state.st_mtime_ns]


def _summaries(
    camera: Camera, tracklets: Sequence[PictureTracklet], predictor: Predictor
) -> list[TrackSummary]:
    clips = progress(camera.name, _clips(tracklets, predictor), _count(tracklets, predictor))
    return [one._replace(track=tracklets[int(one.track)].name) for one in summarise_tracks(clips, predictor)]


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
