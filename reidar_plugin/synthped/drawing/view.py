"""Projection of a turning body into the picture of a camera."""

import numpy as np

from reidar_plugin.synthped.seeded_random import Array, turn_cos, turn_sin

__all__ = ["View"]


class View:
    """How one camera sees a body over F frames: a parallel projection, with the camera looking down a little.

    Points of the body are ``(F, 3)`` in body heights: x to the person's left, y up from the ground, z forward.

    Args:
        heading: direction in which the person faces, in turns, ``(F,)``; 0 faces the camera, 0.25 the right edge.
        pitch: how far the camera looks down, in turns.
        scale: height of the person in pixels, ``(F,)``.
        ground: pixel of the ground under the person, ``(F, 2)``.
        light: where the light comes from, from -1 (left) to 1 (right).
    """

    def __init__(self, heading: Array, pitch: float, scale: Array, ground: Array, light: float) -> None:
        self.cos, self.sin = turn_cos(heading), turn_sin(heading)
        self.pitch_cos, self.pitch_sin = float(turn_cos(pitch)), float(turn_sin(pitch))
        self.scale, self.ground, self.light = scale, ground, light
        self.frames = len(heading)

    def depth(self, body: Array) -> Array:
        """How far a point ``(F, 3)`` is in front of the axis of the body, towards the camera, ``(F,)``."""
        return body[:, 2] * self.cos - body[:, 0] * self.sin

    def pixel(self, body: Array) -> Array:
        """Pixels ``(F, 2)``, x and y, of a point ``(F, 3)``."""
        across = body[:, 0] * self.cos + body[:, 2] * self.sin
        up = body[:, 1] * self.pitch_cos - self.depth(body) * self.pitch_sin
        found = np.empty((self.frames, 2))
        found[:, 0] = self.ground[:, 0] + self.scale * across
        found[:, 1] = self.ground[:, 1] - self.scale * up
        return found

    def width(self, lateral: float | Array, deep: float | Array) -> Array:
        """Half width in pixels, ``(F,)``, of an elliptic cylinder that stands upright.

        Args:
            lateral: half axis from left to right, in body heights.
            deep: half axis from front to back, in body heights.
        """
        across, along = lateral * self.cos, deep * self.sin
        return self.scale * np.sqrt(across * across + along * along)
