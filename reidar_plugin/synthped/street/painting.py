"""Painting a background: rectangles, ellipses, stains, pavement and grain on one long image."""

from dataclasses import dataclass

import cv2
import numpy as np

from reidar_plugin.synthped.drawing.colours import RGB, CameraColours
from reidar_plugin.synthped.seeded_random import Array, SeededRandom, turn_sin
from reidar_plugin.synthped.street.camera import Camera

__all__ = ["FEET", "Backdrop", "Canvas", "loop_canvas"]

FEET = 0.93
"""How far down the picture people stand, as a part of its height."""


@dataclass(frozen=True)
class Canvas:
    """What a background is painted on, in pixels."""

    height: int
    width: int  #: what passes the right end comes in again at the left
    unit: int  #: of all lengths: a little more than the height of a person
    back: float  #: how far down the pavement ends


def loop_canvas(camera: Camera, height: int) -> Canvas:
    """The closed loop that is seen through a window of this height, which moves along it, and a little up and down."""
    feet, tilt = height // 8 + FEET * height, float(turn_sin(camera.pitch))
    return Canvas(height + 2 * (height // 8), 7 * height, height, feet - height * (0.10 + 0.55 * tilt))


class Backdrop:
    """The background of a camera while it is painted.

    Lengths are in units of the canvas; x goes along it, y goes up from the line where the pavement ends.

    Args:
        camera: the camera that sees the background.
        seed: seed of the set.
        canvas: what to paint on.
    """

    def __init__(self, camera: Camera, seed: int, canvas: Canvas) -> None:
        self.unit, self.width, self.back = canvas.unit, canvas.width, canvas.back
        self.image = np.zeros((canvas.height, canvas.width, 3), np.uint8)
        self.camera, self.random = camera, SeededRandom(seed, "scene", camera.number)
        self.colours = CameraColours(camera.grade())
        self.tilt = float(turn_sin(camera.pitch))

    def finish(self) -> Array:
        """The finished painting, uint8 ``(H, W, 3)`` BGR."""
        self._grain()
        return cv2.GaussianBlur(self.image, (5, 5), 1.1)

    def rect(self, x0: float, y0: float, x1: float, y1: float, rgb: RGB, gain: float = 1.0) -> None:
        """A rectangle; what passes the end of the loop comes in again at its beginning."""
        left, right = int(x0 * self.unit), int(x1 * self.unit)
        top, low = int(self.back - y1 * self.unit), int(self.back - y0 * self.unit)
        colour = self.colours.colour(rgb, gain)
        for loop in (0, self.width, -self.width):
            if right + loop >= 0 and left + loop < self.width:
                cv2.rectangle(self.image, (left + loop, top), (right + loop, low), colour, -1)

    def blob(self, x: float, y: float, rx: float, ry: float, rgb: RGB, gain: float = 1.0) -> None:
        """An ellipse."""
        axes = (max(1, int(rx * self.unit)), max(1, int(ry * self.unit)))
        centre, colour = (int(x * self.unit), int(self.back - y * self.unit)), self.colours.colour(rgb, gain)
        for loop in (0, self.width, -self.width):
            cv2.ellipse(self.image, (centre[0] + loop, centre[1]), axes, 0, 0, 360, colour, -1)

    @property
    def length(self) -> float:
        """Length of the loop."""
        return self.width / self.unit

    def along(self, low: float, high: float) -> list[float]:
        """Random x along the whole loop, with gaps between low and high."""
        xs, at = [], self.random.uniform(0.0, low)
        while at < self.length - low * 0.6:
            xs.append(at)
            at += self.random.uniform(low, high)
        return xs

    def ground(self, rgb: RGB, tile: float, joints: float = 0.88) -> None:
        """Pavement that is lighter in the distance, with joints that close up there.

        Args:
            rgb: colour of the pavement.
            tile: width of a tile; 0 for no joints.
            joints: how bright the joints are, beside the tiles.
        """
        low = (self.image.shape[0] - self.back) / self.unit
        for step in range(24):
            y0, y1 = low * step / 24, low * (step + 1) / 24
            self.rect(0, -y1, self.length, -y0, rgb, 1.04 - 0.10 * step / 24)
        if not tile:
            return
        colour = self.colours.colour(rgb, joints)
        depth, row = 0.0, 0
        while depth < low:
            thick = 1 + int(depth * 4)
            top = int(self.back + depth * self.unit)
            cv2.rectangle(self.image, (0, top), (self.width, top + thick - 1), colour, -1)
            row_high = tile * (0.18 + 0.75 * self.tilt) * (0.7 + 1.6 * depth)
            foot, aside = int(top + row_high * self.unit), int(row_high * 0.3 * self.unit)
            for at in np.arange(0.0, self.length, tile):
                x = int((at + (row % 2) * tile / 2) * self.unit)
                joint = ((x, top), (x + thick, top), (x + thick - aside, foot), (x - aside, foot))
                cv2.fillConvexPoly(self.image, np.array(joint, np.int32), colour)
            depth, row = depth + row_high, row + 1

    def stains(self, count: int) -> None:
        """Darker spots on the ground."""
        for _ in range(count):
            x, y = self.random.uniform(0, self.length), -self.random.uniform(0.02, 0.45)
            self.shade(x, y, self.random.uniform(0.03, 0.16), self.random.uniform(0.008, 0.03), 0.93)

    def shade(self, x: float, y: float, rx: float, ry: float, gain: float) -> None:
        """Darken (or lighten) what is painted within an ellipse."""
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

    def _grain(self) -> None:
        """Uneven light over all surfaces: fine grit and slow clouds."""
        rows, columns = self.image.shape[:2]
        total = np.zeros((rows, columns), np.int16)
        for cells, depth in ((5, 9), (24, 8), (110, 7)):
            high, wide = max(2, rows * cells // self.unit), max(2, columns * cells // self.unit)
            field = self.random.uniform(0, 2 * depth, size=high * wide).reshape(high, wide).astype(np.uint8)
            cloud = cv2.resize(field, (columns, rows), interpolation=cv2.INTER_LINEAR_EXACT)
            total += cloud.astype(np.int16) - depth
        self.image = np.clip(self.image.astype(np.int16) + total[..., None], 0, 255).astype(np.uint8)
