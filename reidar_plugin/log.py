"""What a run prints, also in a file."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from reidar_plugin.errors import ReidarError

__all__ = ["tee"]


class _Tee:
    """Two texts written as one; all else is asked of the first."""

    def __init__(self, first: TextIO, second: TextIO) -> None:
        self._first, self._second = first, second

    def write(self, text: str) -> int:
        self._second.write(text)
        return self._first.write(text)

    def flush(self) -> None:
        self._first.flush()
        self._second.flush()

    def __getattr__(self, name: str) -> object:
        return getattr(self._first, name)


@contextlib.contextmanager
def tee(path: Path) -> Iterator[None]:
    """Within the block, what goes to standard output goes to ``path`` as well.

    The host's own logger closes standard output when it is collected, which ends a notebook.
    """
    terminal = sys.stdout
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w", encoding="utf-8")
    except OSError as error:
        raise ReidarError(f"{path.parent} cannot be written: {error.strerror}; set data.save_dir") from error
    with file:
        sys.stdout = _Tee(terminal, file)
        try:
            yield
        finally:
            sys.stdout = terminal
