"""Draw the shots of a plan to disk, in several processes, so that an interrupted run goes on where it stopped."""

import csv
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2

from .plan import Plan, Shot
from .render import Studio

__all__ = ["Progress", "clear_truth", "cores", "draw"]

#: Called with the frames drawn so far and all frames.
Progress = Callable[[int, int], None]

_UNIT_FRAMES = 800
_UNITS = ".units"


def _units(plan: Plan) -> list[list[Shot]]:
    """Shots in bundles of about the same number of frames: what a process draws at a time and a resumed run skips."""
    units: list[list[Shot]] = [[]]
    frames = 0
    for shot in plan.shots:
        if frames >= _UNIT_FRAMES:
            units.append([])
            frames = 0
        units[-1].append(shot)
        frames += shot.length
    return units


def draw(plan: Plan, part: Path, workers: int, progress: Progress) -> None:
    """Draw what is not drawn yet; pictures go to the folders of their shots under ``part``.

    Args:
        plan: what to draw.
        part: the unfinished set.
        workers: processes; 1 stays in this one.
        progress: called with the frames drawn so far and all frames.
    """
    (part / _UNITS).mkdir(exist_ok=True)
    units = _units(plan)
    frames = [sum(shot.length for shot in unit) for unit in units]
    left = [number for number in range(len(units)) if not _unit_file(part, number).is_file()]
    done, total = sum(frames) - sum(frames[number] for number in left), sum(frames)
    progress(done, total)
    for number in _run(_Painter(plan, part, units), left, min(workers, len(left))):
        done += frames[number]
        progress(done, total)


def _run(painter: "_Painter", numbers: list[int], workers: int) -> Iterator[int]:
    if workers <= 1:
        threads = cv2.getNumThreads()
        cv2.setNumThreads(1)
        try:
            yield from map(painter.draw, numbers)
        finally:
            cv2.setNumThreads(threads)
        return
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with context.Pool(workers, _hire, (painter,)) as pool:
        yield from pool.imap_unordered(_work, numbers)


class _Painter:
    """Draws units of a plan into a folder."""

    def __init__(self, plan: Plan, part: Path, units: list[list[Shot]]) -> None:
        self._studio, self._part, self._units = Studio(plan), part, units

    def draw(self, number: int) -> int:
        """Draw a unit; its truth is written last and says that the unit is done."""
        rows: list[tuple[object, ...]] = []
        for shot in self._units[number]:
            script = self._studio.script(shot)
            folder = self._part / shot.folder
            folder.mkdir(parents=True, exist_ok=True)
            for frame, picture in enumerate(self._studio.pictures(shot, script), start=1):
                with open(f"{folder}/{shot.name(frame)}", "wb") as file:
                    file.write(self._studio.encode(shot, picture))
            head = (shot.key, script.pose, script.motion)
            rows += [(*head, *stretch) for stretch in _stretches(script.actions, script.occluded.tolist())]
        done = _unit_file(self._part, number)
        draft = done.with_suffix(".draft")
        with draft.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)
        draft.replace(done)
        return number


def _stretches(actions: list[str], occluded: list[bool]) -> Iterator[tuple[int, int, str, int]]:
    facts = list(zip(actions, occluded, strict=True))
    first = 0
    for frame in range(1, len(facts) + 1):
        if frame == len(facts) or facts[frame] != facts[first]:
            yield first + 1, frame, facts[first][0], int(facts[first][1])
            first = frame


def _unit_file(part: Path, number: int) -> Path:
    return part / _UNITS / f"{number:06d}.csv"


_HIRED: list[_Painter] = []  # of this worker process


def _hire(painter: _Painter) -> None:
    cv2.setNumThreads(1)
    _HIRED[:] = [painter]


def _work(number: int) -> int:
    return _HIRED[0].draw(number)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def clear_truth(part: Path) -> list[list[str]]:
    """What was noted of the drawn tracklets, in the order of the plan; the notes are taken away."""
    notes = sorted((part / _UNITS).glob("*.csv"))
    rows = [row for note in notes for row in csv.reader(note.read_text(encoding="utf-8").splitlines())]
    for file in (part / _UNITS).iterdir():
        file.unlink()
    (part / _UNITS).rmdir()
    return rows
