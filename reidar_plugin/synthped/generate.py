"""Make a set on disk: plan it, draw it, write its tables, and only then give it its name."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import cv2

from reidar_plugin.errors import ConfigError, shown
from reidar_plugin.synthped.files import write_files
from reidar_plugin.synthped.plan import Plan, plan_lpw, plan_mars
from reidar_plugin.synthped.presets import Preset, preset_of
from reidar_plugin.synthped.stamp import home_of, making, open_part, write_stamp
from reidar_plugin.synthped.workers import Progress, cores, draw, take_truth

__all__ = ["FORMAT", "make"]

FORMAT = 2
"""Version of the generator: it goes up whenever the same seed gives other pictures or tables."""


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
    shares: str = "paper",
    folder: str | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Make a SynthPed set, or finish one that was left half done; a set that is there already is left as it is.

    The pictures are drawn into ``root/.<folder>.part``, which gets its name when everything is there. The same
    arguments give the same tables, labels and pictures on every machine, whatever the number of workers. A progress bar
    is shown where stderr is a terminal.

    Args:
        root: where the folder of the set goes, for instance the ``--root`` of torchreid.
        preset: sizes to start from: ``tiny``, ``laptop``, ``town``, ``city`` or ``mars``.
        people: number of people to train on and to test on, instead of the preset's; one number for both.
        cameras: number of cameras, 2 to 6, instead of the preset's (``mars`` layout only; LPW has eleven).
        tracklets: number of tracklets of the people to train on and to test on, instead of the preset's (``mars``
            layout only); the numbers of distractors and of junk follow from them.
        size: height and width of the pictures, instead of the preset's.
        seed: decides everything random; another seed gives other people and other places.
        layout: ``mars`` or ``lpw``.
        shares: ``paper`` gives the actions the frequencies of Table 1 of the Re-ID-AR paper, with at least two people
            for each action in all but tiny sets; ``even`` gives each action the same number of people.
        folder: name of the folder; the name of the layout by default. torchreid's ``mars`` and our ``mars_actions``
            read ``root/mars``, ``lpw_actions`` reads ``root/lpw`` and ``synthped`` reads ``root/synthped``.
        workers: number of processes; one for each core by default, 1 stays in this process.
        progress: called with the number of frames drawn so far and of all frames, whenever more are drawn.

    Returns:
        The folder of the set.

    Raises:
        ConfigError: an argument out of range, a folder that is more than a name, or that holds a set made with other
            arguments.
        TableError: a folder whose ``synthped.json`` is damaged.
        FileExistsError: a folder that is no SynthPed set.
        UnwritableFileError: the disk is full, or fails.
    """
    chosen = _choose(preset, people, cameras, tracklets, size, layout)
    home = home_of(root, folder or layout)
    if shares not in ("paper", "even"):
        raise ConfigError(f"unknown shares {shares!r}; choose paper or even")
    if workers is not None and workers < 1:
        raise ConfigError(f"workers must be at least 1, got {workers}")
    stamp = _stamp(chosen, seed, layout, shares)
    with making(home, stamp) as part:
        if part is not None:
            plan = (plan_mars if layout == "mars" else plan_lpw)(chosen, seed, shares)
            open_part(part, stamp)
            draw(plan, part, workers or cores(), progress)
            _finish(plan, part, stamp)
    return home


def _choose(
    name: str,
    people: int | tuple[int, int] | None,
    cameras: int | None,
    tracklets: tuple[int, int] | None,
    size: tuple[int, int] | None,
    layout: str,
) -> Preset:
    """The preset of that name with what was asked for changed, checked."""
    preset = preset_of(name)
    if layout not in ("mars", "lpw"):
        raise ConfigError(f"unknown layout {layout!r}; choose mars or lpw")
    if layout == "lpw" and (cameras is not None or tracklets is not None):
        raise ConfigError(
            "layout 'lpw' has 11 cameras and a tracklet for each view: leave out cameras and tracklets"
        )
    if people is not None:
        pair = (people, people) if isinstance(people, int) else people
        if not all(2 <= number <= 4000 for number in pair):
            raise ConfigError(f"people must be 2 ... 4000 to train on and to test on, got {people}")
        scaled = zip(preset.tracklets, pair, preset.people, strict=True)
        train, test = (round(count * new / old) for count, new, old in scaled)
        preset = replace(preset, people=pair, tracklets=(train, test))
    if cameras is not None:
        if not 2 <= cameras <= 6:
            raise ConfigError(
                f"cameras must be 2 ... 6 (a query needs another one; torchreid's mars knows six), got {cameras}"
            )
        preset = replace(preset, cameras=cameras)
    if tracklets is not None:
        if not all(1 <= number <= 1_000_000 for number in tracklets):
            raise ConfigError(
                f"tracklets must be 1 ... 1,000,000 to train on and to test on, got {shown(tracklets)}"
            )
        preset = replace(preset, tracklets=tracklets)
    if size is not None:
        if not all(16 <= side <= 1024 for side in size):
            raise ConfigError(f"size must be height and width of 16 ... 1024 pixels, got {size}")
        preset = replace(preset, size=size)
    return preset


def _stamp(preset: Preset, seed: int, layout: str, shares: str) -> dict[str, Any]:
    return {
        **{"format": FORMAT, "layout": layout, "shares": shares, "seed": seed},
        **{key: list(value) if isinstance(value, tuple) else value for key, value in asdict(preset).items()},
    }


def _finish(plan: Plan, part: Path, stamp: dict[str, Any]) -> None:
    write_files(part, plan, take_truth(plan, part))
    frames = sum(shot.length for shot in plan.shots)
    counts = {"shots": len(plan.shots), "frames": frames, "queries": len(plan.queries)}
    write_stamp(part, {**stamp, **counts, "opencv": cv2.__version__, "finished": True})
