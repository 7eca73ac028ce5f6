"""Strike an act at one of the system calls by which it changes files: kill it before the call, or let the call fail.

The act runs in a process of its own, whose calls are watched with ptrace: also those of libraries that write by
themselves, of their threads, and of the processes that it starts. Nothing need be installed for that.
"""

import ctypes
import errno
import os
import platform
import signal
import sys
from collections.abc import Callable
from enum import Enum
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from reidar_plugin.errors import ReidarError
from reidar_plugin.launch.script import error_line

__all__ = ["POSSIBLE", "Blow", "Ending", "in_a_child", "strike"]

#: Calls are watched where these are; their numbers and registers differ elsewhere.
POSSIBLE = sys.platform == "linux" and platform.machine() == "x86_64"


class Blow(Enum):
    """What happens at the call."""

    KILL = "kill -9"
    FULL = "disk full"
    FAULT = "disk fault"
    SHORT = "half is written"
    READ_ONLY = "disk turns read-only"  #: and stays so, as Linux mounts a disk anew that has failed

    def fits(self, call: str) -> bool:
        """Whether it can happen there."""
        return call in _HALVED if self is Blow.SHORT else self is not Blow.READ_ONLY or call != "close"


class Ending(NamedTuple):
    """What became of an act."""

    calls: list[str]  #: by which it changed files in the folder, up to its end
    struck: str  #: the call that was struck; empty where the act had ended before it
    verdict: str  #: ``done``, ``refused``, ``traceback`` or ``killed``
    words: str  #: what it said
    #: files and folders that it made, opened to write, moved or deleted outside the folder
    elsewhere: list[str]
    sockets: int  #: that it opened to reach a network


class _Call(NamedTuple):
    name: str
    handle: int | None = None  # which argument is an open file
    path: int | None = None  # which argument is a path; the one before it is its folder where ``at``
    at: bool = False


_CALLS = {  # x86-64
    **{1: _Call("write", 0), 18: _Call("pwrite", 0), 20: _Call("writev", 0), 296: _Call("pwritev", 0)},
    **{3: _Call("close", 0), 74: _Call("fsync", 0), 75: _Call("fdatasync", 0), 77: _Call("ftruncate", 0)},
    **{40: _Call("sendfile", 0), 285: _Call("fallocate", 0), 326: _Call("copy_file_range", 2)},
    **{2: _Call("open", path=0), 257: _Call("openat", path=1, at=True), 85: _Call("creat", path=0)},
    **{76: _Call("truncate", path=0), 82: _Call("rename", path=1), 83: _Call("mkdir", path=0)},
    **{84: _Call("rmdir", path=0), 86: _Call("link", path=1), 87: _Call("unlink", path=0)},
    **{88: _Call("symlink", path=1), 258: _Call("mkdirat", path=1, at=True)},
    **{263: _Call("unlinkat", path=1, at=True), 264: _Call("renameat", path=3, at=True)},
    **{265: _Call("linkat", path=3, at=True), 316: _Call("renameat2", path=3, at=True)},
    **{133: _Call("mknod", path=0), 259: _Call("mknodat", path=1, at=True)},
    266: _Call("symlinkat", path=2, at=True),
}
_SOCKET, _NETWORKS = 41, (2, 10)  # AF_INET, AF_INET6
_FLAGS = {"open": 1, "openat": 2}  # which argument says how it is opened
_CHANGING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_HALVED = ("write", "pwrite")
_ERRORS = {Blow.FULL: errno.ENOSPC, Blow.FAULT: errno.EIO, Blow.READ_ONLY: errno.EROFS}
_RAX, _RDX, _ORIG_RAX = 80, 96, 120  # sys/user.h
_TRACEME, _POKEUSER, _SYSCALL, _SETOPTIONS, _CALL_INFO = 0, 6, 24, 0x4200, 0x420E
_OPTIONS = (
    0x1 | 0x2 | 0x4 | 0x8 | 0x100000
)  # syscall stops are told apart; forks, vforks, clones; all end with us
_ALL_THREADS = 0x40000000  # waitpid: __WALL


class _CallInfo(ctypes.Structure):
    """linux/ptrace.h: struct ptrace_syscall_info."""

    _fields_ = [
        ("op", ctypes.c_uint8),
        ("pad", ctypes.c_uint8 * 3),
        ("arch", ctypes.c_uint32),
        ("place", ctypes.c_uint64 * 2),
        ("number", ctypes.c_uint64),
        ("given", ctypes.c_uint64 * 6),
    ]


def strike(act: Callable[[], None], folder: Path, at: int, blow: Blow) -> Ending:
    """Run an act in a process of its own, and strike it.

    Another process of its own watches, for whoever watches waits for all children that it has.

    Args:
        act: what it does; it returns nothing.
        folder: calls that change files elsewhere do not count.
        at: which call is struck, from 1; 0 for none.
        blow: what happens there.
    """
    ending: Ending = in_a_child(lambda: _watched(act, folder, at, blow))
    return ending


def _watched(act: Callable[[], None], folder: Path, at: int, blow: Blow) -> Ending:
    reader, writer = Pipe(duplex=False)
    child = os.fork()
    if not child:
        _ptrace(_TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        _act(act, writer)
    writer.close()
    os.waitpid(child, 0)
    _ptrace(_SETOPTIONS, child, 0, _OPTIONS)
    watch = _Watch(child, str(folder.resolve()), at, blow)
    watch.to_the_end()
    return Ending(watch.calls, watch.struck, *_received(reader), sorted(watch.elsewhere), watch.sockets)


def in_a_child(act: Callable[[], Any]) -> Any:
    """What an act returns in a process of its own, so that none of its threads are here when the next one is forked.

    Raises:
        RuntimeError: it did not end well.
    """
    reader, writer = Pipe(duplex=False)
    child = os.fork()
    if not child:
        _act(act, writer)
    writer.close()
    verdict, value = _received(reader)
    os.waitpid(child, 0)
    if verdict != "done":
        raise RuntimeError(f"{verdict}: {value}")
    return value


def _received(reader: Connection) -> tuple[str, Any]:
    with reader:
        try:
            return reader.recv()
        except EOFError:
            return "killed", ""


def _act(act: Callable[[], Any], writer: Connection) -> None:
    try:
        writer.send(("done", act()))
    except ReidarError as error:
        writer.send(("refused", str(error_line(error))))
    except BaseException as error:  # noqa: BLE001 - that is what is looked for
        writer.send(("traceback", f"{type(error).__name__}: {error}"))
    os._exit(0)


class _Watch:
    """Lets a process run from call to call."""

    def __init__(self, child: int, folder: str, at: int, blow: Blow) -> None:
        self.child, self.folder, self.at, self.blow = child, folder, at, blow
        self.calls: list[str] = []
        self.elsewhere: set[str] = set()
        self.struck, self.sockets = "", 0
        self._known = {child}
        self._answer: dict[int, int] = {}  # thread -> what its call is to return

    def to_the_end(self) -> None:
        """Until the process and all that it has started are gone."""
        _ptrace(_SYSCALL, self.child)
        while True:
            try:
                thread, status = os.waitpid(-1, _ALL_THREADS)
            except ChildProcessError:
                return
            if os.WIFSTOPPED(status):
                self._stopped(thread, os.WSTOPSIG(status), status >> 16)

    def _stopped(self, thread: int, number: int, event: int) -> None:
        passed_on = 0
        if number == signal.SIGTRAP | 0x80:
            self._at_call(thread)
        elif not event and (thread in self._known or number != signal.SIGSTOP):
            passed_on = 0 if number == signal.SIGTRAP else number
        self._known.add(thread)
        _ptrace(_SYSCALL, thread, 0, passed_on)

    def _at_call(self, thread: int) -> None:
        info = _CallInfo()
        _ptrace(_CALL_INFO, thread, ctypes.sizeof(info), ctypes.addressof(info))
        if info.op == 2 and thread in self._answer:
            _ptrace(_POKEUSER, thread, _RAX, self._answer.pop(thread))
        if info.op != 1:
            return
        self.sockets += info.number == _SOCKET and info.given[0] in _NETWORKS
        if (call := _CALLS.get(info.number)) and self._changes(thread, call, info.given):
            self.calls.append(call.name)
            if len(self.calls) == self.at:
                self.struck = call.name
            lasts = self.blow is Blow.READ_ONLY and bool(self.struck)
            if (lasts or len(self.calls) == self.at) and self.blow.fits(call.name):
                self._strike(thread, call, info.given)

    def _changes(self, thread: int, call: _Call, given: Any) -> bool:
        """Whether the call changes a file in the folder."""
        if call.name in _FLAGS and not given[_FLAGS[call.name]] & _CHANGING:
            return False
        if call.handle is not None:
            place = _link(f"/proc/{thread}/fd/{ctypes.c_int32(given[call.handle]).value}")
        else:
            home = ctypes.c_int32(given[call.path - 1]).value if call.at else -100  # type: ignore[operator]
            start = _link(f"/proc/{thread}/cwd" if home == -100 else f"/proc/{thread}/fd/{home}")
            place = os.path.normpath(os.path.join(start, _text(thread, given[call.path])))
            if not self._within(place):
                self.elsewhere.add(place)
        return self._within(place)

    def _within(self, place: str) -> bool:
        return place == self.folder or place.startswith(self.folder + os.sep)

    def _strike(self, thread: int, call: _Call, given: Any) -> None:
        if self.blow is Blow.KILL:
            os.kill(self.child, signal.SIGKILL)
        elif self.blow is Blow.SHORT:
            _ptrace(_POKEUSER, thread, _RDX, max(1, given[2] // 2))
        else:
            self._answer[thread] = -_ERRORS[self.blow]
            if call.name != "close":  # that file is closed all the same
                _ptrace(_POKEUSER, thread, _ORIG_RAX, -1)


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _text(thread: int, address: int) -> str:
    with open(f"/proc/{thread}/mem", "rb", buffering=0) as memory:
        memory.seek(address)
        return os.fsdecode(memory.read(4096).split(b"\0")[0])


_LIBRARY = ctypes.CDLL(None, use_errno=True)


def _ptrace(request: int, thread: int, address: int = 0, data: int = 0) -> None:
    pointers = (ctypes.c_void_p(each & (2**64 - 1)) for each in (address, data))
    if _LIBRARY.ptrace(ctypes.c_long(request), ctypes.c_long(thread), *pointers) < 0:
        number = ctypes.get_errno()
        if number != errno.ESRCH:  # it was killed meanwhile
            raise OSError(number, f"ptrace: {os.strerror(number)}; calls cannot be watched here")
