"""A bar on a terminal while many batches pass; nothing anywhere else, so that logs hold plain lines only."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TextIO, TypeVar

__all__ = ["progress", "wipe"]

T = TypeVar("T")

WIDTH = 30  # characters of the bar
PAUSE = 0.1  # seconds between two drawings
WIPE = "\r\x1b[K"  # back to the start of the line, and clear it

_terminals: list[TextIO] = []  # those that show a bar


def progress(
    title: str, items: Iterable[T], total: int, done: int = 0, stream: TextIO | None = None
) -> Iterator[T]:
    """Pass the items on, and show on a terminal how many have come.

    The bar goes to stderr, which is not logged, and is wiped at the end, also of an iteration that is given up.

    Args:
        title: what is being done.
        items: what to pass on.
        total: how many there are in all.
        done: how many of them came before.
        stream: where to draw; stderr if None. Nothing is drawn where that is not a terminal.
    """
    stream = sys.stderr if stream is None else stream
    if not stream.isatty():
        yield from items
        return
    start = drawn = time.monotonic()
    first = done
    _terminals.append(stream)
    try:
        _draw(stream, title, done, total, "")
        for item in items:
            yield item
            done += 1
            now = time.monotonic()
            if now - drawn >= PAUSE:
                drawn = now
                _draw(stream, title, done, total, _left((now - start) / (done - first) * (total - done)))
    finally:
        wipe()
        _terminals.remove(stream)


def wipe() -> None:
    """Clear the bars there are, so that a line can be printed; they come back with their next item."""
    for stream in _terminals:
        stream.write(WIPE)
        stream.flush()


def _draw(stream: TextIO, title: str, done: int, total: int, left: str) -> None:
    full = WIDTH * done // max(total, 1)
    stream.write(f"{WIPE}{title} [{'#' * full}{'.' * (WIDTH - full)}] {done}/{total} {left}")
    stream.flush()


def _left(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d} left"
