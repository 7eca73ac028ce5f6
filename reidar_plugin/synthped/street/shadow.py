"""The soft shadow under a person's feet."""

import cv2
import numpy as np

from reidar_plugin.synthped.seeded_random import Array

__all__ = ["lay_shadow", "soft_shadow"]


def soft_shadow(unit: int) -> Array:
    """A soft dark disc to take away from the ground, ``(h, w, 3)`` uint8.

    Args:
        unit: a little more than the height of the person, in pixels.
    """
    high, wide = max(4, int(unit * 0.055)), max(8, int(unit * 0.42))
    y, x = np.mgrid[0:high, 0:wide]
    far = ((x * 2 + 1 - wide) / wide) ** 2 + ((y * 2 + 1 - high) / high) ** 2
    return np.repeat((np.clip(1.0 - far, 0, 1) * 38).astype(np.uint8)[..., None], 3, axis=2)


def lay_shadow(image: Array, shadow: Array, x: int, y: int) -> None:
    """Lay a shadow on an image, in place, with its middle at (x, y); what is outside is left out."""
    high, wide = shadow.shape[:2]
    left, top = x - wide // 2, y - high // 2
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + wide, image.shape[1]), min(top + high, image.shape[0])
    if x0 < x1 and y0 < y1:
        patch = image[y0:y1, x0:x1]
        cv2.subtract(patch, shadow[y0 - top : y1 - top, x0 - left : x1 - left], dst=patch)
