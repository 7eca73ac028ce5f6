"""Draw a set with several processes, so that an interrupted run goes on where it stopped."""

import csv
import io
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from multiprocessing.connection import Connection, wait
from multiprocessing.pool import ExceptionWithTraceback  # type: ignore[attr-defined]
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeAlias

import cv2

from reidar_plugin.errors import ReidarError
from reidar_plugin.io.atomic import write_atomically
from reidar_plugin.io.progress import progress_bar
from reidar_plugin.ranks.orphans import end_with_parent
from reidar_plugin.synthped.plan import Plan, Shot
from reidar_plugin.synthped.render import Renderer
from reidar_plugin.synthped.script import Script

__all__ = ["Progress", "cores", "draw", "take_truth"]

#: Called with the number of frames drawn so far and the number of all frames.
Progress = Callable[[int, int], None]

Row: TypeAlias = tuple[str, ...]  #: of ``truth/frames.csv``

_UNIT_FRAMES = 800
_UNITS = ".units"


def draw(plan: Plan, part: Path, workers: int, progress: Progress | None = None) -> None:
    """Draw what is not drawn yet, under a progress bar; pictures go to the folders of their tracklets.

    Args:
        plan: what to draw.
        part: the folder of the unfinished set.
        workers: number of processes; 1 stays in this one.
        progress: called with the number of frames drawn so far and of all frames, whenever more are drawn.
    """
    (part / _UNITS).mkdir(exist_ok=True)
    units = _units(plan)
    writer = _UnitWriter(plan, part, units)
    frames = [sum(shot.length for shot in unit) for unit in units]
    left = [number for number in range(len(units)) if not writer.has_written(number)]
    done, total = sum(frames) - sum(frames[number] for number in left), sum(frames)
    report = progress or (lambda done, total: None)
    with progress_bar("drawing SynthPed", total, done, unit="frame") as bar:
        report(done, total)
        for number in _run(writer, left, min(workers, len(left))):
            done += frames[number]
            bar.update(frames[number])
            report(done, total)


def _units(plan: Plan) -> list[list[Shot]]:
    """Tracklets in bundles of similar numbers of frames: what a process draws at a time, and a resumed run skips."""
    units: list[list[Shot]] = [[]]
    frames = 0
    for shot in plan.shots:
        if frames >= _UNIT_FRAMES:
            units.append([])
            frames = 0
        units[-1].append(shot)
        frames += shot.length
    return units


def _run(writer: "_UnitWriter", numbers: list[int], workers: int) -> Iterator[int]:
    """Write the units with these numbers; each number comes back when its unit is written."""
    if workers <= 1:
        threads = cv2.getNumThreads()
        cv2.setNumThreads(1)
        try:
            yield from map(writer.write, numbers)
        finally:
            cv2.setNumThreads(threads)
        return
    context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    waiting = iter(numbers)
    drawing: dict[Any, BaseProcess] = {}  # by the line to it
    try:
        for number in islice(waiting, workers):
            line, its_end = context.Pipe()
            words = (writer, its_end, os.getpid())
            process = drawing[line] = context.Process(target=_work, args=words, daemon=True)
            process.start()
            its_end.close()  # so that the end of the process is one of the line
            _tell(line, number)
        while drawing:
            for line in wait(drawing):
                for number in _written(line, drawing):
                    _tell(line, next(waiting, None))
                    yield number
    finally:
        for process in filter(BaseProcess.is_alive, drawing.values()):
            process.terminate()
            process.join()


def _tell(line: Any, number: int | None) -> None:
    """The next unit to draw, or that there is none. A process that has ended is found where it should have answered."""
    with suppress(ConnectionError):
        line.send(number)


def _written(line: Any, drawing: dict[Any, BaseProcess]) -> Iterator[int]:
    """What a process has to say: the unit that it has written, or why it could not; after its last one it leaves."""
    try:
        what = line.recv()
    except (EOFError, ConnectionError):
        process = drawing.pop(line)
        process.join()
        if process.exitcode:
            why = (
                "was ended from outside, as by a system that is out of memory: take fewer workers"
                if process.exitcode < 0
                else f"failed with status {process.exitcode}, see above"
            )
            raise ReidarError(
                f"process {process.pid}, which draws, {why}; the same call goes on with what was drawn"
            ) from None
        return
    if isinstance(what, Exception):
        raise what
    yield what


class _UnitWriter:
    """Draws units of a plan into a folder."""

    def __init__(self, plan: Plan, part: Path, units: list[list[Shot]]) -> None:
        self._renderer, self._part, self._units = Renderer(plan), part, units

    def has_written(self, number: int) -> bool:
        """Whether a unit was drawn: a power cut may leave a note or a picture empty, or with the bytes of something else."""
        try:
            noted = _unit_file(self._part, number).read_bytes()
        except OSError:  # it is drawn, and what cannot be written is told then
            return False
        shots = self._units[number]
        return noted == _as_csv(
            row for shot in shots for row in _truth(shot, self._renderer.script(shot))
        ) and all(
            _is_whole(self._part / shot.folder / shot.name(frame))
            for shot in shots
            for frame in range(1, shot.length + 1)
        )

    def write(self, number: int) -> int:
        """Draw a unit; the truth about it is written last and says that the unit is done."""
        rows: list[Row] = []
        for shot in self._units[number]:
            script = self._renderer.script(shot)
            folder = self._part / shot.folder
            folder.mkdir(parents=True, exist_ok=True)
            for frame, picture in enumerate(self._renderer.pictures(shot, script), start=1):
                with open(f"{folder}/{shot.name(frame)}", "wb") as file:
                    file.write(self._renderer.encode(shot, picture))
            rows += _truth(shot, script)
        write_atomically(_unit_file(self._part, number), _as_csv(rows))
        return number


def _truth(shot: Shot, script: Script) -> list[Row]:
    """What happens in a tracklet, as ``truth/frames.csv`` has it."""
    head = (shot.key, script.pose, script.motion)
    return [(*head, *map(str, stretch)) for stretch in _stretches(script.actions, script.occluded.tolist())]


def _as_csv(rows: Iterable[Row]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _is_whole(picture: Path) -> bool:
    """Whether a JPEG is there to its end."""
    try:
        with picture.open("rb") as file:
            file.seek(-2, os.SEEK_END)
            return file.read() == b"\xff\xd9"
    except OSError:  # missing, or shorter than that
        return False


def _stretches(actions: list[str], occluded: list[bool]) -> Iterator[tuple[int, int, str, int]]:
    """First and last frame (from 1), action and occlusion of each run of frames in which neither changes."""
    frames = list(zip(actions, occluded, strict=True))
    first = 0
    for frame in range(1, len(frames) + 1):
        if frame == len(frames) or frames[frame] != frames[first]:
            yield first + 1, frame, frames[first][0], int(frames[first][1])
            first = frame


def _unit_file(part: Path, number: int) -> Path:
    return part / _UNITS / f"{number:06d}.csv"


def _work(writer: _UnitWriter, line: Connection, parent: int) -> None:
    """What a process does: it writes the units that it is told; a parent that is killed ends it, and its lock."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # by which it is ended, whatever the parent takes it for
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    end_with_parent(parent)
    cv2.setNumThreads(1)
    try:
        while (number := line.recv()) is not None:
            line.send(writer.write(number))
    except Exception as error:  # noqa: BLE001 - raised where it is told
        line.send(ExceptionWithTraceback(error, error.__traceback__))


def cores() -> int:
    """Number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def take_truth(plan: Plan, part: Path) -> list[Row]:
    """What was drawn in each tracklet, in the order of the plan; the notes of the workers are deleted.

    Args:
        plan: what was drawn.
        part: the folder of the unfinished set.
    """
    renderer = Renderer(plan)
    rows = [row for shot in plan.shots for row in _truth(shot, renderer.script(shot))]
    for file in (part / _UNITS).iterdir():
        file.unlink()
    (part / _UNITS).rmdir()
    return rows
