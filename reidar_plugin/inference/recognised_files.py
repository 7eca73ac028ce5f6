"""The tables of a recognition: a row a tracklet as CSV, JSON lines or Parquet, MOT files, features.

Frames count from 1, as in MOT files. Times are seconds on the common clock of the cameras, or dates in UTC.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reidar_plugin.errors import ConfigError, summary
from reidar_plugin.inference.identify import Seen, features_of
from reidar_plugin.inference.mot_files import write_tracks
from reidar_plugin.inference.recognise import Found
from reidar_plugin.inference.tracks import Tracks
from reidar_plugin.io.atomic import write_atomically

__all__ = ["people_in", "row_of", "write_features", "write_mot", "write_rows", "write_table"]

SIDES = ("left", "top", "width", "height")


def row_of(one: Seen, actions: Sequence[str], thresholds: NDArray[np.float32]) -> dict[str, Any]:
    """A tracklet in plain values: ``actions`` has likelihood, whether it counts, and when it was seen."""
    said = one.summary
    return {
        "camera": one.camera.name,
        "track": said.track,
        "identity": one.person,
        "first_frame": said.first_frame + 1,
        "last_frame": said.last_frame + 1,
        "start": _time(one, said.start),
        "end": _time(one, said.end),
        "frames": said.frames,
        "box": [round(value, 3) for value in said.box.tolist()],
        "score": round(one.score, 6),
        "actions": {
            name: {
                "likelihood": round(value, 6),
                "shown": value >= least,
                "seen": [[_time(one, first), _time(one, last)] for first, last in spans],
            }
            for name, value, least, spans in zip(
                actions, said.actions.tolist(), thresholds.tolist(), said.spans, strict=True
            )
        },
    }


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """JSON, a line a tracklet."""
    write_atomically(path, "".join(json.dumps(row) + "\n" for row in rows).encode())


def write_table(path: Path, rows: Sequence[Mapping[str, Any]], actions: Sequence[str]) -> None:
    """Plain columns, a likelihood each and ``shown`` with the actions that count; CSV, or Parquet by the ending."""
    flat = [_flat(row) for row in rows]
    head = [*_HEAD, *actions, "shown"]
    if path.suffix == ".parquet":
        write_atomically(path, _parquet(flat, head))
        return
    text = io.StringIO()
    writer = csv.DictWriter(text, head, lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    write_atomically(path, text.getvalue().encode())


def people_in(found: Found, seen: Sequence[Seen]) -> Tracks:
    """The boxes of a camera, with the person as id, so that ids mean the same in all cameras."""
    boxes = found.findings.boxes
    person = {one.summary.track: one.person for one in seen if one.camera == found.camera}
    ids = np.array([person[track] for track in boxes.track.tolist()], np.int64)
    return Tracks(boxes.frame, ids, boxes.box, boxes.score)


def write_mot(path: Path, found: Found, seen: Sequence[Seen]) -> None:
    """Write :func:`people_in` as a MOT file."""
    write_tracks(path, people_in(found, seen))


def write_features(path: Path, seen: Sequence[Seen]) -> None:
    """``(N, D)`` float32, a row for each row of the tables."""
    buffer = io.BytesIO()
    np.save(buffer, features_of(seen))
    write_atomically(path, buffer.getvalue())


_HEAD = (
    "camera",
    "track",
    "identity",
    "first_frame",
    "last_frame",
    "start",
    "end",
    "frames",
    *SIDES,
    "score",
)


def _time(one: Seen, seconds: float) -> float | str:
    at = one.camera.start + seconds
    if not one.camera.dated:
        return round(at, 3)
    return datetime.fromtimestamp(at, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    told = row["actions"]
    plain = {name: value for name, value in row.items() if name not in ("box", "actions")}
    shown = "|".join(name for name, each in told.items() if each["shown"])
    likely = {name: each["likelihood"] for name, each in told.items()}
    return {**plain, **dict(zip(SIDES, row["box"], strict=True)), **likely, "shown": shown}


def _parquet(rows: Sequence[Mapping[str, Any]], head: Sequence[str]) -> bytes:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise ConfigError(
            f"Parquet needs pyarrow ({summary(error)}): pip install pyarrow, or take CSV"
        ) from error
    columns = {name: [str(row[name]) if name == "track" else row[name] for row in rows] for name in head}
    buffer = io.BytesIO()
    parquet.write_table(pa.table(columns), buffer)
    return buffer.getvalue()
