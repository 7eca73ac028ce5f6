"""The published action labels of MARS and LPW, one line an image, turned into our label file.

The files of Re-ID-AR hold ``<image> <integer>`` for every image. Which integer is which action is written
nowhere: the order of the names is always asked for, and what comes out is set beside Table 1 of the paper.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from reidar_plugin.labels.files import ancestors, read_lines
from reidar_plugin.labels.spaces import ACTIONS8, LabelError

__all__ = ["LAYOUTS", "TABLE1", "Layout", "Numbering", "coarsest", "distribution", "fits", "read_published"]


@dataclass(frozen=True)
class Layout:
    """How a data set is published.

    Args:
        image: pattern of an image; its groups, joined by ``joint``, are the key of the tracklet.
        joint: what stands between them.
        by_person: whether Table 1 counts people (MARS) and not tracklets (LPW).
        example: an image.
        junk: how the key of a badly cut box begins, which belongs to nobody.
    """

    image: re.Pattern[str]
    joint: str
    by_person: bool
    example: str
    junk: str | None = None

    def key(self, image: str) -> str | None:
        """The key of the tracklet of an image; None where it is no image of the data set."""
        match = self.image.fullmatch(image)
        return self.joint.join(match.groups()) if match else None

    def is_junk(self, key: str) -> bool:
        """Whether a key names junk, which our data sets leave out."""
        return self.junk is not None and key.startswith(self.junk)


#: MARS: names as in its lists, junk and distractors too. LPW: paths that end in scene, view, person, frame.
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

#: Table 1 of Re-ID-AR (the paper, section 4): people of MARS, sequences of LPW, in the order of ``ACTIONS8``.
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
    """Which integer of the published files is which action.

    Args:
        names: the actions, that of the integer ``first`` first.
        first: the integer of the first name. If it is 1, 0 means "no label", as in the released loader.
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
        """The action of an integer; None where it stands for no label."""
        if self.first == 1 and number == 0:
            return None
        return self.names[number - self.first]

    @property
    def range(self) -> range:
        """Integers that may stand in a file."""
        return range(len(self.names) + self.first)


def read_published(paths: Iterable[Path], layout: Layout, numbering: Numbering) -> dict[str, str | None]:
    """The action of each tracklet in published files, by key; None where the files say 0, "no label".

    Junk is left out, whatever its lines say: no label file of ours may name it.

    Raises:
        LabelError: a line that cannot be meant, or a tracklet whose images differ; ``file:line:`` leads.
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
        raise LabelError(f"{where}: expected '{layout.example} <integer>', got {line!r}")
    if number not in map(str, numbering.range):
        first, last = numbering.range[0], numbering.range[-1]
        raise LabelError(
            f"{where}: expected an integer from {first} to {last}, got {number!r}; are names missing?"
        )
    return key, int(number)


def distribution(labels: Mapping[str, str | None], layout: Layout) -> tuple[int, ...]:
    """How many people (MARS) or tracklets (LPW) have each of the eight actions, in the order of ``ACTIONS8``.

    A person whose tracklets differ counts for each of their actions.
    """
    pairs = {
        (tuple(ancestors(key))[-1] if layout.by_person else key, name) for key, name in labels.items() if name
    }
    counts = Counter(name for _, name in pairs)
    return tuple(counts[name] for name in ACTIONS8.names)


def fits(counts: Sequence[Sequence[int]], tables: Sequence[Sequence[int]]) -> dict[str, list[str]]:
    """For each name in use, the names to which Table 1 gives its counts: a hint at the order, never a choice.

    Args:
        counts: ours, one row of eight a file (train, test).
        tables: the rows of Table 1 beside them.
    """
    ours = dict(zip(ACTIONS8.names, zip(*counts, strict=True), strict=True))
    papers = dict(zip(ACTIONS8.names, zip(*tables, strict=True), strict=True))
    return {
        name: [other for other in ACTIONS8.names if papers[other] == row]
        for name, row in ours.items()
        if any(row)
    }


def coarsest(labels: Mapping[str, str | None]) -> dict[str, frozenset[str] | None]:
    """The same labels with as few keys as the prefixes of our label file allow.

    A person whose tracklets all have one label becomes one line, so does a camera; what has none is left out.
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
    """Longest first; the scenes and views of LPW are no person and take no label."""
    return [key] if "/" in key else list(ancestors(key))
