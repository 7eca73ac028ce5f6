"""Opening files, and nothing else that has a name: a pipe waits for its other end, and a device may have no end."""

import errno
import os
import stat
from pathlib import Path

__all__ = ["content_of", "ordinary"]


def ordinary(path: str, flags: int) -> int:
    """An opener for ``open`` that takes files alone.

    Raises:
        OSError: it cannot be opened, or is no file.
    """
    handle = os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o666)
    mode = os.fstat(handle).st_mode
    if stat.S_ISREG(mode):
        return handle
    os.close(handle)
    what = (
        (errno.EISDIR, "Is a directory")
        if stat.S_ISDIR(mode)
        else (errno.EINVAL, "Is a pipe or a device, and no file")
    )
    raise OSError(*what, path)


def content_of(path: str | Path) -> bytes:
    """All bytes of a file.

    Raises:
        OSError: as :func:`ordinary`.
    """
    with open(path, "rb", opener=ordinary) as file:
        return file.read()
