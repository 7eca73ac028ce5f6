"""The pictures of a street camera: the place, the people from far to near, what stands in front, the lens."""

from collections.abc import Iterator

import numpy as np

from reidar_plugin.synthped.drawing.colours import CameraColours
from reidar_plugin.synthped.drawing.sketch import Sketch, paint
from reidar_plugin.synthped.drawing.view import View
from reidar_plugin.synthped.people.person import draw_person
from reidar_plugin.synthped.script import Obstacle, Role
from reidar_plugin.synthped.seeded_random import Array, SeededRandom
from reidar_plugin.synthped.street.camera import Camera, Lens
from reidar_plugin.synthped.street.foreground import draw_bush, draw_pole
from reidar_plugin.synthped.street.scenery import paint_place
from reidar_plugin.synthped.street.shadow import lay_shadow, soft_shadow
from reidar_plugin.synthped.videos.ground import street_canvas
from reidar_plugin.synthped.videos.street import Street
from reidar_plugin.synthped.videos.visits import FILL, Visit

__all__ = ["film"]

_SHADOW_STEP = 16  # pixels between the sizes of shadows


def film(street: Street, camera: Camera) -> Iterator[Array]:
    """The frames of a camera, uint8 ``(H, W, 3)`` BGR; only visits that are going on are held as polygons."""
    height, width = street.size.size
    canvas, left = street_canvas((2 * height, 2 * width))
    place = paint_place(camera, street.seed, canvas)[:, left : left + 2 * width]
    colours = CameraColours(camera.grade())
    lens = Lens(camera, (height, width), street.seed)
    grain = SeededRandom(street.seed, "grain", "street", camera.number)
    offsets = grain.uniform(0, 256, size=4 * street.size.frames).astype(int).reshape(-1, 4)
    thing = _Thing(street.obstacles[camera.number - 1], camera, street.seed, 2 * height, colours)
    waiting = [visit for visit in street.visits if visit.camera == camera.number][::-1]
    here: list[_Figure] = []
    image = np.empty((2 * height, 2 * width, 3), np.uint8)
    for frame in range(street.size.frames):
        here = [each for each in here if frame < each.end]
        while waiting and waiting[-1].start <= frame:
            visit = waiting.pop()
            here += [_Figure(visit, role, camera, 2 * height, colours) for role in visit.cast]
        np.copyto(image, place)
        for each in sorted(here, key=lambda figure: figure.near(frame)):
            each.draw(image, frame)
        thing.draw(image)
        yield lens.picture(image, offsets[frame])


class _Figure:
    """Somebody who is in the picture from ``start`` to before ``end``."""

    def __init__(self, visit: Visit, role: Role, camera: Camera, height: int, colours: CameraColours) -> None:
        self.start, self.end = visit.start, visit.start + len(visit)
        ground = np.stack([role.x, role.y], axis=1) * height
        view = View(role.heading, camera.pitch, role.tall * height, ground, camera.light)
        sketch = draw_person(role.look, role.motion, view, colours)
        self._parts, self._order, self._feet = sketch.parts, sketch.order(), ground.astype(int)
        self._units = (role.tall / FILL * height).astype(int) // _SHADOW_STEP * _SHADOW_STEP
        self._shadows: dict[int, Array] = {}

    def near(self, frame: int) -> int:
        """Who stands lower is nearer."""
        return int(self._feet[frame - self.start, 1])

    def draw(self, image: Array, frame: int) -> None:
        """Draw the person and the shadow, in place."""
        at = frame - self.start
        unit = int(self._units[at])
        if unit not in self._shadows:
            self._shadows[unit] = soft_shadow(unit)
        lay_shadow(image, self._shadows[unit], *self._feet[at])
        paint(image, self._parts, self._order[at], at)


class _Thing:
    """The pole or the bush, which nobody passes in front of: drawn once, and laid over each frame."""

    def __init__(
        self, thing: Obstacle, camera: Camera, seed: int, height: int, colours: CameraColours
    ) -> None:
        foot = np.stack([thing.x * height, np.array([1.02 * height])], axis=1)
        view = View(np.zeros(1), 0.0, np.full(1, float(height)), foot, camera.light)
        self._sketch = _outline(thing, view, seed, colours)

    def draw(self, image: Array) -> None:
        """Draw it, in place."""
        paint(image, self._sketch.parts, self._sketch.order()[0], 0)


def _outline(thing: Obstacle, view: View, seed: int, colours: CameraColours) -> Sketch:
    if thing.kind == "pole":
        return draw_pole(view, thing.wide, colours)
    leaves = SeededRandom(seed, "plant", thing.seed)
    return draw_bush(view, thing.wide, thing.high, leaves, colours)
