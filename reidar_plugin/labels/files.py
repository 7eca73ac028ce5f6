"""The label file of this package: action labels of people, of people in one camera, or of single tracklets.

It has one line for each key, below the header ``tracklet,labels``::

    tracklet,labels
    0001,walking
    0001C2,walking|phone_to_ear
    0001C2T0003,riding
    0001C2T0004,
    0002,none

A key names a tracklet, or all tracklets whose names begin with it; the longest key wins (:func:`ancestors`).
Labels are joined by ``|``. ``none`` means that the tracklet shows none of the actions; an empty field means that
its actions are unknown, as they are for tracklets that no key names. Empty lines are ignored; there are no
comments and no quotes.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from reidar_plugin.errors import MissingFileError, shown
from reidar_plugin.io.atomic import write_atomically
from reidar_plugin.labels.spaces import LabelError, LabelSpace, check_label

__all__ = [
    "KeyForm",
    "LabelTable",
    "MissingFileError",
    "ancestors",
    "read_labels",
    "read_lines",
    "write_labels",
]

_HEADER = "tracklet,labels"
_PERSON_CAMERA_TRACKLET = re.compile(r"([0-9]+)(C[0-9]+)?(T[0-9]+)?")


@dataclass(frozen=True)
class KeyForm:
    """The form of the keys of a data set.

    Args:
        pattern: regular expression of a key or a beginning of one.
        examples: example keys for messages.
    """

    pattern: str
    examples: str

    def check(self, key: str, where: str) -> None:
        """Raise LabelError if ``key`` cannot name a tracklet of the data set; ``where`` begins the message."""
        if not re.fullmatch(self.pattern, key, re.ASCII):
            raise LabelError(
                f"{where}: {shown(key)} names no tracklet of this data set; keys look like {self.examples}"
            )


@dataclass(frozen=True)
class LabelTable:
    """The content of a label file.

    Args:
        path: the file, for messages.
        entries: labels of each key as written; None if the file declares them unknown.
        lines: line number of each key, from 1.
    """

    path: Path
    entries: Mapping[str, frozenset[str] | None]
    lines: Mapping[str, int]

    def lookup(self, key: str) -> frozenset[str] | None:
        """Labels of a tracklet; None if they are unknown, or the file has neither its key nor a beginning of it."""
        for name in ancestors(key):
            if name in self.entries:
                return self.entries[name]
        return None

    def unused(self, keys: Iterable[str]) -> list[str]:
        """Keys of the file that match none of the tracklets ``keys``, in the order of the file."""
        named = {name for key in keys for name in ancestors(key)}
        return [key for key in self.entries if key not in named]


def ancestors(key: str) -> Iterator[str]:
    """A key and its beginnings by whole components, longest first (``1`` is not a beginning of ``10``).

    Example:
        >>> list(ancestors("0001C2T0003"))
        ['0001C2T0003', '0001C2', '0001']
        >>> list(ancestors("scen1/view2/17"))
        ['scen1/view2/17', 'scen1/view2', 'scen1']
    """
    yield key
    match = _PERSON_CAMERA_TRACKLET.fullmatch(key)
    if match:
        person, camera, tracklet = match.groups()
        if camera and tracklet:
            yield person + camera
        if camera or tracklet:
            yield person
        return
    while "/" in key:
        key = key.rpartition("/")[0]
        yield key


def read_labels(path: str | Path, space: LabelSpace | None = None, keys: KeyForm | None = None) -> LabelTable:
    """Read a label file and check each line.

    Args:
        path: the file.
        space: label space that must accept each label; None accepts any label.
        keys: form that each key must have; None accepts any key.

    Raises:
        FileNotFoundError: there is no such file.
        LabelError: the header or a line is invalid; the message begins with ``file:line:``.
    """
    path = Path(path)
    lines = read_lines(path)
    if not lines or lines[0] != _HEADER:
        raise LabelError(f"{path}:1: expected the header {_HEADER!r}, got {shown(lines[0] if lines else '')}")
    entries: dict[str, frozenset[str] | None] = {}
    numbers: dict[str, int] = {}
    for number, line in enumerate(lines[1:], start=2):
        if not line:
            continue
        where = f"{path}:{number}"
        key, labels = _read_line(line, where, space)
        if keys is not None:
            keys.check(key, where)
        if key in entries:
            raise LabelError(
                f"{where}: {shown(key)} has labels already, on line {numbers[key]}; keep one of the two"
            )
        entries[key], numbers[key] = labels, number
    return LabelTable(path, entries, numbers)


def _read_line(line: str, where: str, space: LabelSpace | None) -> tuple[str, frozenset[str] | None]:
    fields = line.split(",")
    if len(fields) != 2:
        raise LabelError(f"{where}: expected '<tracklet>,<label>|<label>', got {shown(line)}")
    key, text = fields
    if not key or set(key) & set(' "\t') or not key.isprintable() or "" in key.split("/"):
        raise LabelError(
            f"{where}: {shown(key)} is no key of a tracklet, e.g. 0001, 0001C2T0003 or scen1/view2/17"
        )
    if text in ("", "none"):
        return key, frozenset() if text else None
    labels = text.split("|")
    for label in labels:
        check_label(label, where)
        if space is not None and label not in space.columns:
            raise LabelError(f"{where}: {space.unknown(label)}")
    if len(set(labels)) < len(labels):
        raise LabelError(f"{where}: a label is given twice, got {shown(text)}")
    return key, frozenset(labels)


def read_lines(path: Path) -> list[str]:
    """Lines of a UTF-8 text file without line ends; other bytes are a LabelError that names the line."""
    if not path.is_file():
        raise MissingFileError(f"{path}: no such file")
    data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")  # the byte order mark that some spreadsheets write
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise LabelError(f"{path}:{line}: not UTF-8 text: byte {data[error.start]:#04x}") from error
    return text.replace("\r\n", "\n").rstrip("\n").split("\n")


def write_labels(path: str | Path, entries: Mapping[str, Iterable[str] | None]) -> None:
    """Write a label file, whole or not at all.

    Args:
        path: the file to write.
        entries: labels of each key; None for unknown labels, an empty set for none of the actions.

    Raises:
        LabelError: a key or a label cannot be written so that :func:`read_labels` reads it back.
    """
    lines = [_HEADER]
    for key, labels in entries.items():
        lines.append(f"{key}," + ("" if labels is None else "|".join(sorted(labels)) or "none"))
        _read_line(lines[-1], f"{path}:{len(lines)}", None)
    write_atomically(Path(path), ("\n".join(lines) + "\n").encode())
