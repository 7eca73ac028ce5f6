"""Arrays in one file, as numpy packs them, which must not unpack to more than fits."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LARGEST", "load_arrays"]

#: Bytes to which a file of arrays may unpack.
LARGEST = 2**30


def load_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of an ``.npz``, by name; nothing in it is run.

    Raises:
        ValueError: they would take more than :data:`LARGEST` bytes.
        Exception: one of :data:`~reidar_plugin.io.safe_load.UNREADABLE`, where it is damaged.
    """
    with zipfile.ZipFile(path) as archive:
        size = sum(part.file_size for part in archive.infolist())
    if size > LARGEST:
        raise ValueError(f"{size:,} bytes when unpacked, expected {LARGEST:,} at most")
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)
