"""Files that are replaced whole or not at all."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reidar_plugin.errors import ReidarError, UnwritableFileError

__all__ = ["PART", "explained", "flush_to_disk", "replacing", "write_atomically"]

#: How the names of files end that are being written; a killed writer leaves one behind.
PART = ".part"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Within the block a temporary file beside ``path`` is written; at its end it takes the name of ``path``.

    It is on the disk before it gets its name, else a power cut could leave a name without content. Where the block or
    the renaming fails, what ``path`` held stays, and the temporary file is removed if it can be. Where the system
    cannot bring the new name to the disk, that is an error too, though ``path`` holds the new content by then.

    Args:
        path: the file to replace; its folder exists.

    Yields:
        Path of the temporary file, another one in each process.

    Raises:
        UnwritableFileError: ``path`` has no name, as ``.`` and ``/``, or is a device or a pipe, which root would replace.
    """
    if not path.name:
        raise UnwritableFileError(
            errno.EISDIR, "expected the name of a file, got a folder; name a file in it", str(path)
        )
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise UnwritableFileError(
            errno.EINVAL, "expected a file, got a pipe or a device; name a file", str(path)
        )
    part = path.with_name(f".{path.name}.{os.getpid()}{PART}")
    try:
        yield part
        flush_to_disk(part)
        os.replace(part, path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
    if os.name == "posix":
        flush_to_disk(path.parent)


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file by these bytes.

    Raises:
        UnwritableFileError: it could not be written; it holds what it held before, or all of the new content.
    """
    with explained(path, "no half of it was written; free space and start again"), replacing(path) as part:
        part.write_bytes(content)


@contextmanager
def explained(path: Path, cure: str) -> Iterator[None]:
    """Turn what the system says within the block into an error of one line.

    Args:
        path: what is being changed or read.
        cure: what has become of it, and what to do.

    Raises:
        UnwritableFileError: the system refused.
    """
    try:
        yield
    except ReidarError:
        raise
    except OSError as error:
        named = error.filename2 or error.filename or str(path)
        where = str(path) if str(named).endswith(PART) else named
        raise UnwritableFileError(error.errno, f"{error.strerror or error}; {cure}", where) from error


def flush_to_disk(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk.

    Args:
        path: path of the file or the folder.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
