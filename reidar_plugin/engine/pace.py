"""How fast training goes, and what share of it is waiting for data."""

import datetime
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

__all__ = ["Pace"]

T = TypeVar("T")


class Pace:
    """Clock of the steps since the last report.

    Seconds a step and seconds waiting for its batch are means over the steps between two reports: on a GPU a single
    step is over before the device has done it.
    """

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Forget what was measured."""
        self._start, self._waited, self._steps = time.monotonic(), 0.0, 0

    def timed(self, batches: Iterable[T]) -> Iterator[T]:
        """The batches; how long each was waited for is noted."""
        source = iter(batches)
        while True:
            before = time.monotonic()
            try:
                batch = next(source)
            except StopIteration:
                return
            self._waited += time.monotonic() - before
            self._steps += 1
            yield batch

    @property
    def step(self) -> float:
        """Seconds a step."""
        return (time.monotonic() - self._start) / max(self._steps, 1)

    @property
    def data(self) -> float:
        """Seconds of it waiting for data."""
        return self._waited / max(self._steps, 1)

    def words(self, steps_left: int) -> str:
        """``time 0.123  data 0.004  eta 0:12:00``, in the order of the host's lines."""
        left = datetime.timedelta(seconds=int(self.step * steps_left))
        return f"time {self.step:.3f}\tdata {self.data:.3f}\teta {left}"
