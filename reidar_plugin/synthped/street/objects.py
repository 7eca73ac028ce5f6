"""Things that stand along a street: walls, windows, doors, trees, hedges, cars."""

import cv2
import numpy as np

from reidar_plugin.synthped.drawing.colours import RGB
from reidar_plugin.synthped.street.painting import Backdrop

__all__ = ["Street"]


CAR_COLOURS = ((150, 40, 44), (48, 66, 104), (190, 192, 194), (58, 60, 64), (226, 226, 224), (86, 100, 92))


class Street(Backdrop):
    """A background with walls, windows, doors, trees, hedges and cars."""

    def wall(self, rgb: RGB, bricks: bool) -> None:
        """A wall from the pavement to the sky, with bricks or plain."""
        top = self.back / self.unit
        self.rect(0, 0, self.length, top, rgb)
        if bricks:
            high, wide = 0.024, 0.085
            for row in range(int(top / high) + 1):
                self.rect(0, row * high, self.length, row * high + 0.002, rgb, 0.86)
                for at in np.arange((row % 2) * wide / 2, self.length, wide):
                    if self.random.happens(0.25):
                        low, top_of_row = row * high + 0.004, row * high + high - 0.002
                        gain = self.random.uniform(0.86, 1.10)
                        self.rect(at, low, at + wide - 0.006, top_of_row, rgb, gain)
                    self.rect(at, row * high, at + 0.002, (row + 1) * high, rgb, 0.88)
        self.rect(0, 0, self.length, 0.05, rgb, 0.74)

    def window_frame(self, x: float, y: float, wide: float, high: float, frame: RGB) -> None:
        """A window with reflections, perhaps a curtain."""
        glass = (74, 90, 104)
        self.rect(x - 0.02, y - 0.03, x + wide + 0.02, y + high + 0.02, frame, 0.95)
        for strip in range(8):
            low, top = y + high * strip / 8, y + high * (strip + 1) / 8
            self.rect(x, low, x + wide, top, glass, 0.75 + 0.07 * strip)
        if self.random.happens(0.5):
            self.rect(x, y, x + wide * self.random.uniform(0.15, 0.4), y + high, (196, 190, 176), 0.85)
        self.rect(x + wide / 2 - 0.006, y, x + wide / 2 + 0.006, y + high, frame)
        self.rect(x, y + high * 0.62, x + wide, y + high * 0.62 + 0.01, frame)
        self.rect(x - 0.03, y - 0.045, x + wide + 0.03, y - 0.025, frame, 0.8)

    def door(self, x: float, rgb: RGB) -> None:
        """A door with panels."""
        self.rect(x - 0.02, 0, x + 0.30, 0.72, (200, 196, 188), 0.8)
        self.rect(x, 0, x + 0.28, 0.70, rgb)
        for y in (0.06, 0.38):
            self.rect(x + 0.04, y, x + 0.24, y + 0.26, rgb, 0.82)
            self.rect(x + 0.05, y + 0.01, x + 0.23, y + 0.25, rgb, 0.93)
        self.rect(x + 0.245, 0.33, x + 0.26, 0.36, (214, 196, 120))

    def tree(self, x: float, size: float) -> None:
        """A trunk with a crown."""
        bark = (88, 72, 58)
        self.rect(x - 0.035 * size, 0, x + 0.035 * size, 0.8, bark)
        self.rect(x - 0.035 * size, 0, x - 0.012 * size, 0.8, bark, 0.72)
        self.foliage(x, 0.86, 0.34 * size, 0.30 * size, 60)

    def foliage(self, x: float, y: float, rx: float, ry: float, leaves: int) -> None:
        """A crown: dark clumps below, lit ones above."""
        green = self.random.choice(((72, 98, 58), (84, 104, 60), (62, 90, 66)))
        for leaf in range(leaves):
            dx, dy = self.random.uniform(-1, 1), self.random.uniform(-1, 1)
            if dx * dx + dy * dy > 1:
                continue
            gain = 0.62 + 0.45 * leaf / leaves + 0.14 * dy
            self.blob(x + dx * rx, y + dy * ry, rx * 0.20, ry * 0.17, green, gain)

    def hedge(self, high: float) -> None:
        """A hedge all along."""
        self.rect(0, 0, self.length, high, (58, 78, 50), 0.8)
        for _ in range(int(self.length * 130)):
            y = self.random.uniform(0.0, high)
            self.blob(
                self.random.uniform(0, self.length), y, 0.028, 0.020, (74, 98, 58), 0.7 + 0.5 * y / high
            )

    def car(self, x: float) -> None:
        """A parked car."""
        rgb = self.random.choice(CAR_COLOURS)
        self.shade(x + 0.55, -0.005, 0.60, 0.03, 0.55)
        self.rect(x + 0.02, 0.06, x + 1.08, 0.24, rgb)
        self.rect(x, 0.09, x + 1.10, 0.20, rgb)
        self.rect(x + 0.02, 0.06, x + 1.08, 0.10, rgb, 0.7)
        cabin = np.array([(0.16, 0.24), (0.30, 0.40), (0.78, 0.40), (0.95, 0.24)])
        glass = np.array([(0.22, 0.25), (0.33, 0.375), (0.75, 0.375), (0.88, 0.25)])
        for shape, colour in (
            (cabin, self.colours.colour(rgb, 0.95)),
            (glass, self.colours.colour((62, 74, 84))),
        ):
            xs, ys = (shape[:, 0] + x) * self.unit, self.back - shape[:, 1] * self.unit
            cv2.fillConvexPoly(self.image, np.stack([xs, ys], axis=1).astype(np.int32), colour)
        self.rect(x + 0.53, 0.07, x + 0.545, 0.40, rgb, 0.8)
        for wheel in (0.22, 0.88):
            self.blob(x + wheel, 0.065, 0.085, 0.085, (36, 36, 38))
            self.blob(x + wheel, 0.065, 0.045, 0.045, (136, 138, 142))
