"""Read matrices of integers from MATLAB files (version 5 to 7); a damaged file always gives a clear error.

The reader of scipy is not used, because a few wrong bytes in a file can crash the whole process. A file has a header of
128 bytes, then elements; an element has a kind, a size and that number of bytes. A matrix is an element of four
elements (flags, dimensions, name, numbers) and may be compressed by zlib, whose checksum is then verified.
"""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reidar_plugin.errors import ReidarError, shown
from reidar_plugin.labels.files import MissingFileError

__all__ = ["TableError", "read_matrix"]

_MATRIX, _PACKED = 14, 15
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_REAL_CLASSES = range(6, 16)  # double, single and the integers, among cells, structs, text and sparse ones
_COMPLEX_OR_LOGICAL = 0x0A00
_LARGEST = 2**24  # bytes of a file, and of all that it unpacks to; the largest of MARS has 200 kB
_TOLD = 5  # names of other matrices


class TableError(ReidarError, ValueError):
    """A table of a data set is invalid."""


def read_matrix(path: Path, variable: str) -> NDArray[np.int64]:
    """Read one matrix of integers.

    Args:
        path: a MATLAB file of version 5, 6 or 7.
        variable: name of the matrix in the file.

    Returns:
        int64, two-dimensional.

    Raises:
        FileNotFoundError: there is no such file.
        TableError: the file is damaged, or has no such matrix of integers; the message begins with its path.
    """
    if not path.is_file():
        raise MissingFileError(f"{path}: no such file")
    values: NDArray[np.generic] | None = None
    names = []
    try:
        if (size := path.stat().st_size) > _LARGEST:
            raise ValueError(f"{size:,} bytes, expected {_LARGEST:,} at most")
        for name, each in _matrices(path.read_bytes()):
            names.append(name)
            values = each if name == variable else values
    except (ValueError, struct.error, zlib.error) as error:
        raise TableError(
            f"{path}: not a readable MATLAB file of version 5 to 7 ({error}); get it anew"
        ) from error
    if variable not in names:
        more = f", and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
        found = ", ".join(map(shown, names[:_TOLD])) or "none"
        raise TableError(f"{path}: expected a matrix {variable!r}, found {found}{more}")
    if values is None or values.ndim != 2 or not values.size:
        shape = "something else" if values is None else f"shape {values.shape}"
        raise TableError(f"{path}: expected {variable!r} to be a matrix of real numbers, got {shape}")
    within = values.min().item() > -(2**31) and values.max().item() < 2**31
    if not within or (values.dtype.kind == "f" and (values != np.floor(values)).any()):
        raise TableError(f"{path}: expected whole numbers of at most 31 bits in {variable!r}")
    return values.astype(np.int64)


def _matrices(data: bytes) -> Iterator[tuple[str, NDArray[np.generic] | None]]:
    """Name and values of each variable of a file; None for values that are not a matrix of real numbers."""
    order = {b"IM": "<", b"MI": ">"}.get(data[126:128])
    if order is None or struct.unpack(f"{order}H", data[124:126])[0] != 0x0100:
        raise ValueError("the header is not that of one")
    left = _LARGEST
    for kind, contents in _elements(data, 128, order):
        if kind == _PACKED:
            unpacker = zlib.decompressobj()
            contents = unpacker.decompress(contents, left + 1)
            left -= len(contents)
            if left < 0:
                raise ValueError(f"unpacks to more than {_LARGEST:,} bytes")
            if not unpacker.eof or unpacker.unused_data:
                raise ValueError("a packed part does not end where it should")
            ((kind, contents),) = _elements(contents, 0, order)
        if kind == _MATRIX:
            yield _matrix(contents, order)


def _matrix(contents: bytes, order: str) -> tuple[str, NDArray[np.generic] | None]:
    (_, flag_bytes), (_, dimensions), (_, name), *parts = _elements(contents, 0, order)
    flags = struct.unpack(f"{order}II", flag_bytes)[0]
    text = name.decode("ascii")
    if flags & 0xFF not in _REAL_CLASSES or flags & _COMPLEX_OR_LOGICAL or len(parts) != 1:
        return text, None
    kind, numbers = parts[0]
    shape = struct.unpack(f"{order}{len(dimensions) // 4}i", dimensions)
    if kind not in _NUMBERS or min(shape) < 0:
        raise ValueError(f"{shown(text)} holds numbers of kind {kind} in shape {shown(shape)}")
    values = np.frombuffer(numbers, dtype=order + _NUMBERS[kind])
    return text, values.reshape(shape, order="F")


def _elements(data: bytes, offset: int, order: str) -> Iterator[tuple[int, bytes]]:
    """Kind and contents of the elements from ``offset`` on."""
    while offset < len(data):
        kind, size = struct.unpack_from(f"{order}II", data, offset)
        start = offset + 8
        if kind >> 16:  # a short element: up to four bytes instead of the size
            kind, size, start = kind & 0xFFFF, kind >> 16, offset + 4
        if start + size > len(data) or (start == offset + 4 and size > 4):
            raise ValueError(f"an element of {size} bytes at byte {offset} of {len(data)}")
        yield kind, data[start : start + size]
        offset = start + size if kind == _PACKED else start + size + -(start + size - offset) % 8
