"""A dressed person on paper: legs, trunk, arms, head and bags of a skeleton, as parts of a sketch."""

from dataclasses import dataclass

import numpy as np

from .dice import Array
from .people import COLOURS, HAIRS, SKINS, Look
from .skeleton import LEFT, RIGHT, Skeleton, point
from .sketch import Ink, Part, Ramp, Sketch

__all__ = ["Body", "draw_person", "proportions"]

BUILDS = {"slim": 0.90, "medium": 1.0, "heavy": 1.17}
_UP = np.array([0.0, -1.0])


@dataclass(frozen=True)
class Body:
    """Half widths and radii of a person, in body heights."""

    shoulder: float
    waist: float
    hip: float
    deep: float
    arm: float
    leg: float
    head: float


def proportions(look: Look) -> Body:
    """Width of the parts of a person: men broader at the shoulder, women at the hip, children with larger heads."""
    wide = BUILDS[look.build]
    female, child = look.gender == "female", look.age == "child"
    return Body(
        shoulder=(0.104 if female else 0.118) * (0.5 + 0.5 * wide),
        waist=(0.070 if female else 0.082) * wide,
        hip=(0.092 if female else 0.086) * (0.3 + 0.7 * wide),
        deep=0.066 * wide * wide,
        arm=(0.024 if female else 0.028) * (0.4 + 0.6 * wide),
        leg=0.046 * (0.3 + 0.7 * wide),
        head=1.22 if child else 1.0,
    )


def draw_person(sketch: Sketch, look: Look, body: Body, bones: Skeleton, ink: Ink, base: float = 0.0) -> None:
    """Add a person to the sketch; ``base`` moves all its parts towards the camera."""
    figure = _Figure(sketch, look, body, bones, ink, base)
    figure.legs()
    figure.trunk()
    figure.arms()
    figure.head()
    figure.bag()


class _Figure:
    def __init__(
        self, sketch: Sketch, look: Look, body: Body, bones: Skeleton, ink: Ink, base: float
    ) -> None:
        self.sketch, self.eye = sketch, sketch.eye
        self.look, self.body, self.bones, self.ink, self.base = look, body, bones, ink, base
        self.skin = ink.ramp(SKINS[look.skin])
        self.top = ink.ramp(COLOURS[look.top_colour])
        self.second = ink.ramp(COLOURS[look.top_second])
        self.bottom = self._bottom_ramp()
        self.wide = 1.28 if look.top in ("jacket", "coat", "hoodie") else 1.08

    def _bottom_ramp(self) -> Ramp:
        return self.top if self.look.bottom == "dress" else self.ink.ramp(COLOURS[self.look.bottom_colour])

    def px(self, joint: Array) -> Array:
        return self.eye.pixel(joint)

    # legs ------------------------------------------------------------

    def legs(self) -> None:
        bones, body = self.bones, self.body
        bare = self.look.bottom in ("shorts", "skirt", "dress")
        shoe = self.ink.ramp(COLOURS[self.look.shoes])
        middle = self.eye.depth(bones.pelvis)
        for side in (LEFT, RIGHT):
            near = (self.eye.depth(bones.knees[side]) + self.eye.depth(bones.ankles[side])) / 2 - middle
            part = self.sketch.part(self.base - 0.3 + np.clip(near, -0.2, 0.2))
            hip, knee, ankle, toe = (
                self.px(j[side]) for j in (bones.hips, bones.knees, bones.ankles, bones.toes)
            )
            heel = ankle - _UP * self.eye.scale[:, None] * 0.018
            part.limb([heel, toe], [0.026, 0.019], shoe, levels=2)
            if bare:
                radii = [body.leg * size for size in (0.98, 0.80, 0.46)]
                part.limb([hip, knee, ankle], radii, self.skin)
            else:
                part.limb([hip, knee, ankle], [body.leg * size for size in (1.10, 0.84, 0.62)], self.bottom)
            if self.look.bottom == "shorts":
                part.limb([hip, hip * 0.28 + knee * 0.72], [body.leg * 1.15, body.leg * 1.12], self.bottom)

    # trunk ------------------------------------------------------------

    def rings(self) -> list[tuple[Array, Array]]:
        """Centres ``(F, 2)`` and half widths ``(F,)`` of the trunk from the collar down, by view."""
        bones, body, eye = self.bones, self.body, self.eye
        spine = bones.neck - bones.pelvis
        at = lambda part: self.px(bones.pelvis + spine * part)  # noqa: E731
        full = self.wide
        return [
            (at(0.985), eye.width(0.040, 0.038)),
            (at(0.93), eye.width(body.shoulder * 0.80, body.deep * 0.78)),
            (at(0.84), eye.width(body.shoulder * (0.93 + 0.10 * (full - 1)), body.deep * full)),
            (at(0.62), eye.width(body.shoulder * 0.86, body.deep * 1.12 * full)),
            (at(0.32), eye.width(body.waist * full, body.deep * 0.98 * full)),
            (at(-0.02), eye.width(body.hip * full, body.deep * 1.12 * full)),
        ]

    def trunk(self) -> None:
        rings = self.rings()
        part = self.sketch.part(self.base)
        self.pelvis(part)
        hem = self.hem()
        part.limb([self.px(self.bones.neck), self.px(self.bones.head)], [0.027, 0.026], self.skin, levels=2)
        outline = rings + hem
        for level, (size, shift) in enumerate(((1.0, 0.0), (0.82, 0.12), (0.48, 0.30))):
            part.fill(_outline(outline, size, shift * self.eye.light), self.top[level])
        self.pattern(part, outline)
        self.front(part, outline)

    def pelvis(self, part: Part) -> None:
        look, bones, eye, body = self.look, self.bones, self.eye, self.body
        low = (bones.hips[LEFT] + bones.hips[RIGHT]) / 2
        waist = (self.px(bones.pelvis + point(0.0, 0.05, 0.0)), eye.width(body.waist, body.deep))
        seat = (self.px(low - point(0.0, 0.035, 0.0)), eye.width(body.hip * 1.02, body.deep * 1.15))
        rings = [waist, seat]
        if look.bottom in ("skirt", "dress"):
            knees = [self.px(k) for k in bones.knees]
            part_way = 0.80
            centre = (knees[0] + knees[1]) / 2 * part_way + seat[0] * (1 - part_way)
            spread = np.abs(knees[0][:, 0] - knees[1][:, 0]) / 2 * part_way + eye.scale * body.leg * 1.35
            rings.append((centre, np.maximum(spread, eye.width(body.hip * 1.12, body.deep * 1.3))))
        for level, (size, shift) in enumerate(((1.0, 0.0), (0.82, 0.12), (0.46, 0.28))):
            part.fill(_outline(rings, size, shift * eye.light), self.bottom[level])

    def hem(self) -> list[tuple[Array, Array]]:
        """What hangs below the hip: coats reach the thigh, shirts end."""
        bones, eye, body = self.bones, self.eye, self.body
        drop = {"coat": 0.20, "hoodie": 0.045, "jacket": 0.04}.get(self.look.top, 0.03)
        centre = self.px((bones.hips[LEFT] + bones.hips[RIGHT]) / 2 - point(0.0, drop, 0.0))
        flare = 1.10 if self.look.top == "coat" else 1.0
        return [(centre, eye.width(body.hip * flare * self.wide, body.deep * 1.2 * flare * self.wide))]

    def pattern(self, part: Part, outline: list[tuple[Array, Array]]) -> None:
        texture = self.look.texture
        if texture in ("stripes", "checks"):
            for at in np.arange(0.16, 1.0, 0.135):
                for size, level in ((0.985, 0), (0.82, 1)):
                    part.fill(_band(outline, at, at + 0.06, -size, size, size), self.second[level])
        if texture == "checks":
            for turn in (-0.70, -0.27, 0.16, 0.59):
                part.fill(_band(outline, 0.12, 0.99, turn, turn + 0.15, 0.99), self.second[1])
        if texture == "print":
            self.print(part, outline)

    def print(self, part: Part, outline: list[tuple[Array, Array]]) -> None:
        """A bright patch on chest and back, seen as the body turns."""
        for facing, sign in ((self.eye.cos, 1.0), (-self.eye.cos, -1.0)):
            shown = np.maximum(facing, 0.0)
            centre, half = self.eye.sin * sign * 0.75, 0.50 * shown
            low, high = np.clip(centre - half, -0.97, 0.97), np.clip(centre + half, -0.97, 0.97)
            part.fill(_band(outline, 0.24, 0.52, low, high, 1.0), self.second[1])
            part.fill(
                _band(outline, 0.33, 0.42, low * 0.7 + high * 0.3, low * 0.3 + high * 0.7, 1.0), self.top[0]
            )

    def front(self, part: Part, outline: list[tuple[Array, Array]]) -> None:
        """Zip and lining of a jacket or coat, pocket of a hoodie, belt of the others; only seen from the front."""
        shown = np.maximum(self.eye.cos, 0.0)
        centre = self.eye.sin * 0.8
        if self.look.top in ("jacket", "coat"):
            half = 0.16 * shown
            part.fill(_band(outline, 0.03, 0.97, centre - half, centre + half, 0.98), self.second[1])
            part.fill(_band(outline, 0.03, 0.97, centre - half, centre - half * 0.7, 0.98), self.top[0])
        elif self.look.top == "hoodie":
            half = 0.42 * shown
            part.fill(_band(outline, 0.66, 0.84, centre - half, centre + half, 0.98), self.top[0])
            part.fill(
                _band(outline, 0.685, 0.825, centre - half * 0.9, centre + half * 0.9, 0.98), self.top[1]
            )
        else:
            half = 0.20 * shown
            part.fill(_band(outline, 0.0, 0.07, centre - half, centre + half, 0.98), self.skin[1])

    # arms ------------------------------------------------------------

    def arms(self) -> None:
        bones, radius = self.bones, self.body.arm
        sleeve_long = self.look.sleeves == "long"
        thick = radius * (1.22 if self.wide > 1.2 else 1.05)
        middle = self.eye.depth(bones.pelvis + point(0.0, 0.0, 0.0))
        for side in (LEFT, RIGHT):
            shoulder, elbow, wrist = (self.px(j[side]) for j in (bones.shoulders, bones.elbows, bones.wrists))
            lower = (self.eye.depth(bones.wrists[side]) + self.eye.depth(bones.elbows[side])) / 2 - middle
            part = self.sketch.part(
                self.base + np.where(lower > -0.012, 0.6, -0.6) + 0.1 * np.clip(lower, -1, 1)
            )
            hand = wrist + (wrist - elbow) * 0.12
            part.limb([wrist, hand], [radius * 0.78, radius * 0.72], self.skin, levels=2)
            if sleeve_long:
                part.limb([shoulder, elbow, wrist], [thick * 1.15, thick, thick * 0.80], self.top)
            else:
                part.limb([shoulder, elbow, wrist], [radius, radius * 0.92, radius * 0.68], self.skin)
                part.limb([shoulder, shoulder * 0.35 + elbow * 0.65], [thick * 1.2, thick * 1.18], self.top)
            if self.look.texture in ("stripes", "checks"):
                for at in (0.25, 0.5) if not sleeve_long else (0.25, 0.55, 0.85):
                    ring = shoulder * (1 - at) + elbow * at
                    part.limb(
                        [ring, ring + (elbow - shoulder) * 0.10], [thick * 0.95] * 2, self.second, levels=2
                    )

    # head ------------------------------------------------------------

    def head(self) -> None:
        look, eye = self.look, self.eye
        size = self.body.head
        centre = self.px(self.bones.head)
        hair = self.ink.ramp(HAIRS[look.hair_colour])
        cos, sin, scale = eye.cos, eye.sin, eye.scale[:, None]
        ahead = (
            np.stack([sin, eye.pitch_sin * cos], axis=1) * scale * size
        )  # one unit forward, in the picture
        side = 0.047 * size * (1.0 + 0.10 * np.abs(sin))
        part = self.sketch.part(self.base + 0.25)
        self.back_hair(part, centre, ahead, hair, size)
        bald = look.hair == "bald"
        part.ball(centre + _UP * scale * 0.006 * size, side * 1.10, 0.071 * size, self.skin if bald else hair)
        face = np.maximum(cos, -0.15)  # how much of the face shows
        width = 0.043 * size * np.clip(0.30 + 0.75 * np.maximum(face, np.abs(sin) * 0.75), 0.0, 1.0)
        width = np.where(cos < -0.35, 0.0, width)
        chin = centre + ahead * 0.020 - _UP * scale * 0.012 * size
        part.ball(chin, width, np.where(width > 0, 0.056 * size, 0.0), self.skin)
        self.features(part, chin, ahead, size, cos)
        if not bald:
            fringe = centre + ahead * 0.004 + _UP * scale * 0.040 * size
            part.ball(fringe, side * 0.98, 0.034 * size, hair, levels=2)
        if look.hat != "none":
            self.hat(part, centre, ahead, size, side)

    def features(self, part: Part, chin: Array, ahead: Array, size: float, cos: Array) -> None:
        scale = self.eye.scale[:, None]
        dark = self.ink.ramp((46, 34, 30))
        seen = np.where(cos > 0.25, 1.0, 0.0)
        for sign in (-1.0, 1.0):
            across = np.stack([cos * sign * 0.017, np.zeros_like(cos)], axis=1) * scale * size
            eye = chin + ahead * 0.022 + across + _UP * scale * 0.014 * size
            part.ball(eye, 0.0075 * size * seen, 0.0050 * size * seen, dark, levels=1)
        mouth = chin + ahead * 0.026 - _UP * scale * 0.026 * size
        part.ball(mouth, 0.012 * size * seen, 0.0034 * size * seen, self.ink.ramp((150, 84, 76)), levels=1)

    def back_hair(self, part: Part, centre: Array, ahead: Array, hair: Ramp, size: float) -> None:
        scale, down = self.eye.scale[:, None], -_UP
        style = self.look.hair
        if style in ("medium", "long"):
            drop = 0.075 if style == "medium" else 0.150
            behind = centre - ahead * 0.016
            near = self.sketch.part(self.base + np.where(self.eye.cos < 0.2, 0.26, -0.05))
            near.limb([behind, behind + down * scale * drop * size], [0.056 * size, 0.047 * size], hair)
        elif style == "ponytail":
            knot = centre - ahead * 0.055 + _UP * scale * 0.02
            near = self.sketch.part(self.base + np.where(self.eye.cos < 0.3, 0.27, 0.24))
            near.limb([knot, knot - ahead * 0.022 + down * scale * 0.11], [0.022 * size, 0.014 * size], hair)
        elif style == "bun":
            part.ball(centre - ahead * 0.045 + _UP * scale * 0.058 * size, 0.027 * size, 0.025 * size, hair)

    def hat(self, part: Part, centre: Array, ahead: Array, size: float, side: Array) -> None:
        ramp = self.ink.ramp(COLOURS[self.look.hat_colour])
        scale = self.eye.scale[:, None]
        crown = centre + _UP * scale * 0.036 * size
        part.ball(crown, side * 1.20, 0.047 * size, ramp)
        if self.look.hat == "cap":
            brim = crown - _UP * scale * 0.016 * size
            part.limb(
                [brim + ahead * 0.02, brim + ahead * 0.078], [0.034 * size, 0.024 * size], ramp, levels=2
            )
        elif self.look.hat == "brim":
            part.ball(crown - _UP * scale * 0.022 * size, side * 2.0, 0.018 * size, ramp, levels=2)

    # bags ------------------------------------------------------------

    def bag(self) -> None:
        kind = self.look.bag
        if kind == "none":
            return
        ramp = self.ink.ramp(COLOURS[self.look.bag_colour])
        {"backpack": self.backpack, "shoulder": self.shoulder_bag, "handbag": self.handbag}[kind](ramp)

    def backpack(self, ramp: Ramp) -> None:
        bones, body, eye = self.bones, self.body, self.eye
        spine = bones.neck - bones.pelvis
        back = -(body.deep * self.wide + 0.045)
        high, low = (self.px(bones.pelvis + spine * at + point(0.0, 0.0, back)) for at in (0.86, 0.30))
        width = eye.width(body.shoulder * 0.72, 0.062)
        part = self.sketch.part(self.base + np.where(eye.cos < 0.25, 0.45, -0.45))
        rings = [
            (high + (high - low) * 0.12, width * 0.55),
            (high, width * 0.95),
            (low, width),
            (low - (high - low) * 0.06, width * 0.85),
        ]
        for level, (size, shift) in enumerate(((1.0, 0.0), (0.84, 0.10), (0.50, 0.28))):
            part.fill(_outline(rings, size, shift * eye.light), ramp[level])
        pocket = [(high * 0.45 + low * 0.55, width * 0.66), (low * 0.9 + high * 0.1, width * 0.66)]
        part.fill(_outline(pocket, 1.0, 0.0), ramp[0])
        part.fill(_outline(pocket, 0.88, 0.0), ramp[1])
        straps = self.sketch.part(self.base + np.where(eye.cos > -0.2, 0.2, -0.5))
        for sign in (-1.0, 1.0):
            top = self.px(bones.neck + point(sign * body.shoulder * 0.60, -0.025, 0.0))
            end = self.px(bones.pelvis + spine * 0.42 + point(sign * body.shoulder * 0.70, 0.0, body.deep))
            straps.limb([top, end], [0.012, 0.012], ramp, levels=2)

    def shoulder_bag(self, ramp: Ramp) -> None:
        bones, body = self.bones, self.body
        sign = 1.0 if self.look.right_handed else -1.0
        hip = bones.pelvis + point(sign * (body.hip * self.wide + 0.035), -0.01, 0.0)
        collar = bones.neck + point(-sign * body.shoulder * 0.55, -0.03, 0.0)
        near = np.where(self.eye.depth(hip - bones.pelvis) > -0.03, 0.75, -0.75)
        strap = self.sketch.part(self.base + 0.3)
        for z in (0.85, -0.85):  # over chest and back; the hidden one is narrowed to nothing
            seen = np.where(z * self.eye.cos > -0.15, 1.0, 0.0)[:, None]
            a, b = (self.px(p + point(0.0, 0.0, z * body.deep * self.wide)) for p in (collar, hip))
            strap.limb([a, a * (1 - seen) + b * seen], [0.0085, 0.0085], ramp, levels=1)
        self.sack(hip, ramp, near, 0.062, 0.085)

    def handbag(self, ramp: Ramp) -> None:
        side = LEFT if self.look.right_handed else RIGHT
        elbow, wrist = self.bones.elbows[side], self.bones.wrists[side]
        crook = elbow * 0.55 + wrist * 0.45
        near = np.where(self.eye.depth(crook - self.bones.pelvis) > -0.03, 0.75, -0.75)
        strap = self.sketch.part(self.base + near)
        bag = crook - point(0.0, 0.11, 0.0)
        strap.limb([self.px(crook), self.px(bag)], [0.008, 0.03], ramp, levels=1)
        self.sack(bag, ramp, near + 0.01, 0.058, 0.070)

    def sack(self, middle: Array, ramp: Ramp, near: Array, wide: float, high: float) -> None:
        """A soft bag hanging at a point; its long side along the way of the person."""
        width = self.eye.width(0.026, wide)
        top, low = self.px(middle + point(0.0, high / 2, 0.0)), self.px(middle - point(0.0, high / 2, 0.0))
        rings = [(top, width * 0.82), (top * 0.4 + low * 0.6, width), (low, width * 0.88)]
        part = self.sketch.part(self.base + near)
        for level, (size, shift) in enumerate(((1.0, 0.0), (0.84, 0.10), (0.50, 0.26))):
            part.fill(_outline(rings, size, shift * self.eye.light), ramp[level])


def _outline(rings: list[tuple[Array, Array]], size: float, shift: float) -> Array:
    """Polygon ``(F, 2R, 2)`` down the left and up the right of a row of rings, shrunk and moved sideways."""
    left = [centre + np.stack([half * (shift - size), np.zeros_like(half)], axis=1) for centre, half in rings]
    right = [
        centre + np.stack([half * (shift + size), np.zeros_like(half)], axis=1) for centre, half in rings
    ]
    return np.stack(left + right[::-1], axis=1)


def _band(
    rings: list[tuple[Array, Array]],
    top: float,
    low: float,
    left: Array | float,
    right: Array | float,
    size: float,
) -> Array:
    """Polygon on the trunk between two heights (0 collar ... 1 hem) and two sides (-1 ... 1 of the width there)."""
    count = len(rings) - 1
    inner = [at / count for at in range(1, count) if top < at / count < low]
    heights = [top, *inner, low]
    left, right = np.clip(left, -size, size), np.clip(right, -size, size)
    sides: tuple[list[Array], list[Array]] = ([], [])
    for height in heights:
        place = min(int(height * count), count - 1)
        part = height * count - place
        (c0, w0), (c1, w1) = rings[place], rings[place + 1]
        centre, half = c0 * (1 - part) + c1 * part, w0 * (1 - part) + w1 * part
        for points, turn in zip(sides, (left, right), strict=True):
            points.append(centre + np.stack([half * turn, np.zeros_like(half)], axis=1))
    return np.stack(sides[0] + sides[1][::-1], axis=1)
