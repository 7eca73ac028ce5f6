"""Contact sheets: what the people, actions, cameras, occlusions and distractors of SynthPed look like.

python -m reidar_plugin.synthped.sheets docs/images
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from .actions import ACTIONS
from .actor import Motion, stage_actor
from .camera import install
from .dice import Array
from .direct import Extra, Script
from .people import Look, dress_all
from .plan import DISTRACTOR, JUNK, Plan, Shot, plan_mars
from .presets import PRESETS
from .render import Studio
from .scenery import paint_scene
from .sketch import Eye, Ink, paint

__all__ = ["contact_sheets", "main"]

HEIGHT, WIDTH = 256, 128


def contact_sheets(folder: Path, seed: int = 0) -> list[Path]:
    """Write all sheets as ``synthped-<name>.jpg`` into a folder that exists."""
    preset = replace(PRESETS["mars"], people=(150, 150), tracklets=(1500, 1500))
    plan = plan_mars(preset, seed)
    studio = Studio(plan)
    sheets = {
        "people": people_sheet(seed),
        "actions": actions_sheet(plan, studio),
        "cameras": cameras_sheet(plan, studio),
        "occlusions": strips(studio, _covered(plan, studio), columns=2, frames=6),
        "distractors": strips(studio, _nobody(plan), columns=4, frames=3),
    }
    paths = []
    for name, sheet in sheets.items():
        paths.append(folder / f"synthped-{name}.jpg")
        cv2.imwrite(str(paths[-1]), sheet, (cv2.IMWRITE_JPEG_QUALITY, 85))
    return paths


def people_sheet(seed: int, rows: int = 3, columns: int = 12) -> Array:
    """A crowd on neutral ground, and one of them from eight sides."""
    crowd = dress_all(rows * columns, seed, "train")
    lines = [np.hstack([_figure(look, 0.04 + 0.125 * (i % 3), i) for i, look in enumerate(crowd[at : at + columns])])
             for at in range(0, len(crowd), columns)]  # fmt: skip
    lines.append(np.hstack([_figure(crowd[2], view / 8, view) for view in range(8)] +
                           [_figure(crowd[7], view / 4, view) for view in range(4)]))  # fmt: skip
    return np.vstack(lines)


def _figure(look: Look, heading: float, frame: int) -> Array:
    one = np.ones(1)
    ground = np.array([[WIDTH, 1.88 * HEIGHT]])
    eye = Eye(heading * one, 0.03, 1.72 * HEIGHT * one, ground, 0.7)
    ink = Ink(np.stack([np.arange(256, dtype=np.uint8)] * 3))
    sketch = stage_actor(look, Motion(0.05 + 0.11 * frame * one, one, {}), eye, ink)
    canvas = np.full((2 * HEIGHT, 2 * WIDTH, 3), (196, 200, 202), np.uint8)
    paint(canvas, sketch.parts, sketch.order()[0], 0)
    return cv2.resize(canvas, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)


def actions_sheet(plan: Plan, studio: Studio, frames: int = 7) -> Array:
    """Each action over time, twice."""
    lines = []
    for action in ACTIONS:
        shots = [shot for shot in plan.shots if shot.label == action and shot.length >= 24]
        chosen = (shot for shot in shots if _clear(studio.script(shot), action))
        lines.append(
            np.hstack([strip(studio, shot, frames, 3) for shot in islice(_of_new_people(chosen), 2)])
        )
    return np.vstack(lines)


def _clear(script: Script, action: str) -> bool:
    if action.startswith(("phone", "item")) and script.pose not in ("frontal", "lateral-front", "lateral"):
        return False  # not seen from behind
    return (
        set(script.actions) == {action}
        and not script.front
        and not script.behind
        and script.cast[0].tall[0] < 0.92
    )


def _of_new_people(shots: Iterable[Shot]) -> Iterator[Shot]:
    seen: dict[int, set[int]] = {}
    for shot in shots:
        if shot.pid not in seen and shot.camera not in seen.values():
            seen[shot.pid] = {shot.camera}
            yield shot


def cameras_sheet(plan: Plan, studio: Studio) -> Array:
    """A piece of the street of each camera, and three of those who walk there."""
    lines = []
    for camera in install(plan.seed, plan.cameras):
        scene = paint_scene(camera, plan.seed, (2 * HEIGHT, 2 * WIDTH))
        street: Array = np.empty((2 * HEIGHT, 8 * WIDTH, 3), np.uint8)
        for place in range(4):
            scene.copy_to(street[:, 2 * WIDTH * place : 2 * WIDTH * (place + 1)], 300 + 2 * WIDTH * place, 0)
        street = cv2.resize(street, (4 * WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        here = {shot.pid: shot for shot in plan.shots if shot.camera == camera.number and shot.person >= 0}
        street = cv2.copyMakeBorder(street, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=(250,) * 3)
        lines.append(np.hstack([street, *[strip(studio, shot, 1) for shot in list(here.values())[10:16]]]))
    return np.vstack(lines)


def _covered(plan: Plan, studio: Studio) -> list[Shot]:
    """Shots with a pole, a plant, a passer, somebody behind, a cut and a lost head, two of each."""
    wanted: list[Callable[[Script], bool]] = [
        lambda script: any(isinstance(x, Extra) and x.kind == "pole" for x in script.front),
        lambda script: any(isinstance(x, Extra) and x.kind == "plant" for x in script.front),
        lambda script: any(not isinstance(x, Extra) for x in script.front),
        lambda script: bool(script.behind) and not script.front,
        lambda script: script.cast[0].tall[0] > 0.95 and not script.front,
    ]
    shots = []
    scripts = [
        (shot, studio.script(shot)) for shot in plan.shots[:1200] if shot.person >= 0 and shot.length >= 20
    ]
    for test in wanted[:3]:
        shots += [shot for shot, script in scripts if test(script) and 0.2 < script.occluded.mean() < 0.9][:2]
    for test in wanted[3:]:
        shots += [shot for shot, script in scripts if test(script)][:2]
    return shots


def _nobody(plan: Plan) -> list[Shot]:
    strangers = [shot for shot in plan.shots if shot.pid == DISTRACTOR and shot.length >= 6]
    junk = [shot for shot in plan.shots if shot.pid == JUNK and shot.length >= 6]
    return strangers[::23][:12] + junk[::7][:4]


def strips(studio: Studio, shots: list[Shot], columns: int, frames: int) -> Array:
    """Strips of frames of several shots, ``columns`` strips a line."""
    rows = [strip(studio, shot, frames) for shot in shots]
    return np.vstack(
        [np.hstack(rows[at : at + columns]) for at in range(0, len(rows) - columns + 1, columns)]
    )


def strip(studio: Studio, shot: Shot, frames: int, step: int = 0) -> Array:
    """``frames`` pictures of a shot, every ``step``-th or spread over all of it, in a thin frame."""
    places = (
        [step * i for i in range(frames)]
        if step
        else np.linspace(0, shot.length - 1, frames).astype(int).tolist()
    )
    pictures = list(studio.pictures(shot, studio.script(shot)))
    return cv2.copyMakeBorder(
        np.hstack([pictures[p] for p in places]), 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=(250,) * 3
    )


def main(argv: list[str]) -> int:
    """Write the sheets into the folder that is named; the exit status."""
    if len(argv) != 1 or not Path(argv[0]).is_dir():
        sys.stderr.write("usage: python -m reidar_plugin.synthped.sheets FOLDER (that exists)\n")
        return 2
    contact_sheets(Path(argv[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
