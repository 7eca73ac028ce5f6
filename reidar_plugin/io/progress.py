"""Progress bars: on a terminal only, so that logs hold plain lines only."""

import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

from reidar_plugin.ranks.job import current

__all__ = ["ProgressBar", "progress", "progress_bar"]

T = TypeVar("T")


class ProgressBar(tqdm):
    """tqdm's bar on stderr, wiped when it ends.

    It starts no watching thread and no lock between processes, which tqdm does by default and which data loaders that
    fork their workers would inherit.
    """

    monitor_interval = 0
    _lock = threading.RLock()


def progress_bar(title: str, total: int, done: int = 0, unit: str = "batch") -> ProgressBar:
    """A bar to be advanced by ``update(n)``; use it as a context manager, so that it is wiped whatever happens.

    Nothing is drawn where stderr is no terminal, and by no rank of a job but the first.

    Args:
        title: what is being done, in front of the bar.
        total: number of items in all.
        done: number of items that were done before.
        unit: what one item is called in the rate that is shown.
    """
    disabled = None if current().first else True  # None: unless it is a terminal
    return ProgressBar(desc=title, total=total, initial=done, unit=unit, leave=False, disable=disabled)


def progress(title: str, items: Iterable[T], total: int, done: int = 0) -> Iterator[T]:
    """Pass the items on under a bar, which is wiped at the end, also of an iteration that is given up.

    Args:
        title: what is being done, in front of the bar.
        items: what is passed on.
        total: number of items in all, those that were done before included.
        done: number of items that were done before.
    """
    with progress_bar(title, total, done) as bar:
        for item in items:
            yield item
            bar.update()
