"""From scripts to pictures: the background, the people, what is before them, and the lens."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from reidar_plugin.synthped.choreography import write_script
from reidar_plugin.synthped.drawing.colours import CameraColours
from reidar_plugin.synthped.drawing.sketch import Part, paint
from reidar_plugin.synthped.drawing.view import View
from reidar_plugin.synthped.people.person import draw_person
from reidar_plugin.synthped.plan import Plan, Shot
from reidar_plugin.synthped.script import Obstacle, Role, Script
from reidar_plugin.synthped.seeded_random import Array, SeededRandom
from reidar_plugin.synthped.street.camera import Camera, Lens, make_cameras
from reidar_plugin.synthped.street.foreground import draw_bush, draw_pole
from reidar_plugin.synthped.street.painting import FEET
from reidar_plugin.synthped.street.scenery import Scene, paint_scene
from reidar_plugin.synthped.street.shadow import lay_shadow, soft_shadow

__all__ = ["Renderer"]


class Renderer:
    """Draws the tracklets of a plan. The background of a camera is painted once, when it is first needed.

    Args:
        plan: the set to draw.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._cameras = [
            _CameraRenderer(camera, plan.seed, plan.size) for camera in make_cameras(plan.seed, plan.cameras)
        ]

    def script(self, shot: Shot) -> Script:
        """What happens in a tracklet."""
        return write_script(self.plan, shot, self._cameras[shot.camera - 1].camera)

    def pictures(self, shot: Shot, script: Script) -> Iterator[Array]:
        """The frames of a tracklet, uint8 ``(H, W, 3)`` BGR."""
        grain = SeededRandom(self.plan.seed, "grain", shot.split, shot.key)
        offsets = grain.uniform(0, 256, size=4 * shot.length).astype(int).reshape(-1, 4)
        return self._cameras[shot.camera - 1].pictures(script, offsets)

    def encode(self, shot: Shot, picture: Array) -> bytes:
        """A frame as a JPEG file."""
        quality = self._cameras[shot.camera - 1].camera.quality
        return cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, quality))[1].tobytes()


@dataclass
class _Layer:
    """Parts of one person or thing, and their order in each frame."""

    parts: list[Part]
    order: list[list[int]]
    feet: Array | None = None  #: pixels where the shadow falls, ``(F, 2)`` integers; None for no shadow


class _CameraRenderer:
    """Draws what one camera sees, at twice the size of the pictures."""

    def __init__(self, camera: Camera, seed: int, size: tuple[int, int]) -> None:
        self.camera, self._seed, self._size = camera, seed, size
        self._height, self._width = 2 * size[0], 2 * size[1]

    @cached_property
    def _scene(self) -> Scene:
        return paint_scene(self.camera, self._seed, (self._height, self._width))

    @cached_property
    def _lens(self) -> Lens:
        return Lens(self.camera, self._size, self._seed)

    @cached_property
    def _shadow(self) -> Array:
        return soft_shadow(self._height)

    def pictures(self, script: Script, grain: Array) -> Iterator[Array]:
        colours = CameraColours(self.camera.grade(), script.exposure)
        cast = sorted(script.cast, key=lambda role: float(role.y[0]))  # who is nearer stands lower
        layers = [
            self._obstacle(item, colours) if isinstance(item, Obstacle) else self._person(item, colours)
            for item in (*script.behind, *cast, *script.front)
        ]
        window_x = (script.window_x * self._height).astype(int)
        window_y = (script.window_y * self._height).astype(int)
        image = np.empty((self._height, self._width, 3), np.uint8)
        for frame in range(len(grain)):
            self._scene.copy_to(image, int(window_x[frame]), int(window_y[frame]))
            for layer in layers:
                if layer.feet is not None:
                    lay_shadow(image, self._shadow, *layer.feet[frame])
                paint(image, layer.parts, layer.order[frame], frame)
            yield self._lens.picture(image, grain[frame])

    def _person(self, role: Role, colours: CameraColours) -> _Layer:
        height = self._height
        ground = np.stack([self._width / 2 + role.x * height, (FEET + role.y) * height], axis=1)
        view = View(role.heading, self.camera.pitch, role.tall * height, ground, self.camera.light)
        sketch = draw_person(role.look, role.motion, view, colours)
        return _Layer(sketch.parts, sketch.order(), feet=ground.astype(int))

    def _obstacle(self, thing: Obstacle, colours: CameraColours) -> _Layer:
        frames, height = len(thing.x), self._height
        foot = np.stack([self._width / 2 + thing.x * height, np.full(frames, 1.03 * height)], axis=1)
        view = View(np.zeros(frames), 0.0, np.full(frames, float(height)), foot, self.camera.light)
        if thing.kind == "pole":
            sketch = draw_pole(view, thing.wide, colours)
        else:
            leaves = SeededRandom(self._seed, "plant", thing.seed)
            sketch = draw_bush(view, thing.wide, thing.high, leaves, colours)
        return _Layer(sketch.parts, sketch.order())
