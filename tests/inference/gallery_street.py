"""A gallery of made-up tracklets for the tests of the gallery and of the tool that searches it."""

from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from reidar_plugin.inference.gallery import GalleryModel, GalleryRow, open_gallery

ACTIONS = ("walking", "riding")
MODEL = GalleryModel("model-a", 8, "euclidean", ACTIONS)
CAMERAS = ("gate", "o'yard")
START = datetime(2026, 5, 1, 8, tzinfo=timezone.utc).timestamp()


def rows_of(count: int, run: str = "morning", minutes: float = 10.0) -> list[GalleryRow]:
    """Tracklet i is of a camera in turn, begins i times so many minutes after 8:00, lasts 30 s, and rides more and more."""
    rows = []
    for i in range(count):
        camera, start = CAMERAS[i % 2], START + 60 * minutes * i
        actions = {"walking": 1 - i / 100, "riding": i / 100} if i % 7 != 6 else None
        who = f"p{i % 5}" if i % 3 else None
        rows.append(
            GalleryRow(
                f"{run}/{camera}/{i}", camera, start, start + 30, 5 * i, 5 * i + 9, "a.mp4", who, actions
            )
        )
    return rows


def features_of(count: int, seed: int = 0, width: int = MODEL.width) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, width)).astype(np.float32)


def write_gallery(
    folder: Path, count: int = 60, model: GalleryModel = MODEL
) -> tuple[list[GalleryRow], np.ndarray]:
    """Make a gallery; what is in it."""
    rows, features = rows_of(count), features_of(count, width=model.width)
    with open_gallery(folder, model, write=True) as gallery:
        gallery.add(rows, features)
    return rows, features
