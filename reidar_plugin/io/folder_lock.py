"""One writer a folder: a lock that the system itself releases when its process ends, however it ends."""

import errno
import json
import os
import socket
import time
from contextlib import suppress
from pathlib import Path

from reidar_plugin.errors import ReidarError, UnwritableFileError, shown
from reidar_plugin.io.console import say
from reidar_plugin.io.ordinary import ordinary
from reidar_plugin.io.plain_text import PlainTextError, parse_json

try:
    import fcntl
except ImportError:  # no POSIX
    fcntl = None  # type: ignore[assignment]

__all__ = ["LOCK", "FolderInUseError", "FolderLock"]

LOCK = ".writer.lock"  #: name of the file that says who writes to its folder

#: What file systems answer that have no locks.
_UNSUPPORTED = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}
_TRIES = 3  # the folder may be removed in that moment; some file systems number a file in two ways
_LONGEST = 10_000  # bytes that a writer notes of itself; it takes a hundred
_TAKEN = {errno.EACCES, errno.EAGAIN}

_ITSELF = getattr(os, "O_NOFOLLOW", 0)  # a link would lead to a file of somebody, which would be emptied

#: Lock files that are held, by device and number, and by which process: the system would let one process take one twice,
#: and take it from it at the first release. A fork inherits the table and not the locks.
_HELD: dict[tuple[int, int], int] = {}


class FolderInUseError(ReidarError):
    """Another process writes to the folder; the message names its host and number."""


class FolderLock:
    """The right to write to a folder, against all other processes, also on other hosts of a shared file system.

    It is a POSIX record lock on the file :data:`LOCK`: processes that are forked from this one do not have it, and
    it ends with this process, so that a lock is never left behind by a run that was killed. What is written in the
    file only serves the message of whoever is refused. In one process, only one object has it.

    Args:
        folder: made if it is not there.
        named_by: the key or the flag that names it, for the message.
    """

    def __init__(self, folder: str | Path, named_by: str = "data.save_dir") -> None:
        self.path, self.named_by = Path(folder) / LOCK, named_by
        self._file: int | None = None
        self._owned = False  #: also where it was lost to another process, until it is given up

    def take(self) -> None:
        """Take the lock; nothing is done where this object has it already.

        Raises:
            FolderInUseError: another process has it.
            UnwritableFileError: nothing can be written there at all.
        """
        if self._file is not None or fcntl is None:
            return
        for _ in range(_TRIES):
            self._taken()
            if self._is_of_the_folder():
                return
            self._close()
        self._taken()

    def _taken(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.path.exists() and _HELD.get(_number(os.stat(self.path))) == os.getpid():
                raise FolderInUseError(self._refusal(f"another run of this process, {os.getpid()}"))
            file = ordinary(str(self.path), os.O_RDWR | os.O_CREAT | _ITSELF)
        except OSError as error:
            raise UnwritableFileError(
                f"{self.path.parent} cannot be written: {error}; choose another folder"
            ) from None
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(file)
            if error.errno in _TAKEN:
                raise FolderInUseError(self._refusal()) from None
            if error.errno not in _UNSUPPORTED:
                raise
            say(
                f"{self.path.parent}: this file system has no locks, so a second run here would not be noticed"
            )
            return
        self._file, self._owned = file, True
        _HELD[_number(os.fstat(file))] = os.getpid()
        _note(file, _about_this_process())

    def keep(self) -> None:
        """Take it anew where the folder was removed meanwhile: another process may have made it again, and have that lock.

        Raises:
            FolderInUseError: it has.
        """
        if self._owned and not self._is_of_the_folder():
            self._close()
            self.take()

    def _is_of_the_folder(self) -> bool:
        """Also where there are no locks."""
        if self._file is None:
            return not self._owned
        try:
            return _number(os.stat(self.path)) == _number(os.fstat(self._file))
        except OSError:
            return False

    def release(self) -> None:
        """Give it up; the file stays, empty, because removing it would race with whoever is waiting for it."""
        self._close()
        self._owned = False

    def _close(self) -> None:
        if self._file is not None:
            _note(self._file, b"")
            _HELD.pop(_number(os.fstat(self._file)), None)
            os.close(self._file)
            self._file = None

    def _refusal(self, who: str = "") -> str:
        return (
            f"{self.path.parent} is being written by {who or self._who()}; wait for it, end it, or name another folder "
            f"({self.named_by})"
        )

    def _who(self) -> str:
        """Of another process: where this one has the lock, closing the file would give it up."""
        try:
            with open(self.path, "rb", opener=ordinary) as file:
                about = parse_json(file.read(_LONGEST))
            pid, host, since = (shown(str(about[name]))[1:-1] for name in ("pid", "host", "since"))
            return f"process {pid} on {host} since {since}"
        except (OSError, PlainTextError, KeyError, TypeError):  # it is just taking it, or giving it up
            return "another process"


def _number(file: os.stat_result) -> tuple[int, int]:
    return file.st_dev, file.st_ino


def _note(file: int, about: bytes) -> None:
    """Only a message is made of it: a disk that has turned read-only must not keep a lock from being given up."""
    with suppress(OSError):
        os.truncate(file, 0)
        os.pwrite(file, about, 0)


def _about_this_process() -> bytes:
    since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    return json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since}).encode()
