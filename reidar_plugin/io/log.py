"""What a run prints, also in a file."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from reidar_plugin.errors import ReidarError

__all__ = ["tee"]


class _Tee:
    """A terminal and a log written as one; all else is asked of the terminal."""

    def __init__(self, terminal: TextIO, log: TextIO) -> None:
        self._terminal, self._log = terminal, log

    def write(self, text: str) -> int:
        try:
            self._log.write(text)
            self._log.flush()  # so that nothing is left to fail when the log is closed
        except OSError as error:
            raise ReidarError(
                f"the log {self._log.name} cannot be written: {error.strerror or error}; "
                "what was saved before is intact; free space and start again"
            ) from error
        return self._terminal.write(text)

    def flush(self) -> None:
        self._terminal.flush()

    def __getattr__(self, name: str) -> object:
        return getattr(self._terminal, name)


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
    sys.stdout = _Tee(terminal, file)
    try:
        yield
    finally:
        sys.stdout = terminal
        with contextlib.suppress(OSError):  # what a full disk did not take has been told when it was written
            file.close()
