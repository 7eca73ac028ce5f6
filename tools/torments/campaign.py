"""Many broken inputs for one door, each judged: a right answer, or one line that names the file, in time and in memory.

Cases run in a process of their own, so that a crash or a hang is the end of a case and not of the campaign. Case n of a
door is a function of the campaign's seed, the door's name and n alone.
"""

import ctypes
import multiprocessing
import os
import random
import resource
import shutil
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple, Protocol

from reidar_plugin.errors import ReidarError
from reidar_plugin.launch.script import error_line

__all__ = ["Case", "Door", "Tally", "WrongAnswerError", "judged", "run_door"]

ANSWERED, REFUSED, FAILED = "answered", "refused", "failed"
SECONDS = 60.0  #: that a case may take, on a machine that does much else
MEGABYTES = 600  #: by which a case may raise the peak of memory
LONGEST = 600  #: characters of a refusal, without the path


class WrongAnswerError(AssertionError):
    """A door took a broken input for something that it is not."""


class Door(Protocol):
    """A reader or a writer, and how it is tormented."""

    name: str
    names_file: bool  #: whether a refusal must name the file

    def prepare(self, folder: Path) -> None:
        """Make what all cases start from."""

    def case(self, folder: Path, number: int, chance: random.Random) -> Path:
        """Write the broken input of that number; returns its path."""

    def ask(self, path: Path) -> None:
        """Put it to the door and check the answer.

        Raises:
            ReidarError: the door refused it.
            WrongAnswerError: its answer is wrong.
        """


class Case(NamedTuple):
    """What became of one case."""

    number: int
    verdict: str
    words: str


@dataclass
class Tally:
    """What became of all cases of a door."""

    door: str
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[Case] = field(default_factory=list)

    def add(self, case: Case) -> None:
        """Count a case."""
        self.counts[case.verdict] += 1
        if case.verdict == FAILED:
            self.failures.append(case)


def run_door(door: Door, folder: Path, seed: int, seconds: float, first: int = 0, most: int = 0) -> Tally:
    """Torment a door for some time.

    Args:
        door: what is asked.
        folder: for its files; broken inputs that made it fail are kept in ``failures`` beside it.
        seed: of the campaign.
        seconds: for its cases, not counting what is made before them.
        first: number of the first case.
        most: cases at most; 0 for any number, or for all that the door has.
    """
    folder.mkdir(parents=True, exist_ok=True)
    door.prepare(folder)
    most = most or getattr(door, "count", 0)
    tally, number, until = Tally(door.name), first, time.monotonic() + seconds
    while time.monotonic() < until and not (most and number >= first + most):
        for case in _in_a_process(door, folder, seed, number, until, first + most if most else 0):
            tally.add(case)
            number = case.number + 1
            if case.verdict == FAILED:
                _keep(folder, door, case.number)
    return tally


def _in_a_process(door: Door, folder: Path, seed: int, number: int, until: float, end: int) -> Iterator[Case]:
    """Cases from ``number`` on, up to a crash, a hang, the time or the end."""
    fork = multiprocessing.get_context("fork")
    ours, theirs = fork.Pipe()
    process = fork.Process(
        target=_ask_all, args=(door, folder, seed, number, until, end, theirs), daemon=True
    )
    process.start()
    theirs.close()
    try:
        while ours.poll(SECONDS):
            try:
                case = ours.recv()
            except EOFError:
                break
            if case is None:
                return
            number = case.number + 1
            yield case
        else:
            yield Case(number, FAILED, f"no answer within {SECONDS:g} seconds")
            return
        process.join()
        yield Case(number, FAILED, f"the process ended with status {process.exitcode}")
    finally:
        process.kill()
        process.join()


def _ask_all(
    door: Door, folder: Path, seed: int, number: int, until: float, end: int, pipe: Connection
) -> None:
    warnings.simplefilter("ignore")
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)  # decoders write to it themselves
    while time.monotonic() < until and not (end and number >= end):
        path = door.case(folder, number, random.Random(f"{seed}/{door.name}/{number}"))
        pipe.send(judged(door, path, number))
        number += 1
    pipe.send(None)


def judged(door: Door, path: Path, number: int) -> Case:
    """Put a broken input to its door."""
    before = _least()
    try:
        door.ask(path)
    except ReidarError as error:
        fault = _fault(error, path, door.names_file)
        case = Case(number, FAILED, fault) if fault else Case(number, REFUSED, str(error_line(error)))
    except WrongAnswerError as error:
        case = Case(number, FAILED, f"wrong answer: {error}")
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        case = Case(number, FAILED, f"traceback: {type(error).__name__}: {str(error)[:200]}")
    else:
        case = Case(number, ANSWERED, "")
    taken = _peak() - before
    return Case(number, FAILED, f"took {taken:.0f} MB") if taken > MEGABYTES else case


def _fault(error: ReidarError, path: Path, names_file: bool) -> str | None:
    line = str(error_line(error))
    if "\n" in str(error).strip():
        return f"more than one line: {line[:200]}"
    if len(line.replace(str(path), "")) > LONGEST:
        return f"a line of {len(line)} characters: {line[:200]}"
    return f"does not name the file: {line[:200]}" if names_file and path.name not in line else None


def _least() -> float:
    """What this process holds when it has given back all that it can, from where its peak is counted anew.

    What was freed and is still held would be handed to the case, however greedy it is, and no peak would rise.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
    if trim is not None:
        trim(0)
    forget = Path("/proc/self/clear_refs")
    if forget.exists():
        forget.write_text("5")  # linux: Documentation/filesystems/proc.rst
    return _peak()


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _keep(folder: Path, door: Door, number: int) -> None:
    """Keep the input of a case that failed, where it is a file."""
    kept = folder.parent / "failures"
    kept.mkdir(exist_ok=True)
    for path in folder.glob("case*"):
        if path.is_file():
            shutil.copyfile(path, kept / f"{door.name}-{number}{path.suffix}")
