"""The six eyes of the street: where each looks from, how it sees colour, and what it does to a picture."""

from dataclasses import dataclass

import cv2
import numpy as np

from .dice import Array, Dice

__all__ = ["STYLES", "Camera", "Lens", "install"]

STYLES = ("shops", "park", "facade", "plaza", "road", "fence")
"""What a place looks like; a method of the painter each."""


@dataclass(frozen=True)
class Camera:
    """What a camera is, as numbers."""

    number: int  #: from 1
    style: str  #: what stands behind the people
    pitch: float  #: how far it looks down, in turns
    light: float  #: where the light comes from, -1 left ... 1 right
    gain: tuple[float, float, float]  #: colour cast of R, G, B
    bend: float  #: gamma: -0.5 darkens, 0.5 brightens the middle tones
    contrast: float
    blur: float  #: radius of the lens blur, pixels of a 256-pixel picture
    noise: float  #: amplitude of the sensor noise, grey levels
    quality: int  #: JPEG
    cycle: float  #: gait cycles a frame: frame rate and pace
    heading: float  #: direction of most people, in turns

    def grade(self) -> Array:
        """Curve of each of R, G, B, ``(3, 256)`` uint8."""
        x = np.arange(256) / 255.0
        x = x + self.bend * x * (1.0 - x)
        x = 0.5 + (x - 0.5) * self.contrast
        return np.stack([np.clip(np.rint(255.0 * gain * x), 0, 255) for gain in self.gain]).astype(np.uint8)


def install(seed: int, count: int) -> list[Camera]:
    """``count`` cameras; the same seed hangs the same ones."""
    styles = Dice(seed, "styles").order(len(STYLES))
    cameras = []
    for number in range(1, count + 1):
        dice = Dice(seed, "camera", number)
        warmth, tint = dice.uniform(-0.15, 0.15), dice.uniform(-0.05, 0.05)
        brightness = dice.uniform(0.84, 1.12)
        cameras.append(
            Camera(
                number=number,
                style=STYLES[styles[(number - 1) % len(STYLES)]],
                pitch=dice.uniform(0.012, 0.075),
                light=dice.pick((-0.8, 0.8)) * dice.uniform(0.6, 1.0),
                gain=(brightness * (1 + warmth), brightness * (1 + tint), brightness * (1 - warmth)),
                bend=dice.uniform(-0.30, 0.38),
                contrast=dice.uniform(0.80, 1.08),
                blur=dice.pick((dice.uniform(0.4, 0.9), dice.uniform(0.9, 1.6)), (2, 1)),
                noise=dice.uniform(3.0, 11.0),
                quality=dice.integer(72, 92),
                cycle=dice.uniform(0.034, 0.075),
                heading=dice.uniform(),
            )
        )
    return cameras


class Lens:
    """From canvas to picture: scaled down, blurred, sown with noise.

    Args:
        camera: whose lens it is.
        size: height and width of the pictures.
        seed: of the noise.
    """

    def __init__(self, camera: Camera, size: tuple[int, int], seed: int) -> None:
        self._height, self._width = size
        self._sigma = camera.blur * self._height / 256
        self._pool = _noise(Dice(seed, "noise", camera.number), size, camera.noise)

    def picture(self, canvas: Array, dice: Array) -> Array:
        """A picture, uint8 ``(H, W, 3)`` BGR, of a canvas of twice its size; ``dice``: four random bytes."""
        frame = cv2.resize(canvas, (self._width, self._height), interpolation=cv2.INTER_AREA)
        if self._sigma > 0.2:
            frame = cv2.GaussianBlur(frame, (5, 5), self._sigma)
        more, less = (self._pool[i][dice[2 * i] % 64 :, dice[2 * i + 1] % 64 :] for i in (0, 1))
        cv2.add(frame, more[: self._height, : self._width], dst=frame)
        return cv2.subtract(frame, less[: self._height, : self._width], dst=frame)


def _noise(dice: Dice, size: tuple[int, int], amplitude: float) -> tuple[Array, Array]:
    """Grain to add and to take away, ``(H + 64, W + 64, 3)`` uint8 each; a little of it common to the three colours."""
    shape = (size[0] + 64, size[1] + 64)
    count = shape[0] * shape[1]
    grains = []
    for _ in range(2):
        common = dice.uniform(0.0, 0.6 * amplitude, size=count).reshape(*shape, 1)
        own = dice.uniform(0.0, 0.8 * amplitude, size=count * 3).reshape(*shape, 3)
        grains.append(cv2.blur((common + own).astype(np.uint8), (2, 2)) + (own > 0.66 * amplitude))
    return grains[0].astype(np.uint8), grains[1].astype(np.uint8)
