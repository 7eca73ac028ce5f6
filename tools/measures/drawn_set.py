"""A SynthPed set with its truth: what is in it, and how fast it is drawn."""

import csv
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from reidar_plugin.data.mars import read_tracklets
from reidar_plugin.data.tracklets import Tracklet
from reidar_plugin.synthped import PRESETS
from reidar_plugin.synthped.actions import ACTIONS
from reidar_plugin.synthped.plan import Plan, plan_mars
from reidar_plugin.synthped.presets import Preset
from reidar_plugin.synthped.render import Renderer
from reidar_plugin.synthped.stamp import read_stamp

__all__ = ["DrawnSet", "contents", "speed"]

SHOTS = 120  #: drawn to see how fast that is


@dataclass
class DrawnSet:
    """A set in MARS' layout with its truth."""

    home: Path

    @cached_property
    def parts(self) -> dict[str, list[Tracklet]]:
        split = read_tracklets(self.home)
        gallery = [tracklet for tracklet in split.gallery if tracklet.pid > 0]  # people only
        return {"train": list(split.train), "query": list(split.query), "gallery": gallery}

    @cached_property
    def labels(self) -> dict[int, str]:
        rows = list(csv.reader((self.home / "actions.csv").open(encoding="utf-8")))[1:]
        return {int(key): label for key, label in rows}

    @cached_property
    def truth(self) -> list[dict[str, str]]:
        return list(csv.DictReader((self.home / "truth" / "frames.csv").open(encoding="utf-8")))

    @cached_property
    def looks(self) -> dict[int, list[str]]:
        rows = csv.reader((self.home / "truth" / "people.csv").open(encoding="utf-8"))
        return {int(row[2]): row[3:] for row in list(rows)[1:]}

    @cached_property
    def attributes(self) -> dict[int, list[str]]:
        """The twelve published columns of each person."""
        rows = list(csv.reader((self.home / "attributes.csv").open(encoding="utf-8")))[1:]
        return {int(row[0]): row[3:15] for row in rows}

    @cached_property
    def plan(self) -> Plan:
        """What the set was drawn from."""
        stamp = read_stamp(self.home)
        assert stamp is not None
        sizes = {name: tuple(stamp[name]) for name in ("people", "tracklets", "size")}
        preset = Preset(cameras=stamp["cameras"], stretch=stamp["stretch"], **sizes)
        return plan_mars(preset, stamp["seed"], stamp["shares"])

    def test(self) -> list[Tracklet]:
        """Queries, then gallery."""
        return self.parts["query"] + self.parts["gallery"]


def contents(drawn: DrawnSet) -> Iterator[tuple[str, object]]:
    """What is in the set, by its truth."""
    frames: Counter[str] = Counter()
    occluded = wrong = total = 0
    odd: set[str] = set()
    covered: set[str] = set()
    known = [row for row in drawn.truth if not row["tracklet"].startswith(("0000", "00-1"))]
    for row in known:
        count = int(row["last"]) - int(row["first"]) + 1
        label = drawn.labels[int(row["tracklet"][:4])]
        frames[row["action"]] += count
        total += count
        occluded += count * int(row["occluded"])
        wrong += count * (row["action"] != label)
        if row["action"] != label:
            odd.add(row["tracklet"])
        if int(row["occluded"]):
            covered.add(row["tracklet"])
    keys = {row["tracklet"] for row in known}
    files = [path for split in ("train", "test") for path in (drawn.home / f"bbox_{split}").rglob("*.jpg")]
    sizes = np.array([path.stat().st_size for path in files[:: max(1, len(files) // 20000)]])
    yield "frames", len(files)
    yield "bytes a frame", f"{sizes.mean():.0f}"
    for action in ACTIONS:
        yield f"frames of {action}", f"{100 * frames[action] / total:.2f} %"
    yield "frames with the middle of the person covered", f"{100 * occluded / total:.1f} %"
    yield "tracklets with such a frame", f"{100 * len(covered) / len(keys):.1f} %"
    yield "frames with another action than the label", f"{100 * wrong / total:.1f} %"
    yield "tracklets with such a frame", f"{100 * len(odd) / len(keys):.1f} %"


def speed(name: str) -> Iterator[tuple[str, str]]:
    """Frames drawn and encoded, and the rate of one core: by processor time, so that others on the machine do not count."""
    preset = PRESETS[name]
    train, test = (t * 30 // p for t, p in zip(preset.tracklets, preset.people, strict=True))
    plan = plan_mars(replace(preset, people=(30, 30), tracklets=(train, test)), seed=1)
    renderer = Renderer(plan)
    for camera in range(1, plan.cameras + 1):  # paint the backgrounds first
        shot = next(shot for shot in plan.shots if shot.camera == camera)
        next(renderer.pictures(shot, renderer.script(shot)))
    count, start = 0, time.process_time()
    for shot in plan.shots[:: max(1, len(plan.shots) // SHOTS)]:
        for picture in renderer.pictures(shot, renderer.script(shot)):
            renderer.encode(shot, picture)
            count += 1
    yield (
        f"{preset.size[0]} x {preset.size[1]} ({count} frames)",
        f"{count / (time.process_time() - start):.0f}",
    )
