"""The wire format of Protocol Buffers, read without a schema and without trust: parts that are numbered, in order."""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

__all__ = ["Field", "WireReader", "last_text", "whole_numbers"]

#: Parts of a message that is read as a list: as objects they take a hundred times what they take in the file.
LONGEST = 2**16


class Field(NamedTuple):
    """Of a message: its number, and its value where it is a whole number, or the bytes of any other."""

    number: int
    value: int
    data: memoryview


class WireReader:
    """Reads the messages of one file, and no more parts of them than it is told.

    Args:
        most: parts of all messages, of each as often as it is read.
    """

    def __init__(self, most: int) -> None:
        self.most = self.left = most

    def fields(self, message: memoryview) -> Iterator[Field]:
        """The fields of a message, in order.

        Raises:
            ValueError: it is none, or there are too many.
        """
        place = 0
        while place < len(message):
            tag, place = _varint(message, place)
            kind, value, size = tag & 7, 0, 0
            if kind == 0:
                value, place = _varint(message, place)
            elif kind == 2:
                size, place = _varint(message, place)
            elif kind in (1, 5):
                size = 8 if kind == 1 else 4
            else:
                raise ValueError(f"no field is of the kind {kind}")
            if not 0 < tag >> 3 < 2**29 or place + size > len(message):
                raise ValueError("it ends in the midst of a field")
            self.left -= 1
            if self.left < 0:
                raise ValueError(f"more than {self.most:,} parts")
            yield Field(tag >> 3, value, message[place : place + size])
            place += size

    def few(self, message: memoryview) -> list[Field]:
        """The fields of a message that has at most :data:`LONGEST`.

        Raises:
            ValueError: as :meth:`fields`.
        """
        found = list(islice(self.fields(message), LONGEST + 1))
        if len(found) > LONGEST:
            raise ValueError(f"a message of more than {LONGEST:,} parts")
        return found


def last_text(fields: list[Field], number: int) -> bytes:
    """A text of that number, of which the last one counts; empty where there is none."""
    return next((bytes(field.data) for field in reversed(fields) if field.number == number), b"")


def whole_numbers(fields: list[Field], number: int, most: int) -> list[int]:
    """The first whole numbers of a field, one by one or packed."""
    found: list[int] = []
    for field in (field for field in fields if field.number == number):
        place = 0
        if not field.data:
            found.append(_signed(field.value))
        while place < len(field.data) and len(found) < most:
            value, place = _varint(field.data, place)
            found.append(_signed(value))
    return found[:most]


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    """A whole number, seven bits a byte, and the place behind it."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(data):
            break
        byte = data[place]
        value, place = value | (byte & 127) << shift, place + 1
        if byte < 128:
            return value & (2**64 - 1), place
    raise ValueError("a number without an end")
