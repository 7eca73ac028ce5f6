"""Reading what ``torch.save`` wrote, without running what is in it."""

import codecs
import contextlib
import os
import pickle
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from reidar_plugin.errors import ReidarError, shown, summary
from reidar_plugin.io.ordinary import ordinary

__all__ = [
    "UNREADABLE",
    "CodeInFileError",
    "DamagedFileError",
    "PlainFileError",
    "UnopenedFileError",
    "check_unpacked",
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
        DamagedFileError: it cannot be read, or would take much more memory than the file has bytes.
        CodeInFileError: it holds anything else.
    """
    try:
        check_unpacked(path)
        with _numpy_numbers_allowed():
            content = torch.load(path, map_location="cpu", weights_only=True)
        _check_sizes(content, path)
        return content
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL (\S+)", str(error))
        if found is None and not _is_archive(path):
            raise unreadable(path, error) from error
        what = shown(found[1])[1:-1] if found else "an unknown object"
        raise CodeInFileError(
            f"{path} holds {what}, which only running code could bring back: refused; "
            "save tensors and plain values alone, such as the state dict"
        ) from error
    except PlainFileError:
        raise
    except UNREADABLE as error:
        raise unreadable(path, error) from error


_FOLDER = 0x10  # of the attributes of MS-DOS


def check_unpacked(path: str | Path) -> None:
    """Refuse an archive that says that it unpacks to more than it is, for ``torch.save`` packs nothing, or that is a script.

    Before torch 2.6, ``torch.load`` runs the scripts of ``torch.jit`` whatever it is told.

    Raises:
        DamagedFileError: it would unpack to more.
        CodeInFileError: it is a script.
        Exception: one of :data:`UNREADABLE`, where it is no whole archive.
    """
    os.close(ordinary(os.fspath(path), os.O_RDONLY))
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
    if any(part.filename.rpartition("/")[2] == "constants.pkl" for part in parts):
        raise CodeInFileError(
            f"{path} holds a script of torch.jit, which is code: refused; save the state dict alone"
        )
    for part in parts:  # torch would take it for one, and bring back whatever was in memory
        if part.external_attr & _FOLDER and part.file_size:
            raise DamagedFileError(
                f"{path} is damaged in {shown(part.filename)}, which is said to be a folder"
            )
    size = sum(part.file_size for part in parts)
    if size > (there := os.stat(path).st_size):
        raise DamagedFileError(
            f"{path} has {there:,} bytes and would unpack to {size:,}, but torch.save packs nothing: refused; save it again"
        )


def _check_sizes(content: Any, path: str | Path) -> None:
    """A tensor may repeat a few numbers without end; at work it would take the memory for all of them."""
    there = os.stat(path).st_size
    for tensor in _tensors(content):
        if tensor.numel() * tensor.element_size() > there:
            raise DamagedFileError(
                f"{path} has {there:,} bytes and a tensor of shape {shown(tuple(tensor.shape))}, which takes more: refused; "
                "save it again, what was expanded as a copy"
            )


def _tensors(content: Any) -> Iterator[torch.Tensor]:
    """Each once: lists of which each holds the next one twice lead to it in more ways than can be gone."""
    left, known = [content], set[int]()
    while left:
        found = left.pop()
        if id(found) in known:
            continue
        known.add(id(found))
        if isinstance(found, torch.Tensor):
            yield found
        elif isinstance(found, Mapping):
            left += found.values()
        elif isinstance(found, list | tuple | set):
            left += found


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
    before, load_script = os.environ.get(key), torch.jit.load
    os.environ[key], torch.jit.load = "1", _refuse_script
    try:
        with _numpy_numbers_allowed():
            yield
    finally:
        torch.jit.load = load_script
        if before is None:
            del os.environ[key]
        else:
            os.environ[key] = before


def _refuse_script(*_: Any, **__: Any) -> Any:
    raise CodeInFileError(
        "a file of weights holds a script of torch.jit, which is code: refused; save the state dict alone"
    )
