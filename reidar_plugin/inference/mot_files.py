"""MOT files: boxes of people, a line each, as trackers and benchmarks publish them.

A line is ``frame,id,left,top,width,height,score`` and, as published, ``,-1,-1,-1``; frames count from 1 and detections
have id -1. Lines of the ground-truth form have nine columns: ``frame,id,left,top,width,height,counts,class,visibility``.
Pixels are taken as they are written.
"""

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from reidar_plugin.inference.tracks import DETECTION, TrackFileError, Tracks
from reidar_plugin.io.atomic import replacing
from reidar_plugin.io.ordinary import ordinary

__all__ = ["read_tracks", "write_tracks"]

_BLOCK = 2**16  # lines that are parsed at a time
_TRUTH = 9  # columns of the ground-truth form
_COLUMNS = (7, 8, _TRUTH, 10)
_MOST = 2**31  # frames and ids; more is a damaged file


def read_tracks(path: str | os.PathLike[str]) -> Tracks:
    """Read a MOT file of tracks or detections; blank lines are passed over, and a file of nothing else has no boxes.

    Raises:
        TrackFileError: at the first line that is not as described at the top of the module, at a track that has two
            boxes in a frame, or where tracks and detections are mixed.
    """
    path = Path(path)
    blocks, numbers = [], []
    try:
        with open(path, encoding="utf-8-sig", opener=ordinary) as file:
            lines = ((n, line) for n, line in enumerate(file, start=1) if line.strip())
            for block in iter(lambda: list(islice(lines, _BLOCK)), []):
                at = np.array([n for n, _ in block])
                rows = _parse(path, block)
                _check_rows(path, at, rows)
                blocks.append(rows)
                numbers.append(at)
    except OSError as error:
        raise TrackFileError(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise TrackFileError(f"{path}: expected lines of numbers, got bytes that are no text") from error
    if not blocks:
        return Tracks(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 4)), np.zeros(0, np.float32))
    for at, rows in zip(numbers, blocks, strict=True):
        if rows.shape[1] != blocks[0].shape[1]:
            _refuse(path, at[0], f"expected {blocks[0].shape[1]} columns as before, got {rows.shape[1]}")
    return _tracks(path, np.concatenate(numbers), np.concatenate(blocks))


def write_tracks(path: str | os.PathLike[str], tracks: Tracks) -> None:
    """Write a MOT file: boxes to a thousandth of a pixel, scores to a millionth; whole or not at all."""
    path = Path(path)
    ordered = tracks.sorted()
    try:
        with replacing(path) as part, part.open("w", encoding="utf-8") as file:
            file.writelines(_lines(ordered))
    except OSError as error:
        raise TrackFileError(f"{path} cannot be written: {error.strerror or error}") from error


def _parse(path: Path, block: list[tuple[int, str]]) -> NDArray[np.float64]:
    try:
        rows = np.loadtxt([line for _, line in block], delimiter=",", comments=None, ndmin=2)
    except ValueError as error:
        _find_wrong_line(path, block)
        raise TrackFileError(f"{path}: {error}") from error
    if rows.shape[1] not in _COLUMNS:
        _refuse(path, block[0][0], f"expected 7 to 10 columns, got {rows.shape[1]}")
    return rows


def _find_wrong_line(path: Path, block: Iterable[tuple[int, str]]) -> None:
    columns = 0
    for number, line in block:
        values = line.strip().split(",")
        for value in values:
            try:
                float(value)
            except ValueError:
                _refuse(path, number, f"expected numbers, got {value.strip()[:40]!r}")
        if columns and len(values) != columns:
            _refuse(path, number, f"expected {columns} columns as before, got {len(values)}")
        columns = len(values)


def _check_rows(path: Path, at: NDArray[Any], rows: NDArray[np.float64]) -> None:
    frame, track = rows[:, 0], rows[:, 1]
    size = rows[:, 4:6]
    whole = (frame == np.floor(frame)) & (track == np.floor(track))
    for right, what in (
        (np.isfinite(rows).all(axis=1), "expected finite numbers"),
        (whole, "expected whole numbers for frame and id"),
        ((frame >= 1) & (frame < _MOST), "expected a frame that counts from 1"),
        ((track >= DETECTION) & (track < _MOST), "expected an id >= 0, or -1 for a detection"),
        ((size > 0).all(axis=1), "expected a width and a height above 0"),
    ):
        if not right.all():
            wrong = int(np.argmin(right))
            _refuse(path, at[wrong], f"{what}, got {','.join(f'{v:g}' for v in rows[wrong])}")


def _tracks(path: Path, at: NDArray[Any], rows: NDArray[np.float64]) -> Tracks:
    ids = rows[:, 1].astype(np.int64)
    truth = rows.shape[1] == _TRUTH
    tracks = Tracks(
        frame=rows[:, 0].astype(np.int64) - 1,
        track=ids,
        box=rows[:, 2:6].copy(),
        score=rows[:, 6].astype(np.float32),
        category=rows[:, 7].astype(np.int64) if truth else None,
        visibility=rows[:, 8].astype(np.float32) if truth else None,
    )
    odd = (ids == DETECTION) != (ids[0] == DETECTION)
    if odd.any():
        kind = "detections (id -1)" if ids[0] == DETECTION else "tracks"
        _refuse(path, at[odd.argmax()], f"expected {kind} as before, got id {ids[odd.argmax()]}")
    order = np.lexsort((ids, tracks.frame))
    ordered = tracks.take(order)
    twice = (np.diff(ordered.frame) == 0) & (np.diff(ordered.track) == 0) & (ordered.track[1:] != DETECTION)
    if twice.any():
        row = order[1:][twice.argmax()]
        _refuse(path, at[row], f"id {ids[row]} has two boxes in frame {tracks.frame[row] + 1}; expected one")
    return ordered


def _lines(tracks: Tracks) -> Iterator[str]:
    for row, (frame, track, box, score) in enumerate(
        zip(tracks.frame + 1, tracks.track, tracks.box, tracks.score, strict=True)
    ):
        start = f"{frame},{track}," + ",".join(f"{value:.3f}" for value in box)
        if tracks.category is None:
            yield f"{start},{score:.6f},-1,-1,-1\n"
        else:
            seen = 1.0 if tracks.visibility is None else tracks.visibility[row]
            yield f"{start},{score:.0f},{tracks.category[row]},{seen:.6f}\n"


def _refuse(path: Path, number: Any, what: str) -> NoReturn:
    raise TrackFileError(f"{path}:{number}: {what}")
