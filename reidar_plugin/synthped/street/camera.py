"""Cameras: where each looks from, how it sees colours, and what its lens and sensor do to a picture."""

from dataclasses import dataclass

import cv2
import numpy as np

from reidar_plugin.synthped.seeded_random import Array, SeededRandom

__all__ = ["STYLES", "Camera", "Lens", "make_cameras"]

STYLES = ("shops", "park", "facade", "plaza", "road", "fence")
"""What a place looks like; each is painted by a function of ``street.scenery``."""


@dataclass(frozen=True)
class Camera:
    """All that makes one camera differ from another."""

    number: int  #: from 1
    style: str  #: what stands behind the people
    pitch: float  #: how far the camera looks down, in turns
    light: float  #: where the light comes from, -1 (left) to 1 (right)
    gain: tuple[float, float, float]  #: colour cast of R, G, B
    bend: float  #: gamma: -0.5 darkens, 0.5 brightens the middle tones
    contrast: float  #: factor on the distance from middle grey
    blur: float  #: radius of the lens blur, pixels of a 256-pixel picture
    noise: float  #: amplitude of the sensor noise, grey levels
    quality: int  #: of the JPEG files, 1 to 100
    cycle: float  #: cycles of the gait in a frame, by frame rate and pace
    heading: float  #: direction in which most people walk, in turns

    def grade(self) -> Array:
        """Curve of each of R, G, B, ``(3, 256)`` uint8."""
        x = np.arange(256) / 255.0
        x = x + self.bend * x * (1.0 - x)
        x = 0.5 + (x - 0.5) * self.contrast
        return np.stack([np.clip(np.rint(255.0 * gain * x), 0, 255) for gain in self.gain]).astype(np.uint8)


def make_cameras(seed: int, count: int) -> list[Camera]:
    """The cameras of a set; a larger ``count`` adds cameras and leaves the others as they are."""
    styles = SeededRandom(seed, "styles").permutation(len(STYLES))
    cameras = []
    for number in range(1, count + 1):
        random = SeededRandom(seed, "camera", number)
        warmth, tint = random.uniform(-0.15, 0.15), random.uniform(-0.05, 0.05)
        brightness = random.uniform(0.84, 1.12)
        cameras.append(
            Camera(
                number=number,
                style=STYLES[styles[(number - 1) % len(STYLES)]],
                pitch=random.uniform(0.012, 0.075),
                light=random.choice((-0.8, 0.8)) * random.uniform(0.6, 1.0),
                gain=(brightness * (1 + warmth), brightness * (1 + tint), brightness * (1 - warmth)),
                bend=random.uniform(-0.30, 0.38),
                contrast=random.uniform(0.80, 1.08),
                blur=random.choice((random.uniform(0.4, 0.9), random.uniform(0.9, 1.6)), (2, 1)),
                noise=random.uniform(3.0, 11.0),
                quality=random.integer(72, 92),
                cycle=random.uniform(0.034, 0.075),
                heading=random.uniform(),
            )
        )
    return cameras


class Lens:
    """Turns a painted image into a picture: scaled to half the size, blurred, with noise.

    Args:
        camera: the camera that takes the picture.
        size: height and width of the pictures.
        seed: seed of the set, which the noise depends on.
    """

    def __init__(self, camera: Camera, size: tuple[int, int], seed: int) -> None:
        self._height, self._width = size
        self._sigma = camera.blur * self._height / 256
        self._pool = _noise(SeededRandom(seed, "noise", camera.number), size, camera.noise)

    def picture(self, image: Array, offsets: Array) -> Array:
        """A picture, uint8 ``(H, W, 3)`` BGR, of an image of twice its size.

        Args:
            image: what was painted, uint8 ``(2 H, 2 W, 3)`` BGR.
            offsets: four random bytes, which choose the noise of this frame.
        """
        frame = cv2.resize(image, (self._width, self._height), interpolation=cv2.INTER_AREA)
        if self._sigma > 0.2:
            frame = cv2.GaussianBlur(frame, (5, 5), self._sigma)
        more, less = (self._pool[i][offsets[2 * i] % 64 :, offsets[2 * i + 1] % 64 :] for i in (0, 1))
        cv2.add(frame, more[: self._height, : self._width], dst=frame)
        return cv2.subtract(frame, less[: self._height, : self._width], dst=frame)


def _noise(random: SeededRandom, size: tuple[int, int], amplitude: float) -> tuple[Array, Array]:
    """Grain to add and to take away, ``(H + 64, W + 64, 3)`` uint8 each; a little of it common to the three colours."""
    shape = (size[0] + 64, size[1] + 64)
    count = shape[0] * shape[1]
    grains = []
    for _ in range(2):
        common = random.uniform(0.0, 0.6 * amplitude, size=count).reshape(*shape, 1)
        own = random.uniform(0.0, 0.8 * amplitude, size=count * 3).reshape(*shape, 3)
        grains.append(cv2.blur((common + own).astype(np.uint8), (2, 2)) + (own > 0.66 * amplitude))
    return grains[0].astype(np.uint8), grains[1].astype(np.uint8)
