"""Matrices of whole numbers in MATLAB files, read so that a damaged file is an error and nothing else."""

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat, whosmat

from reidar_plugin.errors import ReidarError
from reidar_plugin.labels.files import MissingFileError

__all__ = ["TableError", "read_matrix"]

_HEADER_BYTES = 128
_COMPRESSED = 15  # miCOMPRESSED
_LARGEST = 10**7  # numbers; the largest table of MARS has 48,720
_NUMERIC = {"int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "single", "double"}


class TableError(ReidarError, ValueError):
    """A table of a data set that cannot be meant."""


def read_matrix(path: Path, variable: str) -> NDArray[np.int64]:
    """Read one matrix of whole numbers.

    Args:
        path: a MATLAB file of version 5 to 7.
        variable: name of the matrix in it.

    Returns:
        int64, two-dimensional.

    Raises:
        FileNotFoundError: there is no such file.
        TableError: the file is damaged, lacks the matrix, or holds something else; the message begins with
            its path.
    """
    if not path.is_file():
        raise MissingFileError(f"{path}: no such file")
    data = path.read_bytes()
    try:
        _verify(data)
        known = {name: (shape, kind) for name, shape, kind in whosmat(BytesIO(data))}
        shape, kind = known.get(variable, ((), "missing"))
        readable = kind in _NUMERIC and len(shape) == 2 and 0 < shape[0] * shape[1] < _LARGEST
        values = loadmat(BytesIO(data), variable_names=[variable])[variable] if readable else None
    except Exception as error:  # scipy's reader lets whatever a wrong byte leads to escape
        raise TableError(
            f"{path}: not a readable MATLAB file ({type(error).__name__}: {error}); get it anew"
        ) from error
    if values is None:
        found = ", ".join(f"{name} ({kind} {shape})" for name, (shape, kind) in known.items()) or "nothing"
        raise TableError(f"{path}: expected a matrix of numbers named {variable!r}, found {found}")
    return _whole(values, path)


def _whole(values: NDArray[np.generic], path: Path) -> NDArray[np.int64]:
    if values.dtype.kind not in "iuf":
        raise TableError(f"{path}: expected real numbers, got {values.dtype}")
    if not (np.abs(values.astype(np.float64)) < 2**31).all() or (values != np.floor(values)).any():
        raise TableError(f"{path}: expected whole numbers of at most 31 bits")
    return values.astype(np.int64)


def _verify(data: bytes) -> None:
    """Check the sum at the end of each compressed part, which scipy does not always get to."""
    for kind, part in _parts(data):
        if kind == _COMPRESSED:
            zlib.decompress(part)


def _parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and contents of the parts of a MATLAB 5 file."""
    order = "<" if data[126:128] == b"IM" else ">"
    place = _HEADER_BYTES
    while place < len(data):
        kind, size = struct.unpack_from(f"{order}II", data, place)
        if place + 8 + size > len(data):
            raise ValueError(f"cut off: a part of {size} bytes begins at byte {place} of {len(data)}")
        yield kind, data[place + 8 : place + 8 + size]
        place += 8 + size
