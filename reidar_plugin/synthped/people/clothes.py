"""Legs, trunk and arms in clothes, with their patterns."""

import numpy as np

from reidar_plugin.synthped.drawing.sections import Sections, band, shaded
from reidar_plugin.synthped.drawing.sketch import Part
from reidar_plugin.synthped.people.body import UP, Figure
from reidar_plugin.synthped.people.looks import COLOURS
from reidar_plugin.synthped.people.skeleton import LEFT, RIGHT, point
from reidar_plugin.synthped.seeded_random import Array

__all__ = ["draw_clothes"]


def draw_clothes(figure: Figure) -> None:
    """Add legs, trunk and arms of a person, dressed."""
    _legs(figure)
    _trunk(figure)
    _arms(figure)


def _legs(figure: Figure) -> None:
    bones, body = figure.bones, figure.body
    bare = figure.look.bottom in ("shorts", "skirt", "dress")
    shoe = figure.colours.ramp(COLOURS[figure.look.shoes])
    middle = figure.view.depth(bones.pelvis)
    for side in (LEFT, RIGHT):
        near = (figure.view.depth(bones.knees[side]) + figure.view.depth(bones.ankles[side])) / 2 - middle
        part = figure.sketch.part(-0.3 + np.clip(near, -0.2, 0.2))
        hip, knee, ankle, toe = (
            figure.pixel(j[side]) for j in (bones.hips, bones.knees, bones.ankles, bones.toes)
        )
        heel = ankle - UP * figure.view.scale[:, None] * 0.018
        part.limb([heel, toe], [0.026, 0.019], shoe, levels=2)
        if bare:
            radii = [body.leg * size for size in (0.98, 0.80, 0.46)]
            part.limb([hip, knee, ankle], radii, figure.skin)
        else:
            part.limb([hip, knee, ankle], [body.leg * size for size in (1.10, 0.84, 0.62)], figure.bottom)
        if figure.look.bottom == "shorts":
            part.limb([hip, hip * 0.28 + knee * 0.72], [body.leg * 1.15, body.leg * 1.12], figure.bottom)


def _sections(figure: Figure) -> Sections:
    """Cross-sections of the trunk from the collar down to the hip."""
    bones, body, view = figure.bones, figure.body, figure.view
    spine = bones.neck - bones.pelvis
    full = figure.wide

    def at(part: float) -> Array:
        return figure.pixel(bones.pelvis + spine * part)

    return [
        (at(0.985), view.width(0.040, 0.038)),
        (at(0.93), view.width(body.shoulder * 0.80, body.deep * 0.78)),
        (at(0.84), view.width(body.shoulder * (0.93 + 0.10 * (full - 1)), body.deep * full)),
        (at(0.62), view.width(body.shoulder * 0.86, body.deep * 1.12 * full)),
        (at(0.32), view.width(body.waist * full, body.deep * 0.98 * full)),
        (at(-0.02), view.width(body.hip * full, body.deep * 1.12 * full)),
    ]


def _trunk(figure: Figure) -> None:
    sections = _sections(figure)
    part = figure.sketch.part(0.0)
    _pelvis(figure, part)
    hem = _hem(figure)
    part.limb(
        [figure.pixel(figure.bones.neck), figure.pixel(figure.bones.head)],
        [0.027, 0.026],
        figure.skin,
        levels=2,
    )
    cloth = sections + hem
    shaded(part, cloth, figure.top)
    _pattern(figure, part, cloth)
    _front(figure, part, cloth)


def _pelvis(figure: Figure, part: Part) -> None:
    """The seat of trousers, or a skirt."""
    look, bones, view, body = figure.look, figure.bones, figure.view, figure.body
    low = (bones.hips[LEFT] + bones.hips[RIGHT]) / 2
    waist = (figure.pixel(bones.pelvis + point(0.0, 0.05, 0.0)), view.width(body.waist, body.deep))
    seat = (figure.pixel(low - point(0.0, 0.035, 0.0)), view.width(body.hip * 1.02, body.deep * 1.15))
    sections = [waist, seat]
    if look.bottom in ("skirt", "dress"):
        knees = [figure.pixel(k) for k in bones.knees]
        part_way = 0.80
        centre = (knees[0] + knees[1]) / 2 * part_way + seat[0] * (1 - part_way)
        spread = np.abs(knees[0][:, 0] - knees[1][:, 0]) / 2 * part_way + view.scale * body.leg * 1.35
        sections.append((centre, np.maximum(spread, view.width(body.hip * 1.12, body.deep * 1.3))))
    shaded(part, sections, figure.bottom)


def _hem(figure: Figure) -> Sections:
    """The last section of the upper garment, below the hip: coats reach the thigh."""
    bones, view, body = figure.bones, figure.view, figure.body
    drop = {"coat": 0.20, "hoodie": 0.045, "jacket": 0.04}.get(figure.look.top, 0.03)
    centre = figure.pixel((bones.hips[LEFT] + bones.hips[RIGHT]) / 2 - point(0.0, drop, 0.0))
    flare = 1.10 if figure.look.top == "coat" else 1.0
    return [(centre, view.width(body.hip * flare * figure.wide, body.deep * 1.2 * flare * figure.wide))]


def _pattern(figure: Figure, part: Part, cloth: Sections) -> None:
    """Stripes, checks or a print on the upper garment."""
    texture = figure.look.texture
    if texture in ("stripes", "checks"):
        for at in np.arange(0.16, 1.0, 0.135):
            for size, level in ((0.985, 0), (0.82, 1)):
                part.fill(band(cloth, at, at + 0.06, -size, size, size), figure.second[level])
    if texture == "checks":
        for turn in (-0.70, -0.27, 0.16, 0.59):
            part.fill(band(cloth, 0.12, 0.99, turn, turn + 0.15, 0.99), figure.second[1])
    if texture == "print":
        _print(figure, part, cloth)


def _print(figure: Figure, part: Part, cloth: Sections) -> None:
    """A bright patch on chest and back, which moves as the body turns."""
    for facing, sign in ((figure.view.cos, 1.0), (-figure.view.cos, -1.0)):
        shown = np.maximum(facing, 0.0)
        centre, half = figure.view.sin * sign * 0.75, 0.50 * shown
        low, high = np.clip(centre - half, -0.97, 0.97), np.clip(centre + half, -0.97, 0.97)
        part.fill(band(cloth, 0.24, 0.52, low, high, 1.0), figure.second[1])
        part.fill(band(cloth, 0.33, 0.42, low * 0.7 + high * 0.3, low * 0.3 + high * 0.7, 1.0), figure.top[0])


def _front(figure: Figure, part: Part, cloth: Sections) -> None:
    """Zip and lining of a jacket or coat, pocket of a hoodie, belt of the others; only seen from the front."""
    shown = np.maximum(figure.view.cos, 0.0)
    centre = figure.view.sin * 0.8
    if figure.look.top in ("jacket", "coat"):
        half = 0.16 * shown
        part.fill(band(cloth, 0.03, 0.97, centre - half, centre + half, 0.98), figure.second[1])
        part.fill(band(cloth, 0.03, 0.97, centre - half, centre - half * 0.7, 0.98), figure.top[0])
    elif figure.look.top == "hoodie":
        half = 0.42 * shown
        part.fill(band(cloth, 0.66, 0.84, centre - half, centre + half, 0.98), figure.top[0])
        part.fill(band(cloth, 0.685, 0.825, centre - half * 0.9, centre + half * 0.9, 0.98), figure.top[1])
    else:
        half = 0.20 * shown
        part.fill(band(cloth, 0.0, 0.07, centre - half, centre + half, 0.98), figure.skin[1])


def _arms(figure: Figure) -> None:
    bones, radius = figure.bones, figure.body.arm
    sleeve_long = figure.look.sleeves == "long"
    thick = radius * (1.22 if figure.wide > 1.2 else 1.05)
    middle = figure.view.depth(bones.pelvis)
    for side in (LEFT, RIGHT):
        shoulder, elbow, wrist = (
            figure.pixel(j[side]) for j in (bones.shoulders, bones.elbows, bones.wrists)
        )
        lower = (figure.view.depth(bones.wrists[side]) + figure.view.depth(bones.elbows[side])) / 2 - middle
        part = figure.sketch.part(np.where(lower > -0.012, 0.6, -0.6) + 0.1 * np.clip(lower, -1, 1))
        hand = wrist + (wrist - elbow) * 0.12
        part.limb([wrist, hand], [radius * 0.78, radius * 0.72], figure.skin, levels=2)
        if sleeve_long:
            part.limb([shoulder, elbow, wrist], [thick * 1.08, thick, thick * 0.80], figure.top)
        else:
            part.limb([shoulder, elbow, wrist], [radius, radius * 0.92, radius * 0.68], figure.skin)
            part.limb([shoulder, shoulder * 0.35 + elbow * 0.65], [thick * 1.12, thick * 1.14], figure.top)
        if figure.look.texture in ("stripes", "checks"):
            for at in (0.22, 0.48) if not sleeve_long else (0.22, 0.55, 0.88):
                _sleeve_stripe(figure, part, shoulder, elbow, at, thick)


def _sleeve_stripe(
    figure: Figure, part: Part, shoulder: Array, elbow: Array, at: float, thick: float
) -> None:
    """A stripe round the upper arm; ``at`` says how far towards the elbow, from 0 to 1."""
    bone = elbow - shoulder
    length = np.sqrt(bone[:, :1] * bone[:, :1] + bone[:, 1:] * bone[:, 1:])
    aside = np.stack([-bone[:, 1], bone[:, 0]], axis=1) / np.maximum(length, 1e-3)
    aside = aside * figure.view.scale[:, None] * thick
    start, end = shoulder + bone * at, shoulder + bone * (at + 0.15)
    for size, level in ((0.98, 0), (0.78, 1)):
        corners = [start - aside * size, start + aside * size, end + aside * size, end - aside * size]
        part.fill(np.stack(corners, axis=1), figure.second[level])
