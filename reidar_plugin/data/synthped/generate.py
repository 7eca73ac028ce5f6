"""Make a set on disk: plan it, draw it in several processes, write its tables, and only then give it its name."""

import csv
import json
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2

from .files import write_files
from .plan import Plan, Shot, plan_lpw, plan_mars
from .presets import PRESETS, Preset
from .render import Studio

__all__ = ["FORMAT", "STAMP", "make", "read_stamp"]

FORMAT = 1
"""Raised whenever the same seed would give other pictures or tables."""

STAMP = "synthped.json"
"""What a set is, in its own folder; it is written last."""

_UNIT_FRAMES = 800

Progress = Callable[[int, int], None]


def make(
    root: str | Path,
    preset: str = "laptop",
    *,
    people: int | tuple[int, int] | None = None,
    cameras: int | None = None,
    tracklets: tuple[int, int] | None = None,
    size: tuple[int, int] | None = None,
    seed: int = 0,
    layout: str = "mars",
    folder: str | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Make a SynthPed set, or finish one that was left half done; a set that is there already is left as it is.

    The pictures are drawn into ``root/.<folder>.part``, which gets its name when everything is there. The same
    arguments give the same tables, labels and pictures on every machine, whatever the number of workers.

    Args:
        root: where the folder of the set goes, e.g. the ``--root`` of torchreid.
        preset: ``tiny``, ``laptop`` or ``mars``.
        people: how many to train on and to test on, instead of the preset's; one number for both.
        cameras: 1 ... 6 (``mars`` layout; LPW has eleven).
        tracklets: of the people to train on and to test on (``mars`` layout); distractors and junk follow.
        size: height and width of the pictures.
        seed: another seed, another town.
        layout: ``mars`` or ``lpw``.
        folder: name of the folder, the layout unless named: torchreid's ``mars`` and our ``mars_actions`` read
            ``root/mars``, ``lpw_actions`` reads ``root/lpw`` and ``synthped`` reads ``root/synthped``.
        workers: processes, one for each core unless named; 1 stays in this process.
        progress: called with the frames drawn so far and all frames.

    Returns:
        The folder of the set.

    Raises:
        ValueError: an argument out of range; a folder that holds a set made with other arguments.
        FileExistsError: a folder that is no SynthPed set.
    """
    chosen = _choose(preset, people, cameras, tracklets, size, layout)
    home = Path(root).expanduser() / (folder or layout)
    stamp = _stamp(chosen, seed, layout)
    home.parent.mkdir(parents=True, exist_ok=True)
    with _locked(home.with_name(f".{home.name}.lock")):
        if home.exists():
            _check_same(home, stamp)
            return home
        part = home.with_name(f".{home.name}.part")
        _open_part(part, stamp)
        plan = plan_mars(chosen, seed) if layout == "mars" else plan_lpw(chosen, seed)
        _draw(plan, part, workers or _cores(), progress or _silent)
        _finish(plan, part, stamp)
        part.rename(home)
    return home


def read_stamp(home: Path) -> dict[str, Any] | None:
    """What a folder says that it is; None where it is no finished SynthPed set."""
    path = home / STAMP
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _choose(
    name: str,
    people: int | tuple[int, int] | None,
    cameras: int | None,
    tracklets: tuple[int, int] | None,
    size: tuple[int, int] | None,
    layout: str,
) -> Preset:
    if name not in PRESETS:
        raise ValueError(f"unknown preset {name!r}; choose one of {', '.join(PRESETS)}")
    if layout not in ("mars", "lpw"):
        raise ValueError(f"unknown layout {layout!r}; choose mars or lpw")
    if layout == "lpw" and (cameras is not None or tracklets is not None):
        raise ValueError(
            "layout 'lpw' has 11 cameras and a tracklet for each view: leave out cameras and tracklets"
        )
    preset = PRESETS[name]
    if people is not None:
        pair = (people, people) if isinstance(people, int) else tuple(people)
        if len(pair) != 2 or not all(2 <= number <= 4000 for number in pair):
            raise ValueError(f"people must be 2 ... 4000 to train on and to test on, got {people}")
        scaled = tuple(
            round(t * new / old) for t, new, old in zip(preset.tracklets, pair, preset.people, strict=True)
        )
        preset = replace(preset, people=pair, tracklets=scaled)
    if cameras is not None:
        if not 1 <= cameras <= 6:
            raise ValueError(f"cameras must be 1 ... 6 (torchreid's mars knows six), got {cameras}")
        preset = replace(preset, cameras=cameras)
    if tracklets is not None:
        preset = replace(preset, tracklets=tuple(tracklets))
    if size is not None:
        if len(size) != 2 or not all(16 <= side <= 1024 for side in size):
            raise ValueError(f"size must be height and width of 16 ... 1024 pixels, got {size}")
        preset = replace(preset, size=tuple(size))
    return preset


def _stamp(preset: Preset, seed: int, layout: str) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "layout": layout,
        "seed": seed,
        "people": list(preset.people),
        "tracklets": list(preset.tracklets),
        "cameras": preset.cameras,
        "size": list(preset.size),
        "stretch": preset.stretch,
    }


def _check_same(home: Path, stamp: dict[str, Any]) -> None:
    found = read_stamp(home)
    if found is None:
        raise FileExistsError(f"{home}: exists and is no SynthPed set; choose another root or folder")
    _compare(home, {key: found.get(key) for key in stamp}, stamp)


def _compare(where: Path, found: dict[str, Any], asked: dict[str, Any]) -> None:
    other = [
        f"{key} {found.get(key)} (asked for: {asked[key]})" for key in asked if found.get(key) != asked[key]
    ]
    if other:
        raise ValueError(
            f"{where}: holds a SynthPed set with {'; '.join(other)}. Delete it or choose another folder"
        )


def _open_part(part: Path, stamp: dict[str, Any]) -> None:
    """A folder to draw into; one that is there must have been begun with the same arguments."""
    note = part / STAMP
    if note.is_file():
        _compare(part, json.loads(note.read_text(encoding="utf-8")), stamp)
    (part / ".units").mkdir(parents=True, exist_ok=True)
    _write_json(note, {**stamp, "finished": False})


def _finish(plan: Plan, part: Path, stamp: dict[str, Any]) -> None:
    units = sorted((part / ".units").iterdir())
    truth = [row for unit in units for row in csv.reader(unit.read_text(encoding="utf-8").splitlines())]
    write_files(part, plan, truth)
    for unit in units:
        unit.unlink()
    (part / ".units").rmdir()
    counts = {
        "shots": len(plan.shots),
        "frames": sum(shot.length for shot in plan.shots),
        "queries": len(plan.queries),
    }
    _write_json(part / STAMP, {**stamp, **counts, "opencv": cv2.__version__, "finished": True})


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8", newline="\n")


# drawing ------------------------------------------------------------


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


def _draw(plan: Plan, part: Path, workers: int, progress: Progress) -> None:
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
    return part / ".units" / f"{number:06d}.csv"


_HIRED: list[_Painter] = []  # of this worker process


def _hire(painter: _Painter) -> None:
    cv2.setNumThreads(1)
    _HIRED[:] = [painter]


def _work(number: int) -> int:
    return _HIRED[0].draw(number)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _silent(done: int, total: int) -> None:
    """Say nothing."""


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let one process at a time make a set; the lock goes with the process that holds it."""
    with path.open("a") as file:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield
