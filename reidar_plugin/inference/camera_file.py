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

_MOST = 2**31  # frames, tracks, pixels and seconds; more is a damaged file
_PICTURES = (b"\xff\xd8", b"\x89P")  # how a JPEG begins, and a PNG
_COLUMNS = {
    "frame": ("i", ()),
    "track": ("i", ()),
    "box": ("f", (4,)),
    "score": ("f", ()),
}  # kind, shape of a row


class CameraFindings(NamedTuple):
    """The boxes of a video and what the model says of its tracks."""

    boxes: Tracks
    summaries: Sequence[TrackSummary]
    width: int  #: of the picture; 0 of tracklets that are pictures of their own, and have no boxes
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


def read_findings(path: Path, question: str, sizes: tuple[int, int]) -> CameraFindings | None:
    """The findings; None if the file is not there, or answers another question.

    Args:
        path: the file.
        question: as in :func:`write_findings`.
        sizes: D of the features, and M actions, of the model that is asked.

    Raises:
        InputError: it is damaged, or holds what nobody found.
    """
    if not path.is_file():
        return None
    try:
        arrays = load_arrays(path)
        header = parse_json(arrays["header"].tobytes())
        if header["question"] != question:
            return None
        boxes = Tracks(arrays["frame"], arrays["track"], arrays["box"], arrays["score"])
        found = CameraFindings(boxes, list(_summaries(header["summaries"], arrays)), *header["size"])
        _check_boxes(found)
        _check_rows(arrays, (len(found.summaries), *sizes))
        for one in found.summaries:
            _check_summary(one, sizes[1])
        return found
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
            if not (0 <= first < end <= len(jpegs) and jpegs[first:end].startswith(_PICTURES)):
                raise ValueError("a picture that is none")
            shots.append(Shot(jpegs[first:end], frame, time, tuple(shows)))
        spans = tuple(tuple((first, last) for first, last in spans) for spans in one["spans"])
        kept = {"box": np.array(one["box"]), "spans": spans, "shots": tuple(shots)}
        yield TrackSummary(
            **{**one, **kept, "feature": arrays["features"][row], "actions": arrays["actions"][row]}
        )


def _check_boxes(found: CameraFindings) -> None:
    """That boxes are some, in order, each of a track, and each track has some; or none of pictures."""
    boxes, tracks = found.boxes, [one.track for one in found.summaries]
    for name, (kind, shape) in _COLUMNS.items():
        column = getattr(boxes, name)
        if column.dtype.kind != kind or column.shape != (len(boxes), *shape):
            raise ValueError(f"{name} is of {column.dtype} {column.shape}")
        if not ((column > -_MOST) & (column < _MOST)).all():
            raise ValueError(f"{name} holds what is none")
    if (boxes.frame < 0).any() or (np.diff(boxes.frame) < 0).any():
        raise ValueError("frames are not in order")
    of_video = _counts(found.width, found.height) and found.width > 0 and found.height > 0
    of_pictures = (found.width, found.height) == (0, 0) and not len(boxes)
    known = _counts(*tracks) if of_video else all(isinstance(track, str) for track in tracks)
    if not (of_video or of_pictures) or not known or len(set(tracks)) < len(tracks):
        raise ValueError("tracks are not those of a video, nor of pictures")
    if of_video and {*boxes.track.tolist()} != {*tracks}:
        raise ValueError("boxes are of other tracks")


def _check_rows(arrays: dict[str, NDArray[Any]], sizes: tuple[int, int, int]) -> None:
    """That there are a feature and likelihoods of each track, as the model gives them."""
    for name, width in (("features", sizes[1]), ("actions", sizes[2])):
        rows = arrays[name]
        if rows.dtype != np.float32 or rows.shape != ((sizes[0], width) if sizes[0] else (0, 0)):
            raise ValueError(f"{name} are of {rows.dtype} {rows.shape}")
        if not np.isfinite(rows).all() or (name == "actions" and not ((rows >= 0) & (rows <= 1)).all()):
            raise ValueError(f"{name} hold what is none")


def _check_summary(one: TrackSummary, actions: int) -> None:
    """That what is told of a track are numbers as they can be."""
    shows = [action for shot in one.shots for action in shot.shows]
    spans = [time for spans in one.spans for span in spans for time in span]
    right = (
        _counts(one.first_frame, one.last_frame, one.frames, *(shot.frame for shot in one.shots), *shows),
        _numbers(one.start, one.end, *spans, *(shot.time for shot in one.shots)),
        one.box.shape == (4,) and _numbers(*one.box.tolist()),
        len(one.spans) == actions and all(action < actions for action in shows),
    )
    if not all(right) or not one.first_frame <= one.last_frame:
        raise ValueError("a track of which something else is told than was found")


def _counts(*values: Any) -> bool:
    return all(type(value) is int and 0 <= value < _MOST for value in values)


def _numbers(*values: Any) -> bool:
    return all(type(value) in (int, float) and -_MOST < value < _MOST for value in values)


def _stack(rows: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    return np.stack(rows) if rows else np.empty((0, 0), np.float32)
