"""Colours as a camera sees them, in shade and in light."""

from reidar_plugin.synthped.seeded_random import Array

__all__ = ["RGB", "CameraColours", "Colour", "Ramp"]

#: Red, green, blue in daylight, 0 to 255 each.
RGB = tuple[int, int, int]
#: Blue, green, red as the camera sees them, 0 to 255 each.
Colour = tuple[int, int, int]
#: A surface in shade, its own colour, and in light.
Ramp = tuple[Colour, Colour, Colour]


class CameraColours:
    """Turns daylight colours (RGB) into what one camera sees of them (BGR).

    Args:
        grade: response of the camera to each level of R, G and B, ``(3, 256)`` uint8.
        exposure: factor on the light that falls on the scene.
    """

    def __init__(self, grade: Array, exposure: float = 1.0) -> None:
        self._grade = grade
        self._exposure = exposure

    def colour(self, rgb: RGB, gain: float = 1.0) -> Colour:
        """A colour as the camera sees it; ``gain`` brightens or darkens the surface."""
        red, green, blue = (min(255, max(0, int(value * gain * self._exposure))) for value in rgb)
        return int(self._grade[2, blue]), int(self._grade[1, green]), int(self._grade[0, red])

    def ramp(self, rgb: RGB) -> Ramp:
        """A surface of that colour in shade, as it is, and in light."""
        lifted = (rgb[0] + 10, rgb[1] + 10, rgb[2] + 9)
        return self.colour(rgb, 0.72), self.colour(rgb, 0.92), self.colour(lifted, 1.06)
