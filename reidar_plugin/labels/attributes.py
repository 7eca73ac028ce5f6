"""Attributes of tracklets, in groups of exclusive values, read from tables in the published form of MARS.

An attribute is written ``group=value`` (``gender=1``, ``pose=3``), and a label row is one-hot in each group. Groups
of the person (colours, bags, hair, ...) are kept apart from groups of the moment (pose, motion), because ASA-Net
learns identities from the former and should not depend on the latter.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from reidar_plugin.errors import nearest
from reidar_plugin.labels.files import read_lines
from reidar_plugin.labels.spaces import LabelError, check_label

__all__ = [
    "ATTRIBUTE_GROUPS",
    "NO_ATTRIBUTES",
    "AttributeGroup",
    "AttributeSpace",
    "AttributeTable",
    "attribute_space",
    "read_attributes",
]

_KEY_COLUMNS = ("person-id", "camera", "tracklet")
_NUMBER = re.compile(r"[0-9]{1,9}")
_TRACKLET = re.compile(r"([0-9]{1,9})C([0-9]{1,9})T([0-9]{1,9})")


@dataclass(frozen=True)
class AttributeGroup:
    """A group of values of which exactly one applies to a tracklet.

    Args:
        name: name of the group, and of its column in a table.
        values: possible values, in the order of their columns in a label row.
        of_person: whether the value belongs to the person (identity-relevant in ASA-Net) and not to the moment.
    """

    name: str
    values: tuple[str, ...]
    of_person: bool = True

    @property
    def labels(self) -> tuple[str, ...]:
        """The name ``group=value`` of each value."""
        return tuple(f"{self.name}={value}" for value in self.values)


@dataclass(frozen=True)
class AttributeSpace:
    """The A columns of an attribute row: the values of each group, one group after the other.

    Args:
        groups: the groups, in order, with names that differ.

    Example:
        >>> space = attribute_space(["gender", "mood=glad|sad"])
        >>> space.names
        ('gender=0', 'gender=1', 'mood=glad', 'mood=sad')
        >>> space.encode({"mood=sad"}).tolist()
        [nan, nan, 0.0, 1.0]
    """

    groups: tuple[AttributeGroup, ...] = ()

    def __post_init__(self) -> None:
        names = [group.name for group in self.groups]
        if len(set(names)) < len(names):
            raise LabelError(f"attribute groups must differ, got {', '.join(names)}")
        for group in self.groups:
            check_label(group.name, "attributes")
            for value in group.values:
                check_label(value, f"attribute group {group.name!r}")
            if len(group.values) < 2 or len(set(group.values)) < len(group.values):
                raise LabelError(
                    f"attribute group {group.name!r}: expected values that differ, got {group.values}"
                )

    def __len__(self) -> int:
        return sum(self.sizes)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of columns of each group."""
        return tuple(len(group.values) for group in self.groups)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The name ``group=value`` of each column."""
        return tuple(label for group in self.groups for label in group.labels)

    @cached_property
    def slices(self) -> Mapping[str, slice]:
        """Columns of each group, by its name."""
        ends = np.cumsum(self.sizes, dtype=int).tolist()
        return {
            group.name: slice(end - len(group.values), end)
            for group, end in zip(self.groups, ends, strict=True)
        }

    def part(self, of_person: bool) -> "AttributeSpace":
        """The space of the groups of the person (True) or of the moment (False)."""
        return AttributeSpace(tuple(group for group in self.groups if group.of_person == of_person))

    def columns(self, part: "AttributeSpace") -> list[int]:
        """Columns of this space that hold the columns of ``part``, in the order of ``part``."""
        return [self._column[name] for name in part.names]

    def encode(self, attributes: Iterable[str] | None) -> NDArray[np.float32]:
        """Convert attribute names to a label row.

        Args:
            attributes: names ``group=value``; None if nothing is known. Names of groups outside this space are
                ignored.

        Returns:
            float32 ``(A,)``, one-hot in each group, NaN in groups without a known value.

        Raises:
            LabelError: a value is unknown, or a group has two values.
        """
        row = np.full(len(self), np.nan, dtype=np.float32)
        for name in attributes or ():
            group = name.partition("=")[0]
            if group not in self.slices:
                continue
            if name not in self._column:
                raise LabelError(
                    f"unknown attribute {name!r}; {group!r} is one of {self.names[self.slices[group]]}"
                )
            if not np.isnan(row[self.slices[group]]).all():
                raise LabelError(f"two values of the attribute {group!r} in {sorted(attributes or ())}")
            row[self.slices[group]] = 0.0
            row[self._column[name]] = 1.0
        return row

    def decode(self, row: Iterable[float]) -> frozenset[str] | None:
        """Convert a row of zeros and ones ``(A,)`` to attribute names; None for a row of NaN."""
        values = np.asarray(row, dtype=np.float64)
        if values.shape != (len(self),):
            raise LabelError(f"attributes: expected a row of shape ({len(self)},), got {values.shape}")
        if np.isnan(values).all():
            return None
        return frozenset(name for name, value in zip(self.names, values, strict=True) if value == 1.0)

    @cached_property
    def _column(self) -> Mapping[str, int]:
        return {name: column for column, name in enumerate(self.names)}


def _numbered(name: str, count: int, of_person: bool = True) -> AttributeGroup:
    return AttributeGroup(name, tuple(str(value) for value in range(count)), of_person)


_BINARY = ("Tops.l", "Bottoms.l", "shoulder bag", "backpack", "hat", "handbag", "hair", "gender", "Bottoms.t")

#: The groups of the published table of MARS with their values, and the pose and motion groups of ASA-Net.
ATTRIBUTE_GROUPS: Mapping[str, AttributeGroup] = MappingProxyType(
    {
        group.name: group
        for group in (
            _numbered("Tops.c", 9),
            _numbered("Bottoms.c", 10),
            _numbered("Age", 4),
            *(_numbered(name, 2) for name in _BINARY),
            _numbered("pose", 6, of_person=False),
            _numbered("motion", 5, of_person=False),
        )
    }
)

#: The space without attributes, whose rows have no column.
NO_ATTRIBUTES = AttributeSpace()


def attribute_space(groups: Iterable[str]) -> AttributeSpace:
    """Build an attribute space from group names.

    Args:
        groups: names from :data:`ATTRIBUTE_GROUPS`, or new groups such as ``shirt=red|green|blue``; a leading
            ``~`` marks a group of the moment (``~mood=glad|sad``).

    Raises:
        LabelError: a name is unknown, or a group has fewer than two different values.
    """
    return AttributeSpace(tuple(_group(text) for text in groups))


def _group(text: str) -> AttributeGroup:
    name, sign, values = text.partition("=")
    if sign:
        return AttributeGroup(name.removeprefix("~"), tuple(values.split("|")), not name.startswith("~"))
    if name not in ATTRIBUTE_GROUPS:
        known = ", ".join(ATTRIBUTE_GROUPS)
        raise LabelError(
            f"unknown attribute group {name!r}; choose of {known}, or write {name}=<value>|<value>;"
            f"{nearest(name, ATTRIBUTE_GROUPS)}".rstrip(";")
        )
    return ATTRIBUTE_GROUPS[name]


@dataclass(frozen=True)
class AttributeTable:
    """The content of an attribute table.

    Args:
        path: the file, for messages.
        entries: attribute names by (person, camera, tracklet).
    """

    path: Path
    entries: Mapping[tuple[int, int, int], frozenset[str]]

    def lookup(self, key: str) -> frozenset[str] | None:
        """Attributes of a tracklet such as ``0001C2T0003``; None if the table does not contain it."""
        match = _TRACKLET.fullmatch(key)
        return self.entries.get((int(match[1]), int(match[2]), int(match[3]))) if match else None


def read_attributes(path: str | Path, space: AttributeSpace) -> AttributeTable:
    """Read a CSV table with the columns ``person-id,camera,tracklet`` and one column for each group.

    Args:
        path: the table; columns of groups outside ``space`` are ignored.
        space: the groups to read.

    Raises:
        FileNotFoundError: there is no such file.
        LabelError: the header or a line is invalid; the message begins with ``file:line:``.
    """
    path = Path(path)
    header, *lines = (line.split(",") for line in read_lines(path))
    if tuple(header[:3]) != _KEY_COLUMNS or len(set(header)) < len(header):
        raise LabelError(
            f"{path}:1: expected {','.join(_KEY_COLUMNS)} and columns that differ, got {','.join(header)!r}"
        )
    missing = [group.name for group in space.groups if group.name not in header]
    if missing:
        raise LabelError(f"{path}:1: no column {missing[0]!r}; there are {', '.join(header[3:])}")
    columns = [
        (header.index(group.name), dict(zip(group.values, group.labels, strict=True)))
        for group in space.groups
    ]
    entries: dict[tuple[int, int, int], frozenset[str]] = {}
    for number, cells in enumerate(lines, start=2):
        where = f"{path}:{number}"
        if len(cells) != len(header) or not all(map(_NUMBER.fullmatch, cells[:3])):
            raise LabelError(
                f"{where}: expected {len(header)} cells that begin with 3 numbers, got {','.join(cells)!r}"
            )
        key = (int(cells[0]), int(cells[1]), int(cells[2]))
        if key in entries:
            raise LabelError(f"{where}: person {key[0]}, camera {key[1]}, tracklet {key[2]} is listed twice")
        for column, labels in columns:
            if cells[column] not in labels:
                raise LabelError(
                    f"{where}: {header[column]} is one of {', '.join(labels.values())}, got {cells[column]!r}"
                )
        entries[key] = frozenset(labels[cells[column]] for column, labels in columns)
    return AttributeTable(path, entries)
