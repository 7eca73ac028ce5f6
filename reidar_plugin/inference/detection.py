"""Where tracks come from if nobody gives them: the user's detector, and association by the package ``trackers``.

A detector is any callable ``frame -> boxes``: ``frame`` is uint8 ``(H, W, 3)`` RGB, ``boxes`` an array ``(n, 4)`` or
``(n, 5)`` of left, top, width, height in pixels and, if there is a fifth column, a score from 0 to 1. It is named
``module:function``, of an installed package or of a file in the current folder. ``module:Class`` is made once without
arguments, then called for each frame in order, so that it can keep what it has seen (a background model, say).
"""

import importlib
import importlib.util
import inspect
import itertools
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from reidar_plugin.errors import ConfigError, ReidarError, nearest, summary
from reidar_plugin.inference.tracks import DETECTION, Tracks
from reidar_plugin.inference.video import VideoFrame

__all__ = ["TRACKERS", "Detector", "DetectorError", "associate", "detect", "load_detector", "source_of"]

Detector: TypeAlias = Callable[[NDArray[np.uint8]], Any]

#: name -> class of the package ``trackers``
TRACKERS = {"bytetrack": "ByteTrackTracker", "sort": "SORTTracker", "ocsort": "OCSORTTracker"}


class DetectorError(ReidarError, ValueError):
    """A detector that cannot be loaded, or gives something else than boxes."""


def load_detector(name: str) -> Detector:
    """The callable of that name, ``module:function`` or ``module:Class``; the module is imported, which runs it.

    Raises:
        DetectorError: there is no such module or function, its import fails, or it cannot be called.
    """
    module_name, colon, attribute = name.partition(":")
    if not colon or not module_name or not attribute.isidentifier():
        raise DetectorError(f"detector: expected module:function, such as my_detector:detect, got {name!r}")
    module = _import(module_name)
    if not hasattr(module, attribute):
        names = [each for each in vars(module) if not each.startswith("_")]
        raise DetectorError(
            f"{module_name} has no {attribute!r};{nearest(attribute, names)} it is {module.__file__}"
        )
    found = getattr(module, attribute)
    try:
        detector = found() if inspect.isclass(found) else found
    except Exception as error:  # whatever the user's class raises
        raise DetectorError(f"detector {name} cannot be made without arguments ({summary(error)})") from error
    if not callable(detector):
        raise DetectorError(
            f"detector {name}: expected a function frame -> boxes, got {type(detector).__name__}"
        )
    return detector


def source_of(name: str) -> Path | None:
    """The file of the detector's module, which is not run for that; None where there is none."""
    with _current_folder():
        try:
            spec = importlib.util.find_spec(name.partition(":")[0])
        except Exception:  # noqa: BLE001 - of a package around it, or of a name that is none; load_detector tells
            return None
    return Path(spec.origin) if spec is not None and spec.has_location and spec.origin else None


def detect(frames: Iterable[VideoFrame], detector: Detector, name: str = "detector") -> Tracks:
    """Run a detector over the frames of a video.

    Args:
        frames: frames in order of time, as :func:`~reidar_plugin.inference.video.read_video` gives them.
        detector: as at the top of the module.
        name: name of the detector, for errors.

    Returns:
        Detections of all frames; score 1 where the detector gives none.
    """
    index: list[NDArray[np.int64]] = []
    rows: list[NDArray[np.float64]] = []
    for frame in frames:
        boxes = _checked_boxes(detector(frame.pixels), name, frame.index)
        index.append(np.full(len(boxes), frame.index))
        rows.append(boxes)
    table = np.concatenate(rows) if rows else np.empty((0, 5))
    frame_index = np.concatenate(index) if index else np.empty(0, np.int64)
    ids = np.full(len(table), DETECTION)
    return Tracks(frame_index, ids, table[:, :4].copy(), table[:, 4].astype(np.float32))


def associate(detections: Tracks, frame_rate: float, tracker: str = "bytetrack", **options: float) -> Tracks:
    """Join detections over frames into tracks, by motion and overlap alone.

    Args:
        detections: boxes and scores of one video; ids that are there already are not looked at.
        frame_rate: frames a second of the video; how long a lost person is waited for depends on it.
        tracker: one of :data:`TRACKERS`. ``bytetrack`` starts tracks at scores of 0.7 and above and goes on with lower
            ones; ``sort`` and ``ocsort`` lean less on the scale of the scores.
        options: arguments of the tracker's class, such as ``track_activation_threshold`` or ``lost_track_buffer``.

    Returns:
        The boxes that became part of a track, ids from 1. A track begins with the second or third box of a person,
        as ``minimum_consecutive_frames`` says; a box of a single frame is none.

    Raises:
        ConfigError: an unknown tracker or option, or ``trackers`` is not installed.
        DetectorError: no detection became part of a track.
    """
    if not frame_rate > 0:
        raise ConfigError(f"frame_rate: expected frames a second above 0, got {frame_rate}")
    update = _tracker(tracker, {"frame_rate": float(frame_rate), **options})
    ids = np.full(len(detections), DETECTION)
    last = int(detections.frame.max()) if len(detections) else -1
    starts = np.searchsorted(detections.frame, np.arange(last + 2))
    for first, end in itertools.pairwise(starts):  # also frames without boxes: time goes on
        ids[first:end] = update(detections.box[first:end], detections.score[first:end])
    tracked = ids != DETECTION
    if len(detections) and not tracked.any():
        low, high = detections.score.min(), detections.score.max()
        raise DetectorError(
            f"none of {len(detections)} detections became a track; their scores are {low:g} to {high:g}: "
            f"take another tracker than {tracker!r} (--tracker: {', '.join(TRACKERS)}), or detections with higher scores; "
            "in Python, lower track_activation_threshold"
        )
    found = Tracks(detections.frame, ids + 1, detections.box, detections.score)
    return found.take(tracked).sorted()


def _import(name: str) -> Any:
    try:
        with _current_folder():
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise DetectorError(f"detector: no module {name!r}, installed or in {os.getcwd()}") from error
        raise DetectorError(
            f"detector: {name} needs the module {error.name!r}, which is not installed"
        ) from error
    except Exception as error:  # whatever the user's module raises
        raise DetectorError(f"detector: {name} cannot be imported ({summary(error)})") from error


@contextmanager
def _current_folder() -> Iterator[None]:
    """Modules of the current folder can be found, after those that are installed."""
    folder = os.getcwd()
    sys.path.append(folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def _checked_boxes(boxes: Any, name: str, index: int) -> NDArray[np.float64]:
    """``(n, 5)``, whatever the detector gave, or an error that says what it gave."""
    try:
        table = np.asarray(boxes, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DetectorError(
            f"{name}, frame {index + 1}: expected an array of boxes, got {type(boxes).__name__}"
        ) from error
    if table.size == 0:
        return np.empty((0, 5))
    if table.ndim != 2 or table.shape[1] not in (4, 5):
        raise DetectorError(
            f"{name}, frame {index + 1}: expected boxes (n, 4) or (n, 5), got shape {table.shape}"
        )
    if not np.isfinite(table).all() or (table[:, 2:4] <= 0).any():
        raise DetectorError(f"{name}, frame {index + 1}: expected finite boxes of a width and height above 0")
    return table if table.shape[1] == 5 else np.column_stack([table, np.ones(len(table))])


def _tracker(name: str, options: dict[str, float]) -> Callable[..., NDArray[np.int64]]:
    """``update(boxes, scores) -> ids`` of one frame."""
    if name not in TRACKERS:
        raise ConfigError(
            f"unknown tracker {name!r};{nearest(name, TRACKERS)} choose one of {', '.join(TRACKERS)}"
        )
    try:
        import supervision
        import trackers
    except ImportError as error:
        raise ConfigError(
            f"association needs the package trackers ({summary(error)}): pip install 'reidar-plugin[video]'"
        ) from error
    made = getattr(trackers, TRACKERS[name])
    known = inspect.signature(made).parameters
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise ConfigError(
            f"{name} has no option {unknown[0]!r};{nearest(unknown[0], known)} it has {', '.join(known)}"
        )
    tracker = made(**options)

    def update(boxes: NDArray[np.float64], scores: NDArray[np.float32]) -> NDArray[np.int64]:
        corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
        found = supervision.Detections(
            xyxy=corners.astype(np.float32), confidence=scores, data={"row": np.arange(len(boxes))}
        )
        tracked = tracker.update(found)
        ids = np.full(len(boxes), DETECTION)
        if len(tracked):
            ids[tracked.data["row"]] = tracked.tracker_id  # trackers may change the order
        return ids

    return update
