"""Reading what ``torch.save`` wrote, without running what is in it."""

import codecs
import contextlib
import io
import os
import pickle
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch

from reidar_plugin.errors import ReidarError, shown, summary
from reidar_plugin.io.ordinary import ordinary
from reidar_plugin.io.torch_pickle import HostileCallError, check_calls

__all__ = [
    "UNREADABLE",
    "CodeInFileError",
    "DamagedFileError",
    "PlainFileError",
    "UnopenedFileError",
    "check_before_torch",
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
        DamagedFileError: it cannot be read, could be in two ways, or would take much more memory than the file has bytes.
        CodeInFileError: it holds anything else.
    """
    try:
        check_before_torch(path)
        with _numpy_numbers_allowed():
            content = torch.load(path, map_location="cpu", weights_only=True)
        _check_sizes(content, path)
        return content
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL (\S+)", str(error))
        if found is None and not _is_archive(path):
            raise unreadable(path, error) from error
        raise _code(path, found[1] if found else "an unknown object") from error
    except PlainFileError:
        raise
    except UNREADABLE as error:
        raise unreadable(path, error) from error


_FOLDER = 0x10  # of the attributes of MS-DOS
#: The end of an archive: a mark, size and place of its table; a mark, the place of a longer end; that one's size and place.
_END, _END_LOCATOR, _LONG_END = struct.Struct("<4s8xII2x"), struct.Struct("<4s4xQ4x"), struct.Struct("<40xQQ")
_OF_OLD_FORMAT = 5  # pickles before torch 1.6: mark, version, machine, content, names of storages


def check_before_torch(path: str | Path) -> None:
    """Refuse what ``torch.load`` would take, or take otherwise than it stands there, whatever it is told.

    An archive that says that it unpacks to more than it is, for ``torch.save`` packs nothing; one that could be read in two
    ways, of which check sums see one; a script, which is run before torch 2.6; calls that take gigabytes, or hours.

    Raises:
        DamagedFileError: ``torch.save`` wrote no such archive.
        CodeInFileError: it is a script, or calls what no tensor needs.
        Exception: one of :data:`UNREADABLE`, where it is no whole archive.
    """
    with open(path, "rb", opener=ordinary) as file:
        if not zipfile.is_zipfile(file):
            file.seek(0)
            with contextlib.suppress(DamagedFileError):  # torch meets that too; it may be no file of its own
                _check_calls(file, path, pickles=_OF_OLD_FORMAT)
            return
        _check_single(file, path)
        with zipfile.ZipFile(file) as archive:
            _check_parts(archive.infolist(), path)
            for part in archive.infolist():
                if _last_name(part) == "data.pkl":
                    _check_calls(io.BytesIO(archive.read(part)), path)


def _check_calls(file: BinaryIO, path: str | Path, pickles: int = 1) -> None:
    try:
        check_calls(file, pickles)
    except HostileCallError as error:
        raise _code(path, str(error)) from error
    except (pickle.UnpicklingError, *UNREADABLE) as error:
        raise unreadable(path, error) from error


def _code(path: str | Path, what: str) -> CodeInFileError:
    return CodeInFileError(
        f"{path} holds {shown(what)[1:-1]}, which only running code could bring back: refused; "
        "save tensors and plain values alone, such as the state dict"
    )


def _check_single(file: BinaryIO, path: str | Path) -> None:
    """One archive from the first byte to the last: behind another one, torch reads that, and zipfile this one."""
    end = file.seek(-_END.size, os.SEEK_END)
    mark, size, at = _END.unpack(file.read())
    file.seek(max(end - _END_LOCATOR.size, 0))
    locator, place = _END_LOCATOR.unpack(file.read(_END_LOCATOR.size))
    if locator == b"PK\6\7":
        end = file.seek(place) if place < end else 0
        size, at = _LONG_END.unpack(file.read(_LONG_END.size))
    file.seek(0)
    if mark != b"PK\5\6" or at + size != end or file.read(4) != b"PK\3\4":
        raise DamagedFileError(
            f"{path} is no archive from its first byte to its last, as torch.save writes it: refused; save it again"
        )


def _last_name(part: zipfile.ZipInfo) -> str:
    """As torch finds it, which does not tell small letters from capitals."""
    return part.filename.rpartition("/")[2].casefold()


def _check_parts(parts: list[zipfile.ZipInfo], path: str | Path) -> None:
    names = {part.filename.casefold() for part in parts}
    if len(names) < len(parts):
        raise DamagedFileError(
            f"{path} has parts of the same name, as torch.save writes none: refused; save it again"
        )
    if any(_last_name(part) == "constants.pkl" for part in parts):
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
