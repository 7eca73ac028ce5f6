"""Six places where people walk, painted once for each camera: seen whole, or through a window that moves along."""

from collections.abc import Callable, Mapping
from itertools import product

import numpy as np

from reidar_plugin.synthped.seeded_random import Array
from reidar_plugin.synthped.street.camera import STYLES, Camera
from reidar_plugin.synthped.street.objects import Street
from reidar_plugin.synthped.street.painting import Canvas, loop_canvas

__all__ = ["Scene", "paint_place", "paint_scene"]


class Scene:
    """The painted background of a camera: a closed loop, so that people can walk on for ever.

    Args:
        image: uint8 ``(H', W', 3)`` BGR, with ``H' = 1.25 H`` and the first ``W`` columns repeated at the end.
        window: size ``(H, W)`` of what is seen at a time.
    """

    def __init__(self, image: Array, window: tuple[int, int]) -> None:
        self._height, self._width = window
        self._length = image.shape[1] - self._width
        self._image = image
        self._margin = (image.shape[0] - self._height) // 2

    def copy_to(self, image: Array, x: int, y: int) -> None:
        """Fill an image with the window at pixel (x, y); y = 0 has the ground at its usual height."""
        top = min(max(self._margin + y, 0), 2 * self._margin)
        left = x % self._length
        np.copyto(image, self._image[top : top + self._height, left : left + self._width])


def paint_scene(camera: Camera, seed: int, window: tuple[int, int]) -> Scene:
    """Paint what a camera sees through windows of this height and width."""
    loop = paint_place(camera, seed, loop_canvas(camera, window[0]))
    return Scene(np.concatenate([loop, loop[:, : window[1]]], axis=1), window)


def paint_place(camera: Camera, seed: int, canvas: Canvas) -> Array:
    """Paint the place of a camera, uint8 ``(H, W, 3)`` BGR."""
    place = _Place(camera, seed, canvas)
    _STYLES[camera.style](place)
    return place.finish()


class _Place(Street):
    def shops(self) -> None:
        self.wall(self.random.choice(((150, 96, 78), (172, 150, 124), (128, 122, 118))), bricks=True)
        colours = ((128, 44, 46), (46, 76, 112), (60, 92, 70), (196, 164, 90), (92, 70, 104))
        for x in self.along(1.05, 1.45):
            rgb = self.random.choice(colours)
            self.window_frame(x + 0.04, 0.12, 0.52, 0.48, (222, 218, 208))
            self.door(x + 0.66, self.random.choice(((70, 58, 48), (60, 78, 92), (112, 60, 50))))
            self.rect(x, 0.70, x + 1.0, 0.83, rgb)
            self.rect(x + 0.14, 0.745, x + 0.14 + self.random.uniform(0.25, 0.6), 0.785, (232, 226, 206))
            for stripe in range(10):
                self.rect(x + 0.06 * stripe, 0.60, x + 0.06 * stripe + 0.03, 0.69, rgb, 1.1)
                self.rect(x + 0.06 * stripe + 0.03, 0.60, x + 0.06 * stripe + 0.06, 0.69, (232, 228, 218))
        self.ground((168, 162, 154), 0.22)
        self.stains(60)

    def facade(self) -> None:
        wall = self.random.choice(((190, 178, 156), (176, 172, 168), (162, 140, 116), (142, 152, 160)))
        self.wall(wall, bricks=False)
        for x in self.along(0.62, 0.80):
            if self.random.happens(0.2):
                self.door(x + 0.1, self.random.choice(((84, 64, 50), (70, 88, 84))))
            else:
                self.window_frame(x + 0.06, 0.30, 0.34, 0.44, (218, 214, 206))
            self.rect(x - 0.012, 0, x + 0.012, 1.4, wall, 0.86)
        self.rect(0, 0.16, self.length, 0.18, wall, 0.8)
        self.ground((150, 148, 146), 0.30)
        self.stains(50)

    def park(self) -> None:
        top = self.back / self.unit
        for strip in range(12):
            sky = (150 + 3 * strip, 168 + 3 * strip, 172 + 4 * strip)
            self.rect(0, top * strip / 12, self.length, top * (strip + 1) / 12, sky)
        for x in self.along(0.25, 0.5):
            self.foliage(x, 0.46, 0.28, 0.22, 40)
        for strip in range(10):
            low, high = 0.20 * (9 - strip) / 10, 0.20 * (10 - strip) / 10
            self.rect(0, low, self.length, high, (104, 128, 72), 0.85 + 0.02 * strip)
        for _ in range(700):
            x, y = self.random.uniform(0, self.length), self.random.uniform(0, 0.2)
            self.blob(x, y, 0.012, 0.003, (120, 142, 80), self.random.uniform(0.75, 1.1))
        for x in self.along(0.9, 1.5):
            self.tree(x, self.random.uniform(0.8, 1.2))
        self.ground((176, 160, 136), 0.0)
        self.rect(0, -0.012, self.length, 0.004, (120, 110, 96))
        self.stains(140)

    def plaza(self) -> None:
        self.wall((168, 166, 164), bricks=False)
        for x in self.along(0.5, 0.56):
            self.rect(x, 0.0, x + 0.42, 1.4, (104, 120, 130), 0.9)
            for floor in range(5):
                low, high = 0.04 + 0.26 * floor, 0.26 + 0.26 * floor
                for left, right in ((0.02, 0.20), (0.22, 0.40)):
                    gain = self.random.uniform(0.8, 1.25)
                    self.rect(x + left, low, x + right, high, (88, 108, 122), gain)
        for x in self.along(1.2, 2.0):
            self.rect(x, 0.0, x + 0.5, 0.11, (140, 132, 122))
            self.foliage(x + 0.25, 0.19, 0.25, 0.10, 40)
        self.ground((186, 178, 166), 0.42, joints=0.80)
        self.stains(60)

    def road(self) -> None:
        self.wall(self.random.choice(((150, 142, 132), (160, 120, 100))), bricks=True)
        for x in self.along(0.9, 1.3):
            self.window_frame(x, 0.52, 0.36, 0.40, (210, 206, 198))
        self.rect(0, 0.07, self.length, 0.16, (164, 160, 154))
        self.rect(0, 0.0, self.length, 0.085, (92, 92, 96))
        for x in self.along(1.5, 2.6):
            self.car(x)
        self.ground((94, 94, 98), 0.0)
        for x in np.arange(0.0, self.length, 0.7):
            self.rect(x, -0.075, x + 0.38, -0.06, (206, 204, 196))
        self.stains(120)

    def fence(self) -> None:
        top = self.back / self.unit
        self.rect(0, 0.3, self.length, top, (176, 186, 192))
        for x in self.along(0.8, 1.3):
            high = self.random.uniform(0.55, 0.95)
            self.rect(x, 0.2, x + 0.7, high, (150, 142, 136), self.random.uniform(0.9, 1.1))
            for row, column in product(range(4), range(5)):
                left, right = x + 0.05 + 0.13 * column, x + 0.12 + 0.13 * column
                self.rect(left, 0.32 + 0.15 * row, right, 0.40 + 0.15 * row, (92, 102, 112))
        self.hedge(0.30)
        for x in np.arange(0.0, self.length, 0.055):
            self.rect(x, 0.0, x + 0.010, 0.42, (62, 66, 68))
        for y in (0.07, 0.38):
            self.rect(0, y, self.length, y + 0.014, (62, 66, 68))
        self.ground((158, 154, 148), 0.26)
        self.stains(60)


_STYLES: Mapping[str, Callable[[_Place], None]] = {style: getattr(_Place, style) for style in STYLES}
