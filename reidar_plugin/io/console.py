"""What a run prints: lines that do not tear a progress bar, copied to a log file where one is kept."""

import contextlib
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from reidar_plugin.errors import ReidarError
from reidar_plugin.io.progress import ProgressBar

__all__ = ["plain_warnings", "say", "tee"]


def say(line: str) -> None:
    """Write a line to standard output at once, above the progress bars there are.

    Raises:
        ReidarError: standard output, or the log that it is copied to, cannot take it (a full disk).
    """
    with ProgressBar.external_write_mode():
        try:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        except OSError as error:
            raise ReidarError(
                f"the log cannot be written: {error.strerror or error}; checkpoints are intact"
            ) from error


@contextlib.contextmanager
def plain_warnings() -> Iterator[None]:
    """Within the block, a warning is a line of what it says, without a place in the code."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: say(f"warning: {message}")
        yield


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
    """Within the block, what goes to standard output goes to a log file as well.

    The host's own logger closes standard output when it is collected, which ends a notebook.

    Args:
        path: the log file; written anew, its folder is made.
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
