"""People in the videos of some cameras: each video is worked through once, and what was found of it is kept.

A run that is started again takes up what is there, if it was asked the same of the same files with the same model.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from reidar_plugin.errors import ConfigError
from reidar_plugin.inference.camera_file import CameraFindings, read_findings, write_findings
from reidar_plugin.inference.cameras import Camera
from reidar_plugin.inference.crops import join_clips, read_crops
from reidar_plugin.inference.detection import associate, detect, load_detector, source_of
from reidar_plugin.inference.mot_files import read_tracks
from reidar_plugin.inference.predictor import Predictor
from reidar_plugin.inference.track_summary import TrackSummary, summarise_tracks
from reidar_plugin.inference.tracks import Tracks, fit_to_video
from reidar_plugin.inference.video import VideoError, VideoFrame, VideoInfo, probe_video, read_video
from reidar_plugin.io.console import say
from reidar_plugin.io.download import digest_of
from reidar_plugin.io.progress import progress

__all__ = ["Asked", "Finder", "Found", "fingerprint_of", "recognise_video"]


@dataclass(frozen=True)
class Finder:
    """How people are found in videos."""

    detector: str = ""  #: ``module:function``, for cameras without a track file
    tracker: str = "bytetrack"  #: joins detections to tracks
    on_outside: str = "stop"  #: boxes that cannot be of the video, see :func:`~.tracks.fit_to_video`
    on_broken: str = "stop"  #: damaged frames, see :func:`~.video.read_video`


class Found(NamedTuple):
    """A camera and what was found in its video."""

    camera: Camera
    findings: CameraFindings


class Asked(NamedTuple):
    """A model, its fingerprint, and how people are found for it."""

    predictor: Predictor
    fingerprint: str
    finder: Finder

    @property
    def sizes(self) -> tuple[int, int]:
        """D of a feature, and M actions."""
        return self.predictor.feature_size, len(self.predictor.actions)


def recognise_video(camera: Camera, asked: Asked, folder: Path) -> Found:
    """Work through a camera's video, or read what an earlier run found in it.

    Args:
        camera: the camera; without a track file a detector finds people.
        asked: model, and how people are found.
        folder: where the findings are kept, ``<camera>.npz``.
    """
    path = folder / f"{camera.name}.npz"
    question = _question(camera, asked)
    findings = read_findings(path, question, asked.sizes)
    if findings is None:
        info = probe_video(camera.video, asked.finder.on_broken)
        tracks = _find_tracks(camera, info, asked.finder)
        summaries = list(_summaries(camera, info, tracks, asked))
        tracks = tracks.take(
            np.isin(tracks.track, [one.track for one in summaries])
        )  # others: broken frames alone
        findings = CameraFindings(
            tracks, sorted(summaries, key=lambda one: one.track), info.width, info.height
        )
        write_findings(path, findings, question)
        say(
            f"{camera.name}: {len(tracks):,} boxes, {len(summaries):,} tracklets in {info.frame_count:,} frames"
        )
    else:
        say(f"{camera.name}: {len(findings.summaries):,} tracklets, as found before")
    return Found(camera, findings)


def fingerprint_of(path: Path) -> str:
    """Digest of a file, in hexadecimal digits."""
    return digest_of(path)[:16]


def _question(camera: Camera, asked: Asked) -> str:
    """All that the findings depend on, as text. The video is known by size and time of change, for it may be long."""
    try:
        state = camera.video.stat()
        people = camera.tracks or source_of(asked.finder.detector)  # file of the tracks, or of the detector
        found_by = "" if people is None else fingerprint_of(people)
    except OSError as error:
        raise VideoError(f"{error.filename} cannot be read: {error.strerror}") from error
    video = [str(camera.video.resolve()), state.st_size, state.st_mtime_ns]
    card = asked.predictor.card.as_json()
    model = [asked.fingerprint, card, asked.predictor.precision]
    return json.dumps([video, found_by, asdict(asked.finder), *model])


def _find_tracks(camera: Camera, info: VideoInfo, finder: Finder) -> Tracks:
    """Boxes with ids that lie inside the video."""
    if camera.tracks is not None:
        tracks = read_tracks(camera.tracks).people()
        if not len(tracks):
            say(f"{camera.name}: nobody stands in {camera.tracks}")
    elif finder.detector:
        frames = progress(
            f"{camera.name}: detector", read_video(camera.video, finder.on_broken), info.frame_count
        )
        tracks = detect(frames, load_detector(finder.detector), finder.detector)
    else:
        raise ConfigError(
            f"camera {camera.name} has no track file; give one (--tracks FILE), or a detector (--detector MODULE:FUNCTION)"
        )
    name = str(camera.tracks or finder.detector)
    fitted = fit_to_video(tracks, info.width, info.height, info.frame_count, finder.on_outside, name)
    if fitted.outside or fitted.beyond:
        say(
            f"{name}: {fitted.outside} boxes outside the picture and {fitted.beyond} after the end are left out"
        )
    if fitted.tracks.are_detections:
        return associate(fitted.tracks, info.frame_rate, finder.tracker)
    return fitted.tracks


def _summaries(camera: Camera, info: VideoInfo, tracks: Tracks, asked: Asked) -> Iterator[TrackSummary]:
    predictor = asked.predictor
    crops = read_crops(
        _frames(camera, info, asked.finder),
        tracks,
        predictor.height,
        predictor.width,
        predictor.interpolation,
    )
    yield from summarise_tracks(join_clips(crops, tracks, predictor.clip_length), predictor)


def _frames(camera: Camera, info: VideoInfo, finder: Finder) -> Iterator[VideoFrame]:
    return progress(f"{camera.name}: people", read_video(camera.video, finder.on_broken), info.frame_count)
