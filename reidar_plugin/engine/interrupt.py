"""Ctrl-C between two steps, never inside one, so that what is saved is whole."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["INTERRUPTED", "Interrupts"]

#: Exit status of a run after Ctrl-C.
INTERRUPTED = 130


class Interrupts:
    """Inside :meth:`held`, Ctrl-C waits for the end of the block; a second Ctrl-C does not.

    Only the main thread of a process gets signals; in any other, and where Ctrl-C is ignored (nohup), this changes
    nothing.
    """

    def __init__(self) -> None:
        self._holding, self._waiting = False, False

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Take over Ctrl-C inside, and give it back after."""
        ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        if ignored or threading.current_thread() is not threading.main_thread():
            yield
            return
        before: Any = signal.signal(signal.SIGINT, self._arrive)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    @contextmanager
    def held(self) -> Iterator[None]:
        """A step: KeyboardInterrupt comes after it, not within."""
        self._holding, self._waiting = True, False
        try:
            yield
        finally:
            self._holding = False
        if self._waiting:
            raise KeyboardInterrupt

    def _arrive(self, number: int, frame: FrameType | None) -> None:
        if self._holding and not self._waiting:
            self._waiting = True
            return
        raise KeyboardInterrupt
