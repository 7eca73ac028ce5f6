"""Backpack, shoulder bag and handbag."""

import numpy as np

from reidar_plugin.synthped.drawing.colours import Ramp
from reidar_plugin.synthped.drawing.sections import outline, shaded
from reidar_plugin.synthped.people.body import Figure
from reidar_plugin.synthped.people.looks import COLOURS
from reidar_plugin.synthped.people.skeleton import LEFT, RIGHT, point
from reidar_plugin.synthped.seeded_random import Array

__all__ = ["draw_bag"]


def draw_bag(figure: Figure) -> None:
    """Add the bag of a person, if there is one."""
    kind = figure.look.bag
    if kind == "none":
        return
    ramp = figure.colours.ramp(COLOURS[figure.look.bag_colour])
    {"backpack": _backpack, "shoulder": _shoulder_bag, "handbag": _handbag}[kind](figure, ramp)


def _backpack(figure: Figure, ramp: Ramp) -> None:
    bones, body, view = figure.bones, figure.body, figure.view
    spine = bones.neck - bones.pelvis
    back = -(body.deep * figure.wide + 0.045)
    high, low = (figure.pixel(bones.pelvis + spine * at + point(0.0, 0.0, back)) for at in (0.86, 0.30))
    width = view.width(body.shoulder * 0.72, 0.062)
    part = figure.sketch.part(np.where(view.cos < 0.25, 0.45, -0.45))
    sections = [
        (high + (high - low) * 0.12, width * 0.55),
        (high, width * 0.95),
        (low, width),
        (low - (high - low) * 0.06, width * 0.85),
    ]
    shaded(part, sections, ramp)
    pocket = [(high * 0.45 + low * 0.55, width * 0.66), (low * 0.9 + high * 0.1, width * 0.66)]
    part.fill(outline(pocket, 1.0, 0.0), ramp[0])
    part.fill(outline(pocket, 0.88, 0.0), ramp[1])
    straps = figure.sketch.part(np.where(view.cos > -0.2, 0.2, -0.5))
    for sign in (-1.0, 1.0):
        top = figure.pixel(bones.neck + point(sign * body.shoulder * 0.60, -0.025, 0.0))
        end = figure.pixel(bones.pelvis + spine * 0.42 + point(sign * body.shoulder * 0.70, 0.0, body.deep))
        straps.limb([top, end], [0.012, 0.012], ramp, levels=2)


def _shoulder_bag(figure: Figure, ramp: Ramp) -> None:
    bones, body = figure.bones, figure.body
    sign = 1.0 if figure.look.right_handed else -1.0
    hip = bones.pelvis + point(sign * (body.hip * figure.wide + 0.020), 0.025, 0.0)
    collar = bones.neck + point(-sign * body.shoulder * 0.55, -0.03, 0.0)
    near = np.where(figure.view.depth(hip - bones.pelvis) > -0.05, 0.75, -0.75)
    strap = figure.sketch.part(0.3)
    for z in (0.85, -0.85):  # over chest and back; where a strap is hidden it ends where it begins
        seen = np.where(z * figure.view.cos > -0.15, 1.0, 0.0)[:, None]
        a, b = (figure.pixel(p + point(0.0, 0.0, z * body.deep * figure.wide)) for p in (collar, hip))
        strap.limb([a, a * (1 - seen) + b * seen], [0.0085, 0.0085], ramp, levels=1)
    _sack(figure, hip, ramp, near, 0.062, 0.085)


def _handbag(figure: Figure, ramp: Ramp) -> None:
    """A bag under the arm, on two short straps over the shoulder; in the hand it would look like an action."""
    bones, body = figure.bones, figure.body
    side, sign = (LEFT, 1.0) if figure.look.right_handed else (RIGHT, -1.0)
    shoulder = bones.shoulders[side] + point(0.0, 0.022, 0.0)
    bag = bones.pelvis + point(sign * (body.shoulder * 0.84 + 0.050), 0.150, -0.015)
    near = np.where(figure.view.depth(bag - bones.pelvis) > -0.03, 0.72, -0.72)
    straps = figure.sketch.part(near)
    for z in (-0.035, 0.035):
        end = bag + point(0.0, 0.03, z)
        straps.limb([figure.pixel(shoulder), figure.pixel(end)], [0.008, 0.008], ramp, levels=1)
    _sack(figure, bag, ramp, near + 0.01, 0.080, 0.100)


def _sack(figure: Figure, middle: Array, ramp: Ramp, near: Array, wide: float, high: float) -> None:
    """A soft bag that hangs at a point ``(F, 3)``; its long side points ahead. Sizes are in body heights."""
    width = figure.view.width(0.034, wide)
    top, low = (
        figure.pixel(middle + point(0.0, high / 2, 0.0)),
        figure.pixel(middle - point(0.0, high / 2, 0.0)),
    )
    sections = [(top, width * 0.82), (top * 0.4 + low * 0.6, width), (low, width * 0.88)]
    part = figure.sketch.part(near)
    shaded(part, sections, ramp)
