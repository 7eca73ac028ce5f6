"""What was found in a camera's video, in one file: written whole or not at all, read again only for the same question."""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reidar_plugin.errors import InputError, summary
from reidar_plugin.inference.track_summary import Shot, TrackSummary
from reidar_plugin.inference.tracks import Tracks
from reidar_plugin.io.arrays import load_arrays
from reidar_plugin.io.atomic import write_atomically
from reidar_plugin.io.plain_text import parse_json
from reidar_plugin.io.safe_load import UNREADABLE

__all__ = ["CameraFindings", "read_findings", "write_findings"]


class CameraFindings(NamedTuple):
    """The boxes of a video and what the model says of its tracks."""

    boxes: Tracks
    summaries: Sequence[TrackSummary]
    width: int  #: of the picture
    height: int


def write_findings(path: Path, findings: CameraFindings, question: str) -> None:
    """Write the findings.

    Args:
        path: the file; its folder exists.
        findings: what was found.
        question: what was asked of which files with which model; :func:`read_findings` compares it.
    """
    told = [_told(one) for one in findings.summaries]
    jpegs = [shot.jpeg for one in findings.summaries for shot in one.shots]
    header = {"question": question, "size": [findings.width, findings.height], "summaries": told}
    buffer = io.BytesIO()
    np.savez(
        buffer,
        header=np.frombuffer(json.dumps(header).encode(), np.uint8),
        features=_stack([one.feature for one in findings.summaries]),
        actions=_stack([one.actions for one in findings.summaries]),
        jpegs=np.frombuffer(b"".join(jpegs), np.uint8),
        sizes=np.array([len(jpeg) for jpeg in jpegs], np.int64),
        frame=findings.boxes.frame,
        track=findings.boxes.track,
        box=findings.boxes.box,
        score=findings.boxes.score,
    )
    write_atomically(path, buffer.getvalue())


def read_findings(path: Path, question: str) -> CameraFindings | None:
    """The findings; None if the file is not there, or answers another question.

    Raises:
        InputError: it is damaged.
    """
    if not path.is_file():
        return None
    try:
        arrays = load_arrays(path)
        header = parse_json(arrays["header"].tobytes())
        if header["question"] != question:
            return None
        boxes = Tracks(arrays["frame"], arrays["track"], arrays["box"], arrays["score"])
        return CameraFindings(boxes, list(_summaries(header["summaries"], arrays)), *header["size"])
    except (*UNREADABLE, StopIteration) as error:
        raise InputError(f"{path} is damaged ({summary(error)}); delete it, and start again") from error


def _told(one: TrackSummary) -> dict[str, Any]:
    told = {**one._asdict(), "box": one.box.tolist(), "shots": [shot[1:] for shot in one.shots]}
    return {name: value for name, value in told.items() if name not in ("feature", "actions")}


def _summaries(told: list[dict[str, Any]], arrays: dict[str, NDArray[Any]]) -> Any:
    ends = np.cumsum(arrays["sizes"]).tolist()
    pieces = iter(zip([0, *ends], ends, strict=False))
    jpegs = arrays["jpegs"].tobytes()
    for row, one in enumerate(told):
        shots = []
        for frame, time, shows in one["shots"]:
            first, end = next(pieces)
            shots.append(Shot(jpegs[first:end], frame, time, tuple(shows)))
        spans = tuple(tuple((first, last) for first, last in spans) for spans in one["spans"])
        kept = {"box": np.array(one["box"]), "spans": spans, "shots": tuple(shots)}
        yield TrackSummary(
            **{**one, **kept, "feature": arrays["features"][row], "actions": arrays["actions"][row]}
        )


def _stack(rows: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    return np.stack(rows) if rows else np.empty((0, 0), np.float32)
