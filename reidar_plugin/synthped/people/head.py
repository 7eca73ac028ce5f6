"""Head, face, hair and hat of a person, from every side."""

import numpy as np

from reidar_plugin.synthped.drawing.colours import Ramp
from reidar_plugin.synthped.drawing.sketch import Part
from reidar_plugin.synthped.people.body import UP, Figure
from reidar_plugin.synthped.people.looks import COLOURS, HAIRS
from reidar_plugin.synthped.seeded_random import Array

__all__ = ["draw_head"]


def draw_head(figure: Figure) -> None:
    """Add the head of a person."""
    look, view = figure.look, figure.view
    size = figure.body.head
    centre = figure.pixel(figure.bones.head)
    hair = figure.colours.ramp(HAIRS[look.hair_colour])
    cos, sin, scale = view.cos, view.sin, view.scale[:, None]
    ahead = np.stack([sin, view.pitch_sin * cos], axis=1) * scale * size  # one unit forward, in the picture
    side = 0.047 * size * (1.0 + 0.10 * np.abs(sin))
    part = figure.sketch.part(0.25)
    _back_hair(figure, part, centre, ahead, hair, size)
    bald = look.hair == "bald"
    part.ball(centre + UP * scale * 0.006 * size, side * 1.10, 0.071 * size, figure.skin if bald else hair)
    face = np.maximum(cos, -0.15)  # how much of the face shows
    width = 0.043 * size * np.clip(0.30 + 0.75 * np.maximum(face, np.abs(sin) * 0.75), 0.0, 1.0)
    width = np.where(cos < -0.35, 0.0, width)
    chin = centre + ahead * 0.020 - UP * scale * 0.012 * size
    if not bald:
        part.ball(chin, width, np.where(width > 0, 0.056 * size, 0.0), figure.skin)
    _features(figure, part, chin, ahead, size, cos)
    if not bald:
        fringe = centre + ahead * 0.004 + UP * scale * 0.040 * size
        part.ball(fringe, side * 0.98, 0.034 * size, hair, levels=2)
    if look.hat != "none":
        _hat(figure, part, centre, ahead, size, side)


def _features(figure: Figure, part: Part, chin: Array, ahead: Array, size: float, cos: Array) -> None:
    """Eyes and mouth."""
    scale = figure.view.scale[:, None]
    dark = figure.colours.ramp((46, 34, 30))
    seen = np.where(cos > -0.2, 1.0, 0.0)  # in profile both eyes fall together
    for sign in (-1.0, 1.0):
        across = np.stack([cos * sign * 0.017, np.zeros_like(cos)], axis=1) * scale * size
        eye = chin + ahead * 0.016 + across + UP * scale * 0.014 * size
        part.ball(eye, 0.0075 * size * seen, 0.0050 * size * seen, dark, levels=1)
    mouth = chin + ahead * 0.018 - UP * scale * 0.026 * size
    part.ball(mouth, 0.012 * size * seen, 0.0034 * size * seen, figure.colours.ramp((150, 84, 76)), levels=1)


def _back_hair(figure: Figure, part: Part, centre: Array, ahead: Array, hair: Ramp, size: float) -> None:
    scale, down = figure.view.scale[:, None], -UP
    style = figure.look.hair
    if style in ("medium", "long"):
        drop = 0.075 if style == "medium" else 0.150
        behind = centre - ahead * 0.016
        near = figure.sketch.part(np.where(figure.view.cos < 0.2, 0.26, -0.05))
        near.limb([behind, behind + down * scale * drop * size], [0.056 * size, 0.047 * size], hair)
    elif style == "ponytail":
        knot = centre - ahead * 0.055 + UP * scale * 0.02
        near = figure.sketch.part(np.where(figure.view.cos < 0.3, 0.27, 0.24))
        near.limb([knot, knot - ahead * 0.022 + down * scale * 0.11], [0.022 * size, 0.014 * size], hair)
    elif style == "bun":
        part.ball(centre - ahead * 0.045 + UP * scale * 0.058 * size, 0.027 * size, 0.025 * size, hair)


def _hat(figure: Figure, part: Part, centre: Array, ahead: Array, size: float, side: Array) -> None:
    ramp = figure.colours.ramp(COLOURS[figure.look.hat_colour])
    scale = figure.view.scale[:, None]
    crown = centre + UP * scale * 0.036 * size
    part.ball(crown, side * 1.20, 0.047 * size, ramp)
    if figure.look.hat == "cap":
        brim = crown - UP * scale * 0.016 * size
        part.limb([brim + ahead * 0.02, brim + ahead * 0.078], [0.034 * size, 0.024 * size], ramp, levels=2)
    elif figure.look.hat == "brim":
        part.ball(crown - UP * scale * 0.022 * size, side * 2.0, 0.018 * size, ramp, levels=2)
