"""What a run prints: lines that do not tear a progress bar, copied to a log file where one is kept."""

import contextlib
import io
import os
import select
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from reidar_plugin.errors import ReidarError

__all__ = [
    "CLOSED_PIPE",
    "nobody_reads_on",
    "open_streams",
    "plain_warnings",
    "printable",
    "say",
    "say_no_more",
    "tee",
]

#: Exit status where nobody reads on, as shells give it for SIGPIPE.
CLOSED_PIPE = 128 + 13


def say(line: str) -> None:
    """Write a line to standard output at once, above the progress bars there are.

    Raises:
        ReidarError: standard output, or the log that it is copied to, cannot take it (a full disk).
        BrokenPipeError: nobody reads on.
    """
    from reidar_plugin.io.progress import (
        ProgressBar,
    )  # tqdm takes longer than all that a tool imports before its guard

    with ProgressBar.external_write_mode():
        try:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise ReidarError(
                f"standard output cannot be written: {error.strerror or error}; what was saved before is intact"
            ) from error


def printable(text: str) -> str:
    """A name out of a file as it may go to a terminal, which would obey control characters: they are escaped."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def nobody_reads_on(error: BaseException) -> bool:
    """Whether an error, or one that it was raised from, is that of a pipe, and standard output or standard error leads
    into one that has no reader any more.
    """
    if not isinstance(error, BrokenPipeError):
        return error.__cause__ is not None and nobody_reads_on(error.__cause__)
    if not hasattr(select, "poll"):
        return True  # nobody can tell; a broken pipe is one of these two, most of the time
    poll = select.poll()
    poll.register(1, 0)
    poll.register(2, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def say_no_more(stream: int = 1) -> None:
    """Standard output, or error (2), leads nowhere from now on: what is left to be written would fail again at the end of
    the process.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream)


def open_streams() -> None:
    """Let what goes to a standard stream that is closed (``tool >&-``, some schedulers) be lost; else there would be none to
    write to, and the next file that is opened, such as a checkpoint, would get its number and what libraries print.

    Names that standard output cannot spell, such as those of files that are no UTF-8, go there escaped.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.dup2(handle := os.open(os.devnull, os.O_RDWR), number)
            if handle > 2:
                os.close(handle)
            setattr(sys, name, open(number, "w" if number else "r", closefd=False))  # noqa: SIM115 - for all that comes
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


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
        path: the log file; what is there stays (two runs in one second, a clock that goes back), its folder is made.
    """
    terminal = sys.stdout
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise ReidarError(f"{path.parent} cannot be written: {error.strerror}; set data.save_dir") from error
    sys.stdout = _Tee(terminal, file)
    try:
        yield
    finally:
        sys.stdout = terminal
        with contextlib.suppress(OSError):  # what a full disk did not take has been told when it was written
            file.close()
