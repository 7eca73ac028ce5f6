"""Ctrl-C and a scheduler's signals between two steps, never inside one, so that what is saved is whole."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["INTERRUPTED", "Interrupts"]

#: Exit status of a run after Ctrl-C.
INTERRUPTED = 128 + signal.SIGINT

#: What ends a run after it has saved: Ctrl-C, the end that schedulers send, and SLURM's warning before it.
ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGUSR1") if hasattr(signal, name))


class Interrupts:
    """Inside :meth:`held` a signal that ends the run waits for the end of the block; a second Ctrl-C does not.

    A scheduler that warns first and ends later sends two signals for one thing, so only the first one counts. Only
    the main thread of a process gets signals; in any other, and for a signal that is ignored (nohup), this changes
    nothing.
    """

    def __init__(self) -> None:
        self._holding, self._waiting = False, False
        self._arrived: int | None = None

    @property
    def status(self) -> int:
        """Exit status after the signal that arrived first, as shells give it: 130 (Ctrl-C), 143 (TERM), 138 (USR1)."""
        return 128 + (self._arrived or signal.SIGINT)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Take over the signals inside, and give them back after."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        watched = [number for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN]
        self._arrived = None
        before: dict[int, Any] = {number: signal.signal(number, self._arrive) for number in watched}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

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
        if self._arrived is not None and number != signal.SIGINT:
            return  # the same end is told again, maybe while we save
        self._arrived = self._arrived or number
        if self._holding and not self._waiting:
            self._waiting = True
            return
        raise KeyboardInterrupt
