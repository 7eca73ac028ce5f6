"""No test, and so nothing that it calls, writes outside the folder for temporary files or reaches another machine.

Python tells of each file that it opens and of each connection that it makes. What libraries do by themselves, and what
other processes do, it does not see; tests/tools/test_torture.py does.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["ElsewhereError", "forbid"]


class ElsewhereError(AssertionError):
    """A file was to be changed, or a machine to be reached, that no test has for its own."""


_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_CHECKOUT = str(Path(__file__).resolve().parents[1]) + os.sep
#: What changes a folder: which of its arguments is the path, and which the handle of the folder that it starts from.
_CHANGES = {
    **{"os.mkdir": (0, 2), "os.remove": (0, 1), "os.rmdir": (0, 1)},
    **{"os.rename": (1, 3), "os.link": (1, 3), "os.symlink": (1, 2)},
}
_HERE = ("", "localhost", "127.0.0.1", "::1")
#: Python's, pytest's and hypothesis' own; settings and fonts of matplotlib, kernels of torch.
_CACHES = {"__pycache__", ".pytest_cache", ".hypothesis", ".cache", "matplotlib"}


def forbid() -> Callable[[], None]:
    """From now on, in this process and its forks, until what is given back is called."""
    held = True
    spare = {tempfile.gettempdir(), os.path.realpath(tempfile.gettempdir())}
    allowed = ("/dev/", "/proc/", *(folder + os.sep for folder in spare))

    def hook(event: str, given: tuple[Any, ...]) -> None:
        if not held:
            return
        if event == "open":
            if given[2] & _WRITING and not isinstance(given[0], int):
                check(given[0])
        elif event in _CHANGES:
            path, start = _CHANGES[event]
            if given[start] == -1:
                check(given[path])
        elif event == "socket.getaddrinfo":
            reach(given[0])
        elif event in ("socket.connect", "socket.sendto") and isinstance(
            given[1], tuple
        ):  # else within this machine
            reach(given[1][0])

    def check(path: Any) -> None:
        full = os.path.abspath(os.fsdecode(path))
        if os.path.isdir(full) or (full.startswith(allowed) and not full.startswith(_CHECKOUT)):
            return
        if _CACHES.isdisjoint(Path(full).parts):
            raise ElsewhereError(f"{full}: a test writes to folders of its own alone; use tmp_path")

    def reach(host: str | bytes | None) -> None:
        if os.fsdecode(host or "") not in _HERE:
            raise ElsewhereError(f"{host!r}: a test reaches no other machine")

    def lift() -> None:
        nonlocal held
        held = False

    sys.addaudithook(hook)
    return lift
