"""MARS: tracklets from its official tables and name lists, with action labels."""

import os
import re
from collections.abc import Sequence
from functools import lru_cache
from operator import lt
from pathlib import Path

import numpy as np

from reidar_plugin.data.labelled_folder import LabelledDataset
from reidar_plugin.data.mat_files import TableError, read_matrix
from reidar_plugin.data.tracklets import Split, Tracklet
from reidar_plugin.errors import shown
from reidar_plugin.labels.files import KeyForm, MissingFileError, read_lines

__all__ = ["MarsActions", "read_tracklets"]

_NAME = re.compile(r"(\d{4}|00-1|-001|-1)C([1-9])T(\d{4})F(\d{3,6})\.jpg", re.ASCII)
_TABLE_COLUMNS = "start, end, person, camera"
_JUNK, _DISTRACTOR = -1, 0
_FILES = ("train_name.txt", "test_name.txt", "tracks_train_info.mat", "tracks_test_info.mat", "query_IDX.mat")


class MarsActions(LabelledDataset):
    """MARS with action labels, or any data set in the layout of MARS.

    Expected under ``root``::

        mars/info/train_name.txt           # image names, one per line: 0001C1T0001F001.jpg
        mars/info/test_name.txt
        mars/info/tracks_train_info.mat    # start, end (1-based, into the names), person, camera
        mars/info/tracks_test_info.mat     # person -1: junk, 0: a distractor
        mars/info/query_IDX.mat            # rows of the test table, 1-based
        mars/bbox_train/0001/0001C1T0001F001.jpg
        mars/bbox_test/0000/0000C1T0001F001.jpg
        mars/actions.csv                   # labels, keys 0001, 0001C1 or 0001C1T0001
        mars/attributes.csv                # only needed for attributes

    Tracklets: 8,298 of 625 people for training, 1,980 queries of 626 people, 9,330 in the gallery (6,082 of
    620 people and 3,248 distractors, pid 0); 6 cameras. The 870 junk tracklets are left out. Split: the
    authors'.
    Reference: Zheng et al., MARS: A Video Benchmark for Large-Scale Person Re-identification, ECCV 2016.

    Args: see :class:`~reidar_plugin.data.labelled_folder.LabelledDataset`.
    """

    dataset_dir = "mars"
    key_form = KeyForm(r"\d{4}(C[1-9](T\d{4})?)?", "0001, 0001C2 or 0001C2T0003")
    source = (
        "http://www.liangzheng.com.cn/Project/project_mars.html, and its folder info from the "
        "repository liangzheng06/MARS-evaluation"
    )

    @classmethod
    def read(cls, home: Path) -> Split:
        return read_tracklets(home)


def read_tracklets(home: str | Path) -> Split:
    """Read the tracklets of a folder in the layout of MARS from its lists and tables; no picture is opened.

    Each row is compared with the image names that it refers to: they must have its person and camera, and be all
    images of one tracklet.

    Args:
        home: folder that contains ``info``, ``bbox_train`` and ``bbox_test``.

    Raises:
        FileNotFoundError: one of the five files is missing.
        TableError: a row or a name is invalid; the message begins with the file and the row or line.
    """
    home = Path(home)
    files = [home / "info" / name for name in _FILES]
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        raise MissingFileError(f"no such file: {', '.join(missing)}")
    # the host builds a data set three times (train, query, gallery): unchanged files are parsed once
    return _read(home, tuple(map(_version, files)))


def _version(file: Path) -> tuple[int, ...]:
    stat = file.stat()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


@lru_cache(maxsize=1)
def _read(home: Path, _versions: tuple[tuple[int, ...], ...]) -> Split:
    train = _read_half(home, "train")
    test = _read_half(home, "test")
    for row, tracklet in enumerate(train, start=1):
        if tracklet and tracklet.pid == _DISTRACTOR:
            table = home / "info/tracks_train_info.mat"
            raise TableError(
                f"{table}: row {row}: a distractor (person 0) cannot be trained on; drop the row"
            )
    queries = _read_queries(home / "info/query_IDX.mat", test)
    return Split(
        train=tuple(tracklet for tracklet in train if tracklet),
        query=tuple(tracklet for row in queries if (tracklet := test[row])),
        gallery=tuple(tracklet for row, tracklet in enumerate(test) if tracklet and row not in queries),
    )


def _read_half(home: Path, half: str) -> list[Tracklet | None]:
    """The tracklet of each row of the training or test table; None for junk."""
    names_file = home / f"info/{half}_name.txt"
    names = [line.rstrip() for line in read_lines(names_file)]
    for number, name in enumerate(names, start=1):
        if not _NAME.fullmatch(name):
            raise TableError(
                f"{names_file}:{number}: expected an image name like 0001C1T0001F001.jpg, got {shown(name)}"
            )
    table_file = home / f"info/tracks_{half}_info.mat"
    table = read_matrix(table_file, f"track_{half}_info")
    if table.shape[1] != 4:
        raise TableError(f"{table_file}: expected 4 columns ({_TABLE_COLUMNS}), got {table.shape[1]}")
    pictures = os.path.join(home, f"bbox_{half}")
    rows: dict[str, int] = {}
    tracklets: list[Tracklet | None] = []
    for row, (start, end, pid, camera) in enumerate(table.tolist(), start=1):
        where = f"{table_file}: row {row}"
        frames = _frames(names, names_file, start, end, pid, camera, where)
        key = frames[0].rpartition("F")[0]
        if rows.setdefault(key, row) != row:
            raise TableError(f"{where}: {key} is the tracklet of row {rows[key]} already")
        folder = os.path.join(pictures, key.partition("C")[0], "")
        paths = tuple([folder + frame for frame in frames])
        tracklets.append(None if pid == _JUNK else Tracklet(key, paths, pid, camera - 1))
    return tracklets


def _frames(
    names: Sequence[str], names_file: Path, start: int, end: int, pid: int, camera: int, where: str
) -> Sequence[str]:
    """The image names of a row, checked to be all images of one tracklet with its person and camera."""
    if not 1 <= start <= end <= len(names):
        raise TableError(
            f"{where}: expected 1 <= start <= end <= {len(names)} names, got start {start} and end {end}"
        )
    frames = names[start - 1 : end]
    first = _NAME.fullmatch(frames[0])
    assert first is not None  # every name was checked
    person = _JUNK if "-" in first[1] else int(first[1])
    if (person, int(first[2])) != (pid, camera):
        raise TableError(f"{where} says person {pid}, camera {camera}; {names_file}:{start} is {frames[0]!r}")
    tracklet = frames[0][: first.end(3)] + "F"
    for number, name in enumerate(frames, start):
        if not name.startswith(tracklet):
            raise TableError(
                f"{where}: more than one tracklet: {frames[0]!r} and, at {names_file}:{number}, {name!r}"
            )
    for number in (start - 1, end + 1):
        if 1 <= number <= len(names) and names[number - 1].startswith(tracklet):
            raise TableError(
                f"{where}: names {start} to {end} cut {tracklet[:-1]}: {names_file}:{number} belongs to it"
            )
    if not all(map(lt, frames, frames[1:])) and not _in_order(frames):
        raise TableError(
            f"{where}: the frames of {tracklet[:-1]} are not in order at {names_file}:{start} to {end}"
        )
    return frames


def _in_order(frames: Sequence[str]) -> bool:
    """Whether frame numbers ascend, also where the number of digits changes."""
    numbers = [int(match[4]) for frame in frames if (match := _NAME.fullmatch(frame))]
    return all(map(lt, numbers, numbers[1:]))


def _read_queries(path: Path, test: Sequence[Tracklet | None]) -> dict[int, None]:
    """Rows of the test table that are queries, from 0 and in order (a dict used as an ordered set).

    Uncompressed tables have no checksum, and a wrong query would silently change all results. Two properties of
    MARS are therefore checked: rows ascend, and a person has at most one query in each camera.
    """
    numbers = read_matrix(path, "query_IDX")
    if 1 not in numbers.shape:
        raise TableError(f"{path}: expected one row of numbers, got a matrix of {numbers.shape}")
    queries: dict[int, None] = {}
    seen: dict[tuple[int, int], int] = {}
    last = 0
    for index, number in enumerate(np.ravel(numbers).tolist(), start=1):
        where = f"{path}: number {index}"
        if not 1 <= number <= len(test):
            raise TableError(f"{where}: expected a row of the test table, 1 to {len(test)}, got {number}")
        tracklet = test[number - 1]
        if tracklet is None or tracklet.pid == _DISTRACTOR:
            raise TableError(
                f"{where}: row {number} of the test table is junk or a distractor and cannot be a query"
            )
        if number <= last:
            raise TableError(f"{where}: expected rows in ascending order, got {number} after {last}")
        before = seen.setdefault((tracklet.pid, tracklet.camid), number)
        if before != number:
            raise TableError(
                f"{where}: row {number} is of person {tracklet.pid} in camera {tracklet.camid + 1}, of whom "
                f"row {before} is the query already"
            )
        queries[number - 1] = None
        last = number
    return queries
