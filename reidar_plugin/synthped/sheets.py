"""Contact sheets: what the people, actions, cameras, occlusions and distractors of SynthPed look like."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from reidar_plugin.io.atomic import write_atomically
from reidar_plugin.synthped.actions import ACTIONS
from reidar_plugin.synthped.drawing.colours import CameraColours
from reidar_plugin.synthped.drawing.sketch import paint
from reidar_plugin.synthped.drawing.view import View
from reidar_plugin.synthped.people.looks import Look, dress_all
from reidar_plugin.synthped.people.person import Motion, draw_person
from reidar_plugin.synthped.plan import DISTRACTOR, JUNK, Plan, Shot, plan_mars
from reidar_plugin.synthped.presets import PRESETS
from reidar_plugin.synthped.render import Renderer
from reidar_plugin.synthped.script import Obstacle, Script
from reidar_plugin.synthped.seeded_random import Array
from reidar_plugin.synthped.street.camera import make_cameras
from reidar_plugin.synthped.street.scenery import paint_scene

__all__ = ["contact_sheets"]

HEIGHT, WIDTH = 256, 128


def contact_sheets(folder: Path, seed: int = 0) -> list[Path]:
    """Write all sheets as ``synthped-<name>.jpg`` into a folder that exists."""
    preset = replace(PRESETS["mars"], people=(150, 150), tracklets=(1500, 1500))
    plan = plan_mars(preset, seed)
    renderer = Renderer(plan)
    sheets = {
        "people": people_sheet(seed),
        "actions": actions_sheet(plan, renderer),
        "cameras": cameras_sheet(plan, renderer),
        "occlusions": strips(renderer, _covered(plan, renderer), columns=2, frames=6),
        "distractors": strips(renderer, _nobody(plan), columns=4, frames=3),
    }
    paths = []
    for name, sheet in sheets.items():
        paths.append(folder / f"synthped-{name}.jpg")
        write_atomically(paths[-1], cv2.imencode(".jpg", sheet, (cv2.IMWRITE_JPEG_QUALITY, 85))[1].tobytes())
    return paths


def people_sheet(seed: int, rows: int = 3, columns: int = 12) -> Array:
    """A crowd on neutral ground, and one of them from eight sides."""
    crowd = dress_all(rows * columns, seed, "train")
    people = [_figure(look, 0.04 + 0.125 * (i % columns % 3), i % columns) for i, look in enumerate(crowd)]
    people += [_figure(crowd[2], side / 8, side) for side in range(8)]
    people += [_figure(crowd[7], side / 4, side) for side in range(4)]
    return _grid(people, columns)


def _grid(pictures: list[Array], columns: int) -> Array:
    """Pictures in rows of ``columns``; an unfinished row is left out."""
    rows = range(0, len(pictures) - columns + 1, columns)
    return np.vstack([np.hstack(pictures[at : at + columns]) for at in rows])


def _figure(look: Look, heading: float, frame: int) -> Array:
    one = np.ones(1)
    ground = np.array([[WIDTH, 1.88 * HEIGHT]])
    view = View(heading * one, 0.03, 1.72 * HEIGHT * one, ground, 0.7)
    colours = CameraColours(np.stack([np.arange(256, dtype=np.uint8)] * 3))
    sketch = draw_person(look, Motion(0.05 + 0.11 * frame * one, one, {}), view, colours)
    image = np.full((2 * HEIGHT, 2 * WIDTH, 3), (196, 200, 202), np.uint8)
    paint(image, sketch.parts, sketch.order()[0], 0)
    return cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)


def actions_sheet(plan: Plan, renderer: Renderer, frames: int = 7) -> Array:
    """Each action over time, twice."""
    lines = []
    for action in ACTIONS:
        shots = [shot for shot in plan.shots if shot.label == action and shot.length >= 24]
        chosen = (shot for shot in shots if _clear(renderer.script(shot), action))
        lines.append(np.hstack([strip(renderer, s, frames, 3) for s in islice(_of_new_people(chosen), 2)]))
    return np.vstack(lines)


def _clear(script: Script, action: str) -> bool:
    """Whether the action can be seen well throughout."""
    if action.startswith(("phone", "item")) and script.pose not in ("frontal", "lateral-front", "lateral"):
        return False  # not seen from behind
    alone = not script.front and not script.behind
    return alone and set(script.actions) == {action} and script.cast[0].tall[0] < 0.92


def _of_new_people(shots: Iterable[Shot]) -> Iterator[Shot]:
    """The first of these tracklets of each person."""
    seen: set[int] = set()
    for shot in shots:
        if shot.pid not in seen:
            seen.add(shot.pid)
            yield shot


def cameras_sheet(plan: Plan, renderer: Renderer) -> Array:
    """A piece of the background of each camera, and six people who walk there."""
    lines = []
    for camera in make_cameras(plan.seed, plan.cameras):
        scene = paint_scene(camera, plan.seed, (2 * HEIGHT, 2 * WIDTH))
        street: Array = np.empty((2 * HEIGHT, 8 * WIDTH, 3), np.uint8)
        for part in range(4):
            scene.copy_to(street[:, 2 * WIDTH * part : 2 * WIDTH * (part + 1)], 300 + 2 * WIDTH * part, 0)
        street = _framed(cv2.resize(street, (4 * WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))
        here = {shot.pid: shot for shot in plan.shots if shot.camera == camera.number and shot.person >= 0}
        lines.append(np.hstack([street, *[strip(renderer, shot, 1) for shot in list(here.values())[10:16]]]))
    return np.vstack(lines)


def _covered(plan: Plan, renderer: Renderer) -> list[Shot]:
    """Two tracklets each with a pole, a plant, a passer, somebody behind, and a cut-off head or feet."""
    wanted: list[Callable[[Script], bool]] = [
        lambda script: any(isinstance(x, Obstacle) and x.kind == "pole" for x in script.front),
        lambda script: any(isinstance(x, Obstacle) and x.kind == "plant" for x in script.front),
        lambda script: any(not isinstance(x, Obstacle) for x in script.front),
        lambda script: bool(script.behind) and not script.front,
        lambda script: script.cast[0].tall[0] > 0.95 and not script.front,
    ]
    known = [shot for shot in plan.shots[:1200] if shot.person >= 0 and shot.length >= 20]
    scripts = [(shot, renderer.script(shot)) for shot in known]
    shots = []
    for test in wanted[:3]:
        shots += [shot for shot, script in scripts if test(script) and 0.2 < script.occluded.mean() < 0.9][:2]
    for test in wanted[3:]:
        shots += [shot for shot, script in scripts if test(script)][:2]
    return shots


def _nobody(plan: Plan) -> list[Shot]:
    """Some distractors, and a row of junk."""
    strangers = [shot for shot in plan.shots if shot.pid == DISTRACTOR and shot.length >= 6]
    junk = [shot for shot in plan.shots if shot.pid == JUNK and shot.length >= 6]
    return strangers[::23][:12] + junk[::7][:4]


def strips(renderer: Renderer, shots: list[Shot], columns: int, frames: int) -> Array:
    """Strips of frames of several shots, ``columns`` strips a line."""
    return _grid([strip(renderer, shot, frames) for shot in shots], columns)


def strip(renderer: Renderer, shot: Shot, frames: int, step: int = 0) -> Array:
    """``frames`` pictures of a tracklet, every ``step``-th or evenly spread (step 0), in a thin frame."""
    spread = np.linspace(0, shot.length - 1, frames).astype(int).tolist()
    pictures = list(renderer.pictures(shot, renderer.script(shot)))
    return _framed(
        np.hstack([pictures[index] for index in (range(0, step * frames, step) if step else spread)])
    )


def _framed(picture: Array) -> Array:
    return cv2.copyMakeBorder(picture, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=(250,) * 3)
