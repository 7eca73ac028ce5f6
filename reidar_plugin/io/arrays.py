"""Arrays in files, as numpy writes them: numbers alone, and not more of them than the file has bytes for."""

import math
import warnings
import zipfile
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from reidar_plugin.io.ordinary import ordinary

__all__ = ["LARGEST", "load_array", "load_arrays"]

#: Bytes to which a file of arrays may unpack.
LARGEST = 2**30

_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def load_array(path: Path) -> NDArray[Any]:
    """The array of an ``.npy``; nothing in it is run.

    Raises:
        Exception: as :func:`load_arrays`.
    """
    size = path.stat().st_size
    _check_size(size)
    with open(path, "rb", opener=ordinary) as file:
        _check_header(file, size)
        file.seek(0)
        return npy.read_array(file, allow_pickle=False)


def load_arrays(path: Path, most: int = 0) -> dict[str, NDArray[Any]]:
    """All arrays of an ``.npz``, by name; nothing in it is run.

    Args:
        path: the file.
        most: bytes to which it may unpack; 0 for :data:`LARGEST`.

    Raises:
        ValueError: they would take more bytes than that, or than there are, or are no numbers.
        Exception: one of :data:`~reidar_plugin.io.safe_load.UNREADABLE`, where it is damaged.
    """
    with zipfile.ZipFile(path) as archive:
        _check_size(sum(part.file_size for part in archive.infolist()), most)
        if {part.compress_type for part in archive.infolist()} - {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise ValueError("packed in a way in which numpy packs nothing")
        for part in archive.infolist():
            with archive.open(part) as file:
                _check_header(file, part.file_size)
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def _check_size(size: int, most: int = 0) -> None:
    if size > (most := most or LARGEST):
        raise ValueError(f"{size:,} bytes when unpacked, expected {most:,} at most")


def _check_header(file: IO[bytes], size: int) -> None:
    """Before room is made for them: a header may promise any number of numbers."""
    version = npy.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"numpy's format {version}, expected one of {', '.join(map(str, _HEADERS))}")
    shape, _, kind = _header(file, version)
    if kind.kind not in "biuf":
        raise ValueError(f"an array of {kind}, expected numbers")
    there = size - file.tell()
    if min(shape, default=0) < 0 or math.prod(shape) * kind.itemsize != there:
        raise ValueError(
            f"an array of shape {shape} of {kind}, which does not take the {there:,} bytes that are there"
        )
    _check_size(
        math.prod(side or 1 for side in shape) * kind.itemsize
    )  # none of many: its reader has room for one


def _header(file: IO[bytes], version: tuple[int, int]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, order and kind; numpy would mend what Python 2 wrote, and say so, or fail at it in a way of its own."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return _HEADERS[version](file)
    except (UserWarning, SyntaxError, TokenError) as error:
        raise ValueError("a header that numpy does not write today") from error
