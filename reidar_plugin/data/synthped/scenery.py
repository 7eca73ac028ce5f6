"""Where people walk: a street, a park, a plaza, painted once for each camera and seen through a moving window."""

import cv2
import numpy as np

from .camera import Camera
from .dice import Array, Dice, turn_sin
from .sketch import Ink

__all__ = ["FEET", "Scene", "paint_scene", "plant_leaves"]

FEET = 0.93
"""Height of the line where people stand, as a part of the picture."""

RGB = tuple[int, int, int]


class Scene:
    """The painted background of a camera, a closed ring so that one can walk on for ever.

    Args:
        image: uint8 ``(H', W', 3)`` BGR with ``H' = 1.25 H`` and a ring width of ``W' - W`` for windows ``(H, W)``.
        window: size ``(H, W)`` of a canvas.
    """

    def __init__(self, image: Array, window: tuple[int, int]) -> None:
        self._height, self._width = window
        self.ring = image.shape[1] - self._width
        self._image = image
        self._margin = (image.shape[0] - self._height) // 2

    def copy_to(self, canvas: Array, x: int, y: int) -> None:
        """Fill the canvas with the window at (x, y); y = 0 has the ground at its usual height."""
        top = min(max(self._margin + y, 0), 2 * self._margin)
        left = x % self.ring
        np.copyto(canvas, self._image[top : top + self._height, left : left + self._width])


def paint_scene(camera: Camera, seed: int, window: tuple[int, int]) -> Scene:
    """The scene of a camera for canvases of ``window`` pixels."""
    return Scene(_Painter(camera, seed, window).paint(), window)


class _Painter:
    def __init__(self, camera: Camera, seed: int, window: tuple[int, int]) -> None:
        height, width = window
        self.unit = height  # all lengths are parts of a canvas height
        self.width = 7 * height
        self.image = np.zeros((height + 2 * (height // 8), self.width, 3), np.uint8)
        self.camera, self.dice = camera, Dice(seed, "scene", camera.number)
        self.ink = Ink(camera.grade())
        self.feet = height // 8 + FEET * height
        self.tilt = float(turn_sin(camera.pitch))
        self.back = self.feet - height * (0.10 + 0.55 * self.tilt)  # where the pavement ends
        self.window = width

    def paint(self) -> Array:
        {"shops": self.shops, "park": self.park, "facade": self.facade, "plaza": self.plaza, "road": self.road,
         "fence": self.fence}[self.camera.style]()  # fmt: skip
        self.grain()
        image = cv2.GaussianBlur(self.image, (5, 5), 1.1)
        return np.concatenate([image, image[:, : self.window]], axis=1)

    # strokes in parts of the canvas height; y counts up from the line where the pavement ends ----------

    def rect(self, x0: float, y0: float, x1: float, y1: float, rgb: RGB, gain: float = 1.0) -> None:
        """A rectangle, and once more a ring further where it passes the end."""
        left, right = int(x0 * self.unit), int(x1 * self.unit)
        top, low = int(self.back - y1 * self.unit), int(self.back - y0 * self.unit)
        for ring in (0, self.width, -self.width):
            if right + ring >= 0 and left + ring < self.width:
                cv2.rectangle(
                    self.image, (left + ring, top), (right + ring, low), self.ink.colour(rgb, gain), -1
                )

    def blob(self, x: float, y: float, rx: float, ry: float, rgb: RGB, gain: float = 1.0) -> None:
        axes = (max(1, int(rx * self.unit)), max(1, int(ry * self.unit)))
        centre = (int(x * self.unit), int(self.back - y * self.unit))
        for ring in (0, self.width, -self.width):
            cv2.ellipse(
                self.image, (centre[0] + ring, centre[1]), axes, 0, 0, 360, self.ink.colour(rgb, gain), -1
            )

    @property
    def ring(self) -> float:
        return self.width / self.unit

    def along(self, low: float, high: float) -> list[float]:
        """Places along the ring with gaps between low and high."""
        places, at = [], self.dice.uniform(0.0, low)
        while at < self.ring - low * 0.6:
            places.append(at)
            at += self.dice.uniform(low, high)
        return places

    # grounds ------------------------------------------------------------

    def ground(self, rgb: RGB, tile: float, joints: float = 0.88) -> None:
        """Pavement with joints that close up towards the back, lighter in the distance."""
        low = (self.image.shape[0] - self.back) / self.unit
        for step in range(24):
            y0, y1 = low * step / 24, low * (step + 1) / 24
            self.rect(0, -y1, self.ring, -y0, rgb, 1.04 - 0.10 * step / 24)
        if not tile:
            return
        colour = self.ink.colour(rgb, joints)
        depth, row = 0.0, 0
        while depth < low:
            y = int(self.back + depth * self.unit)
            cv2.line(self.image, (0, y), (self.width, y), colour, 1 + int(depth * 4))
            step = tile * (0.18 + 0.75 * self.tilt) * (0.7 + 1.6 * depth)
            for at in np.arange(0.0, self.ring, tile):
                x = int((at + (row % 2) * tile / 2) * self.unit)
                cv2.line(
                    self.image,
                    (x, y),
                    (x - int(step * 0.3 * self.unit), int(y + step * self.unit)),
                    colour,
                    1 + int(depth * 4),
                )
            depth, row = depth + step, row + 1

    def stains(self, count: int) -> None:
        for _ in range(count):
            x, y = self.dice.uniform(0, self.ring), -self.dice.uniform(0.02, 0.45)
            self.shade(x, y, self.dice.uniform(0.03, 0.16), self.dice.uniform(0.008, 0.03), 0.93)

    def shade(self, x: float, y: float, rx: float, ry: float, gain: float) -> None:
        """Darken (or lighten) an ellipse of what is painted."""
        left, right = int((x - rx) * self.unit), int((x + rx) * self.unit) + 1
        top, low = int(self.back - (y + ry) * self.unit), int(self.back - (y - ry) * self.unit) + 1
        left, top = max(left, 0), max(top, 0)
        patch = self.image[top:low, left:right]
        if not patch.size:
            return
        mask = np.zeros(patch.shape[:2], np.uint8)
        centre = (patch.shape[1] // 2, patch.shape[0] // 2)
        cv2.ellipse(mask, centre, (max(1, centre[0]), max(1, centre[1])), 0, 0, 360, 1, -1)
        patch[mask > 0] = np.minimum(patch[mask > 0] * gain, 255).astype(np.uint8)

    def grain(self) -> None:
        """Uneven light over all surfaces: fine grit and slow clouds."""
        rows, columns = self.image.shape[:2]
        total = np.zeros((rows, columns), np.int16)
        for cells, depth in ((5, 9), (24, 8), (110, 7)):
            high, wide = max(2, rows * cells // self.unit), max(2, columns * cells // self.unit)
            field = self.dice.uniform(0, 2 * depth, size=high * wide).reshape(high, wide).astype(np.uint8)
            total += (
                cv2.resize(field, (columns, rows), interpolation=cv2.INTER_LINEAR_EXACT).astype(np.int16)
                - depth
            )
        self.image = np.clip(self.image.astype(np.int16) + total[..., None], 0, 255).astype(np.uint8)

    # what stands behind ------------------------------------------------------------

    def wall(self, rgb: RGB, bricks: bool) -> None:
        top = self.back / self.unit
        self.rect(0, 0, self.ring, top, rgb)
        if bricks:
            high, wide = 0.024, 0.085
            for row in range(int(top / high) + 1):
                self.rect(0, row * high, self.ring, row * high + 0.002, rgb, 0.86)
                for at in np.arange((row % 2) * wide / 2, self.ring, wide):
                    if self.dice.chance(0.25):
                        self.rect(
                            at,
                            row * high + 0.004,
                            at + wide - 0.006,
                            row * high + high - 0.002,
                            rgb,
                            self.dice.uniform(0.86, 1.10),
                        )
                    self.rect(at, row * high, at + 0.002, (row + 1) * high, rgb, 0.88)
        self.rect(0, 0, self.ring, 0.05, rgb, 0.74)

    def window_frame(self, x: float, y: float, wide: float, high: float, frame: RGB) -> None:
        glass = (74, 90, 104)
        self.rect(x - 0.02, y - 0.03, x + wide + 0.02, y + high + 0.02, frame, 0.95)
        for strip in range(8):
            self.rect(
                x, y + high * strip / 8, x + wide, y + high * (strip + 1) / 8, glass, 0.75 + 0.07 * strip
            )
        if self.dice.chance(0.5):
            self.rect(x, y, x + wide * self.dice.uniform(0.15, 0.4), y + high, (196, 190, 176), 0.85)
        self.rect(x + wide / 2 - 0.006, y, x + wide / 2 + 0.006, y + high, frame)
        self.rect(x, y + high * 0.62, x + wide, y + high * 0.62 + 0.01, frame)
        self.rect(x - 0.03, y - 0.045, x + wide + 0.03, y - 0.025, frame, 0.8)

    def door(self, x: float, rgb: RGB) -> None:
        self.rect(x - 0.02, 0, x + 0.30, 0.72, (200, 196, 188), 0.8)
        self.rect(x, 0, x + 0.28, 0.70, rgb)
        for y in (0.06, 0.38):
            self.rect(x + 0.04, y, x + 0.24, y + 0.26, rgb, 0.82)
            self.rect(x + 0.05, y + 0.01, x + 0.23, y + 0.25, rgb, 0.93)
        self.rect(x + 0.245, 0.33, x + 0.26, 0.36, (214, 196, 120))

    def tree(self, x: float, size: float) -> None:
        bark = (88, 72, 58)
        self.rect(x - 0.035 * size, 0, x + 0.035 * size, 0.8, bark)
        self.rect(x - 0.035 * size, 0, x - 0.012 * size, 0.8, bark, 0.72)
        self.foliage(x, 0.86, 0.34 * size, 0.30 * size, 60)

    def foliage(self, x: float, y: float, rx: float, ry: float, leaves: int) -> None:
        """A crown: dark clumps below, lit ones above."""
        green = self.dice.pick(((72, 98, 58), (84, 104, 60), (62, 90, 66)))
        for leaf in range(leaves):
            dx, dy = self.dice.uniform(-1, 1), self.dice.uniform(-1, 1)
            if dx * dx + dy * dy > 1:
                continue
            gain = 0.62 + 0.45 * leaf / leaves + 0.14 * dy
            self.blob(x + dx * rx, y + dy * ry, rx * 0.20, ry * 0.17, green, gain)

    def hedge(self, high: float) -> None:
        self.rect(0, 0, self.ring, high, (58, 78, 50), 0.8)
        for _ in range(int(self.ring * 130)):
            y = self.dice.uniform(0.0, high)
            self.blob(self.dice.uniform(0, self.ring), y, 0.028, 0.020, (74, 98, 58), 0.7 + 0.5 * y / high)

    def car(self, x: float) -> None:
        rgb = self.dice.pick(
            ((150, 40, 44), (48, 66, 104), (190, 192, 194), (58, 60, 64), (226, 226, 224), (86, 100, 92))
        )
        self.shade(x + 0.55, -0.005, 0.60, 0.03, 0.55)
        self.rect(x + 0.02, 0.06, x + 1.08, 0.24, rgb)
        self.rect(x, 0.09, x + 1.10, 0.20, rgb)
        self.rect(x + 0.02, 0.06, x + 1.08, 0.10, rgb, 0.7)
        cabin = np.array([(0.16, 0.24), (0.30, 0.40), (0.78, 0.40), (0.95, 0.24)])
        glass = np.array([(0.22, 0.25), (0.33, 0.375), (0.75, 0.375), (0.88, 0.25)])
        for shape, colour in ((cabin, self.ink.colour(rgb, 0.95)), (glass, self.ink.colour((62, 74, 84)))):
            points = np.stack(
                [(shape[:, 0] + x) * self.unit, self.back - shape[:, 1] * self.unit], axis=1
            ).astype(np.int32)
            cv2.fillConvexPoly(self.image, points, colour)
        self.rect(x + 0.53, 0.07, x + 0.545, 0.40, rgb, 0.8)
        for wheel in (0.22, 0.88):
            self.blob(x + wheel, 0.065, 0.085, 0.085, (36, 36, 38))
            self.blob(x + wheel, 0.065, 0.045, 0.045, (136, 138, 142))

    # the six styles ------------------------------------------------------------

    def shops(self) -> None:
        self.wall(self.dice.pick(((150, 96, 78), (172, 150, 124), (128, 122, 118))), bricks=True)
        colours = ((128, 44, 46), (46, 76, 112), (60, 92, 70), (196, 164, 90), (92, 70, 104))
        for x in self.along(1.05, 1.45):
            rgb = self.dice.pick(colours)
            self.window_frame(x + 0.04, 0.12, 0.52, 0.48, (222, 218, 208))
            self.door(x + 0.66, self.dice.pick(((70, 58, 48), (60, 78, 92), (112, 60, 50))))
            self.rect(x, 0.70, x + 1.0, 0.83, rgb)
            self.rect(x + 0.14, 0.745, x + 0.14 + self.dice.uniform(0.25, 0.6), 0.785, (232, 226, 206))
            for stripe in range(10):
                self.rect(x + 0.06 * stripe, 0.60, x + 0.06 * stripe + 0.03, 0.69, rgb, 1.1)
                self.rect(x + 0.06 * stripe + 0.03, 0.60, x + 0.06 * stripe + 0.06, 0.69, (232, 228, 218))
        self.ground((168, 162, 154), 0.22)
        self.stains(60)

    def facade(self) -> None:
        wall = self.dice.pick(((190, 178, 156), (176, 172, 168), (162, 140, 116), (142, 152, 160)))
        self.wall(wall, bricks=False)
        for x in self.along(0.62, 0.80):
            if self.dice.chance(0.2):
                self.door(x + 0.1, self.dice.pick(((84, 64, 50), (70, 88, 84))))
            else:
                self.window_frame(x + 0.06, 0.30, 0.34, 0.44, (218, 214, 206))
            self.rect(x - 0.012, 0, x + 0.012, 1.4, wall, 0.86)
        self.rect(0, 0.16, self.ring, 0.18, wall, 0.8)
        self.ground((150, 148, 146), 0.30)
        self.stains(50)

    def park(self) -> None:
        top = self.back / self.unit
        for strip in range(12):
            self.rect(
                0,
                top * strip / 12,
                self.ring,
                top * (strip + 1) / 12,
                (150 + 3 * strip, 168 + 3 * strip, 172 + 4 * strip),
            )
        for x in self.along(0.25, 0.5):
            self.foliage(x, 0.46, 0.28, 0.22, 40)
        for strip in range(10):
            self.rect(
                0,
                0.20 * (9 - strip) / 10,
                self.ring,
                0.20 * (10 - strip) / 10,
                (104, 128, 72),
                0.85 + 0.02 * strip,
            )
        for _ in range(700):
            self.blob(
                self.dice.uniform(0, self.ring),
                self.dice.uniform(0, 0.2),
                0.012,
                0.003,
                (120, 142, 80),
                self.dice.uniform(0.75, 1.1),
            )
        for x in self.along(0.9, 1.5):
            self.tree(x, self.dice.uniform(0.8, 1.2))
        self.ground((176, 160, 136), 0.0)
        self.rect(0, -0.012, self.ring, 0.004, (120, 110, 96))
        self.stains(140)

    def plaza(self) -> None:
        self.wall((168, 166, 164), bricks=False)
        for x in self.along(0.5, 0.56):
            self.rect(x, 0.0, x + 0.42, 1.4, (104, 120, 130), 0.9)
            for floor in range(5):
                self.rect(
                    x + 0.02,
                    0.04 + 0.26 * floor,
                    x + 0.20,
                    0.26 + 0.26 * floor,
                    (88, 108, 122),
                    self.dice.uniform(0.8, 1.25),
                )
                self.rect(
                    x + 0.22,
                    0.04 + 0.26 * floor,
                    x + 0.40,
                    0.26 + 0.26 * floor,
                    (88, 108, 122),
                    self.dice.uniform(0.8, 1.25),
                )
        for x in self.along(1.2, 2.0):
            self.rect(x, 0.0, x + 0.5, 0.11, (140, 132, 122))
            self.foliage(x + 0.25, 0.19, 0.25, 0.10, 40)
        self.ground((186, 178, 166), 0.42, joints=0.80)
        self.stains(60)

    def road(self) -> None:
        self.wall(self.dice.pick(((150, 142, 132), (160, 120, 100))), bricks=True)
        for x in self.along(0.9, 1.3):
            self.window_frame(x, 0.52, 0.36, 0.40, (210, 206, 198))
        self.rect(0, 0.07, self.ring, 0.16, (164, 160, 154))
        self.rect(0, 0.0, self.ring, 0.085, (92, 92, 96))
        for x in self.along(1.5, 2.6):
            self.car(x)
        self.ground((94, 94, 98), 0.0)
        for x in np.arange(0.0, self.ring, 0.7):
            self.rect(x, -0.075, x + 0.38, -0.06, (206, 204, 196))
        self.stains(120)

    def fence(self) -> None:
        top = self.back / self.unit
        self.rect(0, 0.3, self.ring, top, (176, 186, 192))
        for x in self.along(0.8, 1.3):
            high = self.dice.uniform(0.55, 0.95)
            self.rect(x, 0.2, x + 0.7, high, (150, 142, 136), self.dice.uniform(0.9, 1.1))
            for row in range(4):
                for column in range(5):
                    self.rect(
                        x + 0.05 + 0.13 * column,
                        0.32 + 0.15 * row,
                        x + 0.12 + 0.13 * column,
                        0.40 + 0.15 * row,
                        (92, 102, 112),
                    )
        self.hedge(0.30)
        for x in np.arange(0.0, self.ring, 0.055):
            self.rect(x, 0.0, x + 0.010, 0.42, (62, 66, 68))
        for y in (0.07, 0.38):
            self.rect(0, y, self.ring, y + 0.014, (62, 66, 68))
        self.ground((158, 154, 148), 0.26)
        self.stains(60)


def plant_leaves(dice: Dice, leaves: int) -> tuple[Array, list[float]]:
    """Leaf outlines of a bush round its foot, ``(L, 6, 2)`` in parts of its height (y down), and a shade for each."""
    outlines, shades = [], []
    for leaf in range(leaves):
        x, y = dice.uniform(-0.42, 0.42), -dice.uniform(0.05, 0.95)
        tilt, long = dice.uniform(-0.6, 0.6), dice.uniform(0.10, 0.18)
        dx, dy = tilt * long, -long
        px, py = -dy * 0.28, dx * 0.28
        steps = ((0, 0), (dx * 0.4 + px, dy * 0.4 + py), (dx, dy), (dx * 0.4 - px, dy * 0.4 - py))
        outlines.append([(x + a, y + b) for a, b in steps])
        shades.append(0.6 + 0.5 * leaf / leaves)
    return np.array(outlines), shades
