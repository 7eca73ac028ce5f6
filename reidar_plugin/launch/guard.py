"""How a tool ends: each error that the user can repair in one line, each end from outside with its status."""

import os
import signal
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from reidar_plugin.errors import InputError, ReidarError
from reidar_plugin.io.console import CLOSED_PIPE, nobody_reads_on, open_streams, say_no_more
from reidar_plugin.launch.script import show
from reidar_plugin.ranks.job import check_alone

__all__ = ["guard"]

#: Exit status after Ctrl-C, also of runs that have saved.
INTERRUPTED = 128 + signal.SIGINT

#: An end from outside: by hand, a scheduler's, and that of a terminal which closes.
ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))

_MOMENT = 0.05  # seconds


def guard(launch: Callable[[], int | None], ranks: bool = False, last: bool = True) -> int:
    """Call what a tool does; however it ends, that is one line at most, and a status.

    ====================================== ============================== ==================
    end                                    on stderr                      status
    ====================================== ============================== ==================
    it returns                             nothing                        what it returns
    an error of the package or the system  ``error: `` and what it says   2
    Ctrl-C, SIGTERM, SIGHUP                ``stopped``                    130, 143, 129
    nobody reads on (``tool | head -1``)   nothing                        141
    any other error, a fault of ours       its traceback                  1
    ====================================== ============================== ==================

    A signal is a ``KeyboardInterrupt`` where the tool is at that moment, so that it cleans up and lets its runs save.
    One that is ignored (nohup) stays so. Processes that the tool forks answer signals as they did before, and end at Ctrl-C,
    which a terminal tells all of them, without a word.

    Args:
        launch: the tool; returns its status, or None for 0.
        ranks: whether ``torchrun`` may start it: whether it shares its work with the other ranks.
        last: whether the process ends with it: then a signal that comes later ends it in silence, Ctrl-C as well, of which
            the interpreter would tell by a traceback; else signals are answered as they were before.
    """
    open_streams()
    arrived: list[int] = []
    try:
        with _ended_as_by_hand(arrived, last):
            status = _ended(launch, ranks)
    except KeyboardInterrupt:  # once more, while the first is told, or when all is done
        status = INTERRUPTED
    return 128 + arrived[0] if arrived and status == INTERRUPTED else status


def _ended(launch: Callable[[], int | None], ranks: bool) -> int:
    """Call it; what is to be said of its end is said, and its status returned."""
    try:
        if not ranks:
            check_alone()
        return int(_with_all_said(launch) or 0)
    except KeyboardInterrupt:
        _tell(lambda: sys.stderr.write("stopped\n"))
        return INTERRUPTED
    except SystemExit as stop:  # of the command line, or of runs that have saved and said so
        if stop.code != INTERRUPTED:
            raise
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - shown, and the status says so
        if nobody_reads_on(error):  # whoever read has what it wanted
            say_no_more()
            return CLOSED_PIPE
        found = _of_a_name(error) if isinstance(error, UnicodeEncodeError) else error
        found = _of_the_system(error) if isinstance(error, OSError) else found
        return _tell(lambda: show(found))


def _tell(words: Callable[[], int]) -> int:
    """Its status; where standard error takes no words, as by a full disk or a reader that has gone, that of such an end."""
    try:
        return words()
    except OSError as error:
        status = CLOSED_PIPE if nobody_reads_on(error) else 2
        say_no_more(2)
        return status


def _with_all_said(launch: Callable[[], int | None]) -> int | None:
    """Its status, once all that it printed has gone out: the interpreter, at its end, would tell of that in its own way."""
    try:
        status = launch()
    except SystemExit:  # --help
        sys.stdout.flush()
        raise
    sys.stdout.flush()
    return status


def _of_the_system(error: OSError) -> Exception:
    """The same in a line, if the system says what is wrong."""
    if isinstance(error, ReidarError) or not error.strerror:
        return error
    if error.filename is None:
        say_no_more()  # most likely standard output, on a full disk
    return InputError(f"{error.filename or 'what it prints cannot be written'}: {error.strerror}")


def _of_a_name(error: UnicodeEncodeError) -> Exception:
    """The same in a line, if it is a name of a file as Python holds bytes that are no UTF-8."""
    if "surrogates" not in error.reason:
        return error
    around = error.object[max(0, error.start - 40) : error.end + 20]
    return InputError(f"{around!r}: a name of a file that is no UTF-8 cannot be written; rename it")


class _Ended(KeyboardInterrupt):
    """A signal on its way; gone before it is answered where a library takes all that is raised, as some imports do."""


@contextmanager
def _ended_as_by_hand(arrived: list[int], last: bool) -> Iterator[None]:
    """Within the block a signal of :data:`ENDING` is a KeyboardInterrupt, and its number goes into the list."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    answered = [number for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN]
    before: dict[int, Any] = {number: signal.getsignal(number) for number in answered}
    silent = before | ({signal.SIGINT: signal.SIG_DFL} if signal.SIGINT in before else {})
    behind = silent if last else before
    tool, within = os.getpid(), True
    told: weakref.ref[_Ended] | None = None

    def arrive(number: int, frame: FrameType | None) -> None:
        if os.getpid() != tool or not within:
            signal.signal(number, (silent if within else behind)[number])
            signal.raise_signal(number)
            return
        nonlocal told
        arrived.append(number)
        if (
            told is not None and told() is not None and number != signal.SIGINT
        ):  # a scheduler may tell the same end twice
            return
        stop = _Ended()
        told = weakref.ref(stop)
        try:
            raise stop
        finally:
            del stop  # this frame is in its traceback: it would never be gone

    for number in answered:
        signal.signal(number, arrive)
    try:
        with _heard_by_finalisers(arrived):
            yield
    finally:
        within = False
        for number, handler in behind.items():
            signal.signal(number, handler)


@contextmanager
def _heard_by_finalisers(arrived: list[int]) -> Iterator[None]:
    """Within the block an interrupt that came in the midst of a ``__del__`` comes again: Python drops it there."""
    tool, hook = os.getpid(), sys.unraisablehook

    def dropped(told: "sys.UnraisableHookArgs") -> None:
        if issubclass(told.exc_type, KeyboardInterrupt) and arrived and os.getpid() == tool:
            threading.Timer(_MOMENT, os.kill, (tool, arrived.pop())).start()
        else:
            hook(told)

    sys.unraisablehook = dropped
    try:
        yield
    finally:
        sys.unraisablehook = hook
