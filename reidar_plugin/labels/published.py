"""Convert the published action labels of MARS and LPW, one line for each image, to label files of this package.

The files of Re-ID-AR hold ``<image> <integer>`` for each image. Which integer means which action is not documented:
the user must give the order of the names, and the resulting counts are compared with Table 1 of the paper.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from reidar_plugin.errors import shown
from reidar_plugin.labels.files import ancestors, read_lines
from reidar_plugin.labels.spaces import ACTIONS8, LabelError

__all__ = [
    "LAYOUTS",
    "TABLE1",
    "Layout",
    "Numbering",
    "distribution",
    "matching_names",
    "merge_keys",
    "read_published",
]


@dataclass(frozen=True)
class Layout:
    """The form in which the labels of a data set are published.

    Args:
        image: regular expression of an image path; its groups, joined by ``joint``, are the key of the tracklet.
        joint: separator between the groups in the key.
        by_person: whether Table 1 counts people (MARS) instead of tracklets (LPW).
        example: an example image for messages.
        junk: beginning of the keys of junk tracklets (badly cut boxes); None if there are none.
    """

    image: re.Pattern[str]
    joint: str
    by_person: bool
    example: str
    junk: str | None = None

    def key(self, image: str) -> str | None:
        """The key of the tracklet of an image; None for paths that do not belong to the data set."""
        match = self.image.fullmatch(image)
        return self.joint.join(match.groups()) if match else None

    def is_junk(self, key: str) -> bool:
        """Whether a key names a junk tracklet, which the data sets leave out."""
        return self.junk is not None and key.startswith(self.junk)


#: MARS: image names as in its lists, with junk and distractors. LPW: paths that end in scene, view, person, frame.
LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {
        "mars": Layout(
            re.compile(r"(?:.*/)?((?:\d{4}|00-1)C\dT\d{4})F\d+\.jpg", re.ASCII),
            "",
            True,
            "0001C1T0001F001.jpg",
            junk="00-1",
        ),
        "lpw": Layout(
            re.compile(r"(?:.*/)?(scen\d)/(view\d)/(\d+)/\d+\.jpg", re.ASCII),
            "/",
            False,
            "scen1/view1/17/3.jpg",
        ),
    }
)

#: Table 1 of Re-ID-AR (section 4): number of people (MARS) or sequences (LPW), in the order of ``ACTIONS8``.
TABLE1: Mapping[tuple[str, str], tuple[int, ...]] = MappingProxyType(
    {
        ("mars", "train"): (396, 20, 151, 33, 3, 5, 14, 3),
        ("mars", "test"): (439, 10, 116, 28, 4, 8, 27, 2),
        ("lpw", "train"): (946, 9, 368, 939, 36, 86, 189, 128),
        ("lpw", "test"): (488, 92, 97, 284, 36, 14, 53, 6),
    }
)


@dataclass(frozen=True)
class Numbering:
    """Which integer of the published files means which action.

    Args:
        names: names of the actions in the order of the integers.
        first: integer of the first name, 0 or 1. If it is 1, 0 means "no label", as in the released loader.
    """

    names: tuple[str, ...]
    first: int

    def __post_init__(self) -> None:
        if self.first not in (0, 1):
            raise LabelError(f"the first integer is 0 or 1, got {self.first}")
        if len(set(self.names)) < len(self.names) or not self.names:
            raise LabelError(f"expected names that differ, got {', '.join(self.names) or 'none'}")
        for name in self.names:
            ACTIONS8.column(name)

    def name(self, number: int) -> str | None:
        """The action of an integer; None if it means "no label"."""
        if self.first == 1 and number == 0:
            return None
        return self.names[number - self.first]

    @property
    def range(self) -> range:
        """Integers that may occur in a file."""
        return range(len(self.names) + self.first)


def read_published(paths: Iterable[Path], layout: Layout, numbering: Numbering) -> dict[str, str | None]:
    """Read the action of each tracklet from published files; junk tracklets are left out.

    Args:
        paths: the published files.
        layout: form of their image paths.
        numbering: meaning of their integers.

    Returns:
        The action of each tracklet by its key; None where the files say "no label".

    Raises:
        LabelError: a line is invalid, or images of one tracklet differ; the message begins with ``file:line:``.
    """
    found: dict[str, tuple[int, str]] = {}
    for path in paths:
        for line_number, line in enumerate(read_lines(path), start=1):
            where = f"{path}:{line_number}"
            key, number = _read_line(line, where, layout, numbering)
            if layout.is_junk(key):
                continue
            before, there = found.setdefault(key, (number, where))
            if before != number:
                raise LabelError(f"{where}: {key} has label {number} here and {before} at {there}")
    return {key: numbering.name(number) for key, (number, _) in found.items()}


def _read_line(line: str, where: str, layout: Layout, numbering: Numbering) -> tuple[str, int]:
    image, _, number = line.rstrip().rpartition(" ")
    key = layout.key(image)
    if key is None:
        raise LabelError(f"{where}: expected '{layout.example} <integer>', got {shown(line)}")
    if number not in map(str, numbering.range):
        first, last = numbering.range[0], numbering.range[-1]
        raise LabelError(
            f"{where}: expected an integer from {first} to {last}, got {shown(number)}; are names missing?"
        )
    return key, int(number)


def distribution(labels: Mapping[str, str | None], layout: Layout) -> tuple[int, ...]:
    """Number of people (MARS) or tracklets (LPW) with each of the eight actions, in the order of ``ACTIONS8``.

    A person whose tracklets show different actions counts for each of them.
    """
    pairs = {
        (tuple(ancestors(key))[-1] if layout.by_person else key, name) for key, name in labels.items() if name
    }
    counts = Counter(name for _, name in pairs)
    return tuple(counts[name] for name in ACTIONS8.names)


def matching_names(counts: Sequence[Sequence[int]], tables: Sequence[Sequence[int]]) -> dict[str, list[str]]:
    """For each name in use, the names that have its counts in Table 1: a hint at the right order.

    Args:
        counts: the counts found, one row of eight for each part (train, test).
        tables: the rows of Table 1 for the same parts.
    """
    ours = dict(zip(ACTIONS8.names, zip(*counts, strict=True), strict=True))
    papers = dict(zip(ACTIONS8.names, zip(*tables, strict=True), strict=True))
    return {
        name: [other for other in ACTIONS8.names if papers[other] == row]
        for name, row in ours.items()
        if any(row)
    }


def merge_keys(labels: Mapping[str, str | None]) -> dict[str, frozenset[str] | None]:
    """Express labels of tracklets with as few keys as possible.

    A person whose tracklets all have the same label becomes one entry, and so does a person in one camera. Tracklets
    without a label are left out.

    Example:
        >>> merge_keys({"0001C1T0001": "walking", "0001C2T0001": "walking"})
        {'0001': frozenset({'walking'})}
    """
    groups: dict[str, set[str | None]] = {}
    for key, name in labels.items():
        for prefix in _prefixes(key):
            groups.setdefault(prefix, set()).add(name)
    lines: dict[str, frozenset[str] | None] = {}
    for key, name in labels.items():
        if name is not None:
            shortest = next(prefix for prefix in reversed(_prefixes(key)) if len(groups[prefix]) == 1)
            lines[shortest] = frozenset({name})
    return lines


def _prefixes(key: str) -> list[str]:
    """Beginnings of a key, longest first; scenes and views of LPW are not people and get no label."""
    return [key] if "/" in key else list(ancestors(key))
