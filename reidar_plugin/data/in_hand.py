"""Which clip each worker is reading: what is left of one that the system has ended.

The note lies in memory that the processes share, and is a copy of a path for each clip: microseconds beside
the milliseconds of decoding.
"""

import os
from collections.abc import Iterator
from weakref import WeakSet

import torch

__all__ = ["InHand", "left_by"]

_PLACES, _LONGEST = 1024, 512  # more than a machine has workers; bytes of a note

_ALL: "WeakSet[InHand]" = WeakSet()


class InHand:
    """A note for each worker."""

    def __init__(self) -> None:
        self._notes = torch.zeros(_PLACES, _LONGEST, dtype=torch.uint8).share_memory_()
        _ALL.add(self)

    def note(self, place: int, path: str = "") -> None:
        """Write down what this process reads, the end of it if it is long; empty for nothing."""
        text = str(os.getpid()).encode() + b" " + os.fsencode(path)[-_LONGEST + 24 :] if path else b""
        row = self._notes[place % _PLACES].numpy()
        row[: len(text)] = memoryview(text)
        row[len(text)] = 0

    def of(self, process: int) -> str:
        """What the process of that id has written last; empty if nothing."""
        return dict(self._written()).get(process, "")

    def all(self) -> list[str]:
        """What all of them have in hand."""
        return [path for _, path in self._written()]

    def _written(self) -> Iterator[tuple[int, str]]:
        rows = self._notes.numpy().copy()  # first: a note may end while they are looked at
        for row in rows[rows[:, 0] > 0]:
            who, _, path = row.tobytes().partition(b"\0")[0].partition(b" ")
            yield int(who), os.fsdecode(path)


def left_by(process: int) -> str:
    """The path that a worker of this process had in hand when it ended; empty if none."""
    return next(filter(None, (notes.of(process) for notes in list(_ALL))), "")
