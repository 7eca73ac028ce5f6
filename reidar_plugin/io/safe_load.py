"""Reading what ``torch.save`` wrote, without running what is in it."""

import codecs
import contextlib
import os
import pickle
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from reidar_plugin.errors import ReidarError, summary

__all__ = [
    "UNREADABLE",
    "CodeInFileError",
    "DamagedFileError",
    "PlainFileError",
    "UnopenedFileError",
    "load_plain",
    "only_plain",
    "unreadable",
]

#: What readers of archives and tensors make of bytes that are none of their own, and of files that do not open.
UNREADABLE = (
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    MemoryError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
)


class PlainFileError(ReidarError, ValueError):
    """A file that does not give tensors and plain values."""


class UnopenedFileError(PlainFileError):
    """It is not there, or may not be read; what is in it is unknown."""


class DamagedFileError(PlainFileError):
    """It is cut short, damaged, or not of ``torch.save``."""


class CodeInFileError(PlainFileError):
    """It holds something that only running code could bring back."""


def load_plain(path: str | Path) -> Any:
    """Read a file, of today's format or of the one before torch 1.6, to the CPU; nothing in it is run.

    Args:
        path: holds tensors, plain values and numpy's numbers.

    Raises:
        UnopenedFileError: it cannot be opened.
        DamagedFileError: it cannot be read.
        CodeInFileError: it holds anything else.
    """
    try:
        with _numpy_numbers_allowed():
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL (\S+)", str(error))
        if found is None and not _is_archive(path):
            raise unreadable(path, error) from error
        what = found[1] if found else "an unknown object"
        raise CodeInFileError(
            f"{path} holds {what}, which only running code could bring back: refused; "
            "save tensors and plain values alone, such as the state dict"
        ) from error
    except UNREADABLE as error:
        raise unreadable(path, error) from error


def unreadable(path: str | Path, error: BaseException) -> PlainFileError:
    """What an error of reading a file means: it could not be opened, or its content is damaged.

    Args:
        path: path of the file.
        error: one of :data:`UNREADABLE`, or of unpickling.
    """
    if isinstance(error, OSError) and error.filename is not None:  # the system's, on opening; not on reading
        return UnopenedFileError(f"{path} cannot be opened: {error.strerror}")
    return DamagedFileError(
        f"{path} cannot be read ({summary(error)}): it is cut short, or no file of torch.save; "
        "fetch or save it again"
    )


def _is_archive(path: str | Path) -> bool:
    with Path(path).open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


@contextlib.contextmanager
def _numpy_numbers_allowed() -> Iterator[None]:
    """Let ``torch.load`` rebuild numpy scalars, which older checkpoints of the host hold; still no pickled code."""
    scalar = np.float32(0).__reduce__()[0]
    allowed = [scalar, np.dtype, *(type(np.dtype(code)) for code in ("f4", "f8", "i4", "i8", "?"))]
    safe = torch.serialization
    if hasattr(safe, "safe_globals"):
        # files written with numpy 1 name the function by its old module
        with safe.safe_globals([*allowed, (scalar, "numpy.core.multiarray.scalar")]):
            yield
        return
    # torch 2.4 has no such context, and does not allow the function that spells bytes
    before = list(safe.get_safe_globals())
    safe.add_safe_globals([*allowed, codecs.encode])
    try:
        yield
    finally:
        safe.clear_safe_globals()
        safe.add_safe_globals(before)


@contextlib.contextmanager
def only_plain() -> Iterator[None]:
    """Within, ``torch.load`` runs nothing that is in a file, also before torch 2.6, where it did unless told not to."""
    key = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
    before = os.environ.get(key)
    os.environ[key] = "1"
    try:
        with _numpy_numbers_allowed():
            yield
    finally:
        if before is None:
            del os.environ[key]
        else:
            os.environ[key] = before
