"""Attributes of a tracklet: groups of which one value holds each, read from the published tables of MARS.

An attribute is written ``group=value`` (``gender=1``, ``pose=3``), and a row is one-hot in each group. The
groups that belong to the person (colours, bags, hair, ...) are told apart from those that belong to the
moment (pose, motion), because ASA-Net learns from the ones and wants to be blind to the others.
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
    """Values of which exactly one holds.

    Args:
        name: the column of the table.
        values: what its cells may say, in the order of the columns of a row.
        of_person: whether it stays the same from tracklet to tracklet of a person (identity-relevant in
            ASA-Net).
    """

    name: str
    values: tuple[str, ...]
    of_person: bool = True

    @property
    def labels(self) -> tuple[str, ...]:
        """``group=value`` for each value."""
        return tuple(f"{self.name}={value}" for value in self.values)


@dataclass(frozen=True)
class AttributeSpace:
    """The A columns that say a tracklet's attributes: the values of its groups, one group after the other."""

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
        """``group=value`` of each column."""
        return tuple(label for group in self.groups for label in group.labels)

    @cached_property
    def slices(self) -> Mapping[str, slice]:
        """Columns of each group."""
        ends = np.cumsum(self.sizes, dtype=int).tolist()
        return {
            group.name: slice(end - len(group.values), end)
            for group, end in zip(self.groups, ends, strict=True)
        }

    def part(self, of_person: bool) -> "AttributeSpace":
        """The groups that belong to the person, or those that belong to the moment."""
        return AttributeSpace(tuple(group for group in self.groups if group.of_person == of_person))

    def columns(self, part: "AttributeSpace") -> list[int]:
        """Columns of this space that hold ``part``, in its order."""
        return [self._column[name] for name in part.names]

    def encode(self, attributes: Iterable[str] | None) -> NDArray[np.float32]:
        """The row of a tracklet.

        Args:
            attributes: ``group=value`` names; None where nothing is known. Names of other groups are passed
                over.

        Returns:
            float32 ``(A,)``, one-hot in each group, NaN in the groups of which nothing is known.
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
        """The names of a row of zeros and ones ``(A,)``; None where all of it is NaN."""
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

#: The columns of the published table of MARS with their number of values, and the pose and motion of ASA-Net.
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

#: No attribute at all: rows of no column.
NO_ATTRIBUTES = AttributeSpace()


def attribute_space(groups: Iterable[str]) -> AttributeSpace:
    """The space of some groups, in their order.

    Args:
        groups: names of :data:`ATTRIBUTE_GROUPS`; a group of one's own is ``shirt=red|green|blue``, and
            ``~mood=glad|sad`` where it belongs to the moment and not to the person.
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
    """What a table of attributes says: names by (person, camera, tracklet)."""

    path: Path
    entries: Mapping[tuple[int, int, int], frozenset[str]]

    def lookup(self, key: str) -> frozenset[str] | None:
        """Attributes of a tracklet ``0001C2T0003``; None where the table does not have it."""
        match = _TRACKLET.fullmatch(key)
        return self.entries.get((int(match[1]), int(match[2]), int(match[3]))) if match else None


def read_attributes(path: str | Path, space: AttributeSpace) -> AttributeTable:
    """Read a table in the published form, ``person-id,camera,tracklet`` and a column a group, strictly.

    Args:
        path: the table; columns of no group of ``space`` are passed over.
        space: the groups to read.

    Raises:
        FileNotFoundError: there is no such file.
        LabelError: a line that cannot be meant; the message begins with ``file:line:``.
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
            raise LabelError(
                f"{where}: person {key[0]}, camera {key[1]}, tracklet {key[2]} stands there twice"
            )
        for column, labels in columns:
            if cells[column] not in labels:
                raise LabelError(
                    f"{where}: {header[column]} is one of {', '.join(labels.values())}, got {cells[column]!r}"
                )
        entries[key] = frozenset(labels[cells[column]] for column, labels in columns)
    return AttributeTable(path, entries)
