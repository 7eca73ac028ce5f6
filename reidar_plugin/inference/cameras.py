"""Which videos there are, of which cameras, and when each began: ``cameras.yaml``.

::

    cameras:
      - name: gate
        video: gate.mp4                      # beside this file
        tracks: gate.txt                     # MOT file of tracks or of detections; none where a detector finds people
        start: 2026-05-01T09:00:00+02:00     # a time with its zone, or seconds on a clock that all cameras share
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from reidar_plugin.errors import ConfigError, MissingFileError, nearest, shown, summary
from reidar_plugin.io.ordinary import content_of
from reidar_plugin.io.plain_text import PlainTextError, parse_yaml

__all__ = ["Camera", "read_cameras", "start_of"]

_LAST = 2.0**40  #: seconds that a start may be from that of its clock: 34,000 years
_YEARS = range(1900, 9000)  #: of a date
_LONGEST = 1000  #: letters of a path
_KEYS = ("name", "video", "tracks", "start", "truth")
_NAME = re.compile(r"\w[\w .-]{0,59}")  # with 4 bytes a letter and an ending, a file may be called so


@dataclass(frozen=True)
class Camera:
    """A camera and its video."""

    name: str  #: also the name of its files
    video: Path
    tracks: Path | None = None  #: MOT file of tracks or of detections; None where a detector finds people
    start: float = 0.0  #: of the video, in seconds on the common clock
    dated: bool = False  #: whether that clock counts from 1970 in UTC
    truth: Path | None = (
        None  #: MOT file whose ids are the people, the same in all cameras; answers are scored by it
    )

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ConfigError(
                f"camera {shown(self.name)}: expected a name of at most 60 letters, digits, spaces, '.', '-' and '_'"
            )


def read_cameras(path: Path) -> list[Camera]:
    """Read ``cameras.yaml``; paths in it are relative to its folder.

    Raises:
        ConfigError: a key is unknown or missing, names are not unique, or only some starts have a date.
    """
    try:
        content = parse_yaml(content_of(path).decode())
    except OSError as error:
        raise MissingFileError(f"{path} cannot be read: {error.strerror}") from error
    except (PlainTextError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: expected YAML ({summary(error)})") from error
    listed = content.get("cameras") if isinstance(content, Mapping) else None
    if not isinstance(listed, Sequence) or not listed or not all(isinstance(one, Mapping) for one in listed):
        raise ConfigError(f"{path}: expected 'cameras:' and a list of {', '.join(_KEYS)}")
    cameras = [_camera(path, one) for one in listed]
    names = [camera.name for camera in cameras]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ConfigError(f"{path}: camera {shown(twice[0])} comes twice; give each its own name")
    if len({camera.dated for camera in cameras}) > 1:
        raise ConfigError(f"{path}: expected a date in every start or in none, so that all are on one clock")
    return cameras


def start_of(value: Any, source: str) -> tuple[float, bool]:
    """A start in seconds, and whether it is since 1970: a number is not, a time with its zone is."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            value = _number(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LAST:
        return float(value), False
    if isinstance(value, datetime) and value.tzinfo is not None and value.year in _YEARS:
        return value.timestamp(), True
    zoneless = isinstance(value, datetime) and value.tzinfo is None
    what = (
        f"{value} without a zone" if zoneless else str(value) if isinstance(value, datetime) else shown(value)
    )
    raise ConfigError(f"{source}: expected seconds, or a time such as 2026-05-01T09:00:00+02:00, got {what}")


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _camera(path: Path, told: Mapping[str, Any]) -> Camera:
    unknown = sorted(map(str, set(told) - set(_KEYS)))
    if unknown:
        raise ConfigError(
            f"{path}: unknown key {shown(unknown[0])};{nearest(unknown[0], _KEYS)} expected {', '.join(_KEYS)}"
        )
    for key in ("name", "video"):
        if told.get(key) in (None, ""):
            raise ConfigError(f"{path}: a camera has no {key!r}")
    for key in ("video", "tracks", "truth"):
        if len(file := str(told.get(key))) > _LONGEST:
            raise ConfigError(f"{path}: expected the path of a file for {key!r}, got {shown(file)}")
    tracks, truth = (
        None if told.get(key) is None else path.parent / str(told[key]) for key in ("tracks", "truth")
    )
    start, dated = start_of(told.get("start", 0), f"{path}: start of {shown(told['name'])}")
    name, video = str(told["name"]), path.parent / str(told["video"])
    try:
        return Camera(name, video, tracks, start, dated, truth)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
