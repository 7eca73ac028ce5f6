"""Ctrl-C and a scheduler's signals between two steps, never inside one, so that what is saved is whole."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from reidar_plugin.ranks.collectives import largest, wait_for_all
from reidar_plugin.ranks.job import current

__all__ = ["INTERRUPTED", "Interrupts"]

#: Exit status of a run after Ctrl-C.
INTERRUPTED = 128 + signal.SIGINT

#: What ends a run after it has saved: Ctrl-C, the end that schedulers send, SLURM's warning before it, a closed terminal.
ENDING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGUSR1", "SIGHUP") if hasattr(signal, name)
)


class Interrupts:
    """Inside :meth:`held` a signal that ends the run waits for the end of the block; a second Ctrl-C does not.

    A scheduler that warns first and ends later sends two signals for one thing, so only the first one counts. Only
    the main thread of a process gets signals; in any other, and for a signal that is ignored (nohup), this changes
    nothing.

    The ranks of a job come to the end of a held block together, and there one that was told to end ends them all.
    """

    def __init__(self) -> None:
        self._holding, self._waiting = False, False
        self._arrived: int | None = None
        self._agreed = False

    @property
    def status(self) -> int:
        """Exit status after the signal that arrived first, as shells give it: 130 (Ctrl-C), 143, 138 or 129."""
        return 128 + (self._arrived or signal.SIGINT)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Take over the signals inside, and give them back after."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        watched = [number for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN]
        self._arrived, self._agreed = None, False
        before: dict[int, Any] = {number: signal.signal(number, self._arrive) for number in watched}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def held(self) -> Iterator[None]:
        """A step: KeyboardInterrupt comes after it, not within."""
        with self._held():
            yield
        self._answer()

    @contextmanager
    def between_steps(self) -> Iterator[None]:
        """Around the steps of an epoch: one rank of several cannot end between two steps, without the others."""
        if current().size == 1:
            yield
            return
        with self._held():
            yield

    def end_together(self) -> None:
        """Let no rank end before the first one has saved, where all of them know of the end."""
        if self._agreed:
            wait_for_all()

    @contextmanager
    def _held(self) -> Iterator[None]:
        outside, self._holding = self._holding, True
        try:
            yield
        finally:
            self._holding = outside

    def _answer(self) -> None:
        told = largest(self._arrived or 0 if self._waiting else 0)
        if told:  # a signal that comes while ranks are asked waits for the end of the next block
            self._waiting = False
            self._agreed, self._arrived = True, self._arrived or told
            raise KeyboardInterrupt

    def _arrive(self, number: int, frame: FrameType | None) -> None:
        if self._arrived is not None and number != signal.SIGINT:
            return  # the same end is told again, maybe while we save
        self._arrived = self._arrived or number
        if self._holding and not self._waiting:
            self._waiting = True
            return
        raise KeyboardInterrupt
