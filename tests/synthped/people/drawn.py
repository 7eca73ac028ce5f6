"""People on an empty picture, for the tests of what they look like."""

from collections.abc import Iterable

import cv2
import numpy as np

from reidar_plugin.synthped.drawing.colours import CameraColours
from reidar_plugin.synthped.drawing.sketch import Sketch, paint
from reidar_plugin.synthped.drawing.view import View
from reidar_plugin.synthped.people.body import Figure, proportions
from reidar_plugin.synthped.people.looks import Look
from reidar_plugin.synthped.people.person import Motion, draw_person
from reidar_plugin.synthped.people.skeleton import pose
from reidar_plugin.synthped.seeded_random import Array

__all__ = [
    "EMPTY",
    "GROUND",
    "PLAIN",
    "TALL",
    "VIEWS",
    "body",
    "draw",
    "figure",
    "painted",
    "view_of",
    "where",
]

VIEWS = np.arange(8) / 8
EMPTY = (1, 2, 3)
TALL, GROUND = 180.0, 230
PLAIN = CameraColours(np.stack([np.arange(256, dtype=np.uint8)] * 3))


def view_of(headings: Array) -> View:
    """A person of 180 pixels in the middle of a picture of 256, from several sides."""
    frames = len(headings)
    return View(headings, 0.03, np.full(frames, TALL), np.tile([128.0, GROUND], (frames, 1)), 0.7)


def painted(sketch: Sketch) -> list[Array]:
    """The frames of a sketch, 256 x 256."""
    pictures = []
    for frame, order in enumerate(sketch.order()):
        picture = np.full((256, 256, 3), EMPTY, np.uint8)
        paint(picture, sketch.parts, order, frame)
        pictures.append(picture)
    return pictures


def draw(look: Look, action: str, headings: Array = VIEWS, phase: float = 0.1) -> list[Array]:
    """A walker from several sides who does something."""
    frames = len(headings)
    doing = {} if action == "walking" else {action: np.ones(frames)}
    motion = Motion(np.full(frames, phase), np.ones(frames), doing)
    return painted(draw_person(look, motion, view_of(headings), PLAIN))


def body(picture: Array) -> Array:
    """Where something was drawn, ``(256, 256)`` bool."""
    return ~cv2.inRange(picture, EMPTY, EMPTY).astype(bool)


def figure(look: Look, headings: Array = VIEWS) -> Figure:
    """A person who stands, with nothing drawn yet."""
    body = proportions(look)
    still = np.zeros(len(headings))
    bones = pose(still, still, shoulder=body.shoulder * 0.84, hip=body.hip * 0.55)
    return Figure(look, body, bones, view_of(headings), PLAIN)


def where(picture: Array, colours: Iterable[tuple[int, int, int]]) -> Array:
    """Where a picture has one of these colours, ``(256, 256)`` bool."""
    return np.any([(picture == np.array(colour)).all(axis=2) for colour in colours], axis=0)
