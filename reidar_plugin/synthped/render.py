"""From script to pictures: the set of a camera, the actors on it, and the lens before it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from .actor import stage_actor
from .camera import Camera, Lens, install
from .canvas import FEET
from .dice import Array, Dice
from .direct import Extra, Role, Script, direct
from .plan import Plan, Shot
from .plants import plant_leaves
from .scenery import Scene, paint_scene
from .sketch import Eye, Ink, Part, Sketch, paint

__all__ = ["Studio"]


class Studio:
    """Draws the shots of a plan. Sets and lenses are made once for each camera, when first needed."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._sets = [_Set(camera, plan.seed, plan.size) for camera in install(plan.seed, plan.cameras)]

    def script(self, shot: Shot) -> Script:
        """What happens in a shot."""
        return direct(self.plan, shot, self._sets[shot.camera - 1].camera)

    def pictures(self, shot: Shot, script: Script) -> Iterator[Array]:
        """The frames of a shot, uint8 ``(H, W, 3)`` BGR."""
        stage = self._sets[shot.camera - 1]
        grains = Dice(self.plan.seed, "grain", shot.split, shot.key).uniform(0, 256, size=4 * shot.length)
        return stage.film(script, grains.astype(int).reshape(-1, 4))

    def encode(self, shot: Shot, picture: Array) -> bytes:
        """A frame as a JPEG file."""
        quality = self._sets[shot.camera - 1].camera.quality
        return cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, quality))[1].tobytes()


@dataclass
class _Layer:
    """Parts of one figure or thing, and their order in each frame."""

    parts: list[Part]
    order: list[list[int]]
    feet: Array | None = None  #: where its shadow falls, ``(F, 2)`` whole pixels
    wide: Array | None = None  #: width of the shadow


class _Set:
    def __init__(self, camera: Camera, seed: int, size: tuple[int, int]) -> None:
        self.camera, self._seed, self._size = camera, seed, size
        self._height, self._width = 2 * size[0], 2 * size[1]  # of the canvas

    @cached_property
    def _scene(self) -> Scene:
        return paint_scene(self.camera, self._seed, (self._height, self._width))

    @cached_property
    def _lens(self) -> Lens:
        return Lens(self.camera, self._size, self._seed)

    @cached_property
    def _shadow(self) -> Array:
        """A soft dark disc to take away from the ground, ``(h, w, 3)`` uint8."""
        high, wide = max(4, int(self._height * 0.055)), max(8, int(self._height * 0.42))
        y, x = np.mgrid[0:high, 0:wide]
        far = ((x * 2 + 1 - wide) / wide) ** 2 + ((y * 2 + 1 - high) / high) ** 2
        return np.repeat((np.clip(1.0 - far, 0, 1) * 38).astype(np.uint8)[..., None], 3, axis=2)

    def film(self, script: Script, grains: Array) -> Iterator[Array]:
        ink = Ink(self.camera.grade(), script.exposure)
        layers = [self._figure(role, ink) for role in script.behind]
        cast = sorted(script.cast, key=lambda role: float(role.y[0]))
        layers += [self._figure(role, ink) for role in cast]
        layers += [self._figure(x, ink) if isinstance(x, Role) else self._thing(x, ink) for x in script.front]
        window_x = (script.window_x * self._height).astype(int)
        window_y = (script.window_y * self._height).astype(int)
        canvas = np.empty((self._height, self._width, 3), np.uint8)
        for frame in range(len(grains)):
            self._scene.copy_to(canvas, int(window_x[frame]), int(window_y[frame]))
            for layer in layers:
                if layer.feet is not None:
                    self._darken(canvas, *layer.feet[frame])
                paint(canvas, layer.parts, layer.order[frame], frame)
            yield self._lens.picture(canvas, grains[frame])

    def _figure(self, role: Role, ink: Ink) -> _Layer:
        height = self._height
        ground = np.stack([self._width / 2 + role.x * height, (FEET + role.y) * height], axis=1)
        eye = Eye(role.heading, self.camera.pitch, role.tall * height, ground, self.camera.light)
        sketch = stage_actor(role.look, role.motion, eye, ink)
        return _Layer(sketch.parts, sketch.order(), feet=ground.astype(int))

    def _thing(self, thing: Extra, ink: Ink) -> _Layer:
        frames, height = len(thing.x), self._height
        foot = np.stack([self._width / 2 + thing.x * height, np.full(frames, 1.03 * height)], axis=1)
        eye = Eye(np.zeros(frames), 0.0, np.full(frames, float(height)), foot, self.camera.light)
        sketch = Sketch(eye)
        part = sketch.part(0.0)
        if thing.kind == "pole":
            top = foot - np.array([0.0, 1.3 * height])
            part.limb([foot, top], [thing.wide, thing.wide], ink.ramp((112, 116, 116)))
        else:
            leaves, shades = plant_leaves(Dice(self._seed, "plant", thing.seed), 130)
            for leaf, shade in zip(leaves, shades, strict=True):
                points = foot[:, None] + leaf * np.array([2.2 * thing.wide, thing.high]) * height
                part.fill(points, ink.colour((78, 108, 62), shade))
        return _Layer(sketch.parts, sketch.order())

    def _darken(self, canvas: Array, x: int, y: int) -> None:
        high, wide = self._shadow.shape[:2]
        left, top = x - wide // 2, y - high // 2
        x0, y0 = max(left, 0), max(top, 0)
        x1, y1 = min(left + wide, self._width), min(top + high, self._height)
        if x0 < x1 and y0 < y1:
            patch = canvas[y0:y1, x0:x1]
            cv2.subtract(patch, self._shadow[y0 - top : y1 - top, x0 - left : x1 - left], dst=patch)
