"""Streets and a model for recognition: the model sees colours, and takes what is red for walking, green for riding."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from torch import Tensor

from reidar_plugin.inference.camera_file import CameraFindings
from reidar_plugin.inference.cameras import Camera
from reidar_plugin.inference.model_card import ModelCard
from reidar_plugin.inference.mot_files import write_tracks
from reidar_plugin.inference.prediction import ClipOutputs
from reidar_plugin.inference.predictor import Predictor
from reidar_plugin.inference.recognise import Asked, Finder, Found
from reidar_plugin.inference.track_summary import Shot, TrackSummary
from reidar_plugin.inference.tracks import Tracks
from tests.inference.street import tracks_of
from tests.report.page.made_up import made_up_picture

ACTIONS = ("walking", "riding")
RED, GREEN, BLUE = (230, 30, 30), (30, 200, 30), (40, 40, 230)
WIDTH, HEIGHT = 96, 64


def colour_predictor() -> Predictor:
    """Feature: the mean colour of a clip, 0 to 1; likelihoods: how red and how green it is."""

    def judge(frames: Tensor) -> ClipOutputs:
        feature = frames.numpy().mean(axis=(1, 2, 3), dtype=np.float64).astype(np.float32) / 255
        even = np.full(frames.shape[:2], 1 / frames.shape[1], np.float32)
        return ClipOutputs(feature, feature[:, :2], even)

    card = ModelCard(
        "colours", 16, 8, (0.5,) * 3, (0.5,) * 3, "cubic", 4, actions=ACTIONS, thresholds=(0.5, 0.5)
    )
    return Predictor(judge, card)


def asked(**finder: str) -> Asked:
    return Asked(colour_predictor(), "colours", Finder(**finder))


def write_street(folder: Path, name: str, people: Sequence[tuple[tuple[int, int, int], int, int]]) -> Camera:
    """A video of people of one colour each, one beside the other, each from one frame to another; and its tracks."""
    pytest.importorskip("av", reason="the extra 'video' is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    frames = max((last for _, _, last in people), default=9) + 1
    writer = cv2.VideoWriter(
        str(folder / f"{name}.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 10.0, (WIDTH, HEIGHT)
    )
    rows = []
    for frame in range(frames):
        picture = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
        for number, (colour, first, last) in enumerate(people):
            if first <= frame <= last:
                left = 8 + 24 * number
                picture[16:48, left : left + 16] = colour
                rows.append((frame, number + 1, left, 16, 16, 32))
        writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    writer.release()
    write_tracks(folder / f"{name}.txt", tracks_of(rows, score=0.75))
    return Camera(name, folder / f"{name}.avi", folder / f"{name}.txt")


def made_up_summary(track: int | str = 1, **changes: Any) -> TrackSummary:
    plain: dict[str, Any] = {
        "track": track,
        "feature": np.array([0.5, 0.25, 1.0], np.float32),
        "actions": np.array([0.75, 0.25], np.float32),
        "first_frame": 4,
        "last_frame": 13,
        "start": 0.4,
        "end": 1.3,
        "frames": 9,
        "box": np.array([1.5, 2.0, 10.0, 20.0]),
        "spans": (((0.4, 1.3),), ()),
        "shots": (
            Shot(made_up_picture("#ff0000"), 5, 0.5, (0,)),
            Shot(made_up_picture("#00ff00"), 9, 0.9, ()),
        ),
    }
    return TrackSummary(**{**plain, **changes})


def made_up_found(camera: Camera, *summaries: TrackSummary) -> Found:
    """A camera with so many tracklets, each with two boxes."""
    rows = [(one.first_frame + at, one.track, 1, 2, 10, 20) for one in summaries for at in (0, 1)]
    boxes: Tracks = tracks_of(rows, score=0.5)  # type: ignore[arg-type]
    return Found(camera, CameraFindings(boxes, summaries, WIDTH, HEIGHT))


def mean_colour(colour: tuple[int, int, int]) -> NDArray[np.float32]:
    return np.array(colour, np.float32) / 255
