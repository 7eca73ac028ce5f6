"""A disk that does not answer: a run that waits for it says so, and for which pictures."""

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from reidar_plugin.errors import ReidarError
from reidar_plugin.io.console import say
from reidar_plugin.ranks.job import current

__all__ = ["SLOW", "said_if_slow"]

T = TypeVar("T")

SLOW = 60.0  #: seconds that a batch is waited for before a line says so; then after twice as many, and so on


def said_if_slow(batches: Iterator[T], in_hand: Callable[[], Sequence[str]]) -> Iterator[T]:
    """Pass batches on, and say where one is waited for long.

    Args:
        batches: whose workers have been started already: a thread watches from here on, and no process is to be forked
            beside it.
        in_hand: the clips that workers are reading, each by its first picture.
    """
    waits: list[float] = []  # since when, while a batch is waited for
    ended = threading.Event()
    watcher = threading.Thread(target=_watch, args=(waits, ended, in_hand), name="slow reading", daemon=True)
    watcher.start()
    try:
        while True:
            waits.append(time.monotonic())
            try:
                batch = next(batches)
            except StopIteration:
                return
            waits.clear()
            yield batch
    finally:
        waits.clear()
        ended.set()
        watcher.join()


def _watch(waits: list[float], ended: threading.Event, in_hand: Callable[[], Sequence[str]]) -> None:
    patience = _Patience()
    while not ended.wait(SLOW / 10):
        if waited := patience.lost(next(iter(waits), None), time.monotonic()):
            begun = ", ".join(in_hand()[:3]) or "none"
            line = f"waiting for pictures for {waited:.0f} seconds; clips being read, by their first: {begun}"
            with contextlib.suppress(OSError, ReidarError):  # full, or gone: whoever prints next tells
                _tell(line)


class _Patience:
    """When a wait is worth a line: after a minute, two, four, eight."""

    def __init__(self) -> None:
        self._since: float | None = None

    def lost(self, since: float | None, now: float) -> float:
        """How long it has lasted, if that is to be said now; else 0.

        Args:
            since: when the wait that lasts began; None for none.
            now: on the same clock.
        """
        if since != self._since:
            self._since, self._limit = since, SLOW
        if since is None or now - since <= self._limit:
            return 0.0
        while self._limit < now - since:
            self._limit *= 2
        return now - since


def _tell(line: str) -> None:
    """Of all ranks: each reads from a disk of its own, maybe, and only the first one prints otherwise."""
    if current().first:
        say(line)
    else:
        sys.stderr.write(f"{current()}: {line}\n")
