"""Colours as a camera sees them."""

import numpy as np

from reidar_plugin.synthped.drawing.colours import CameraColours

GRADE = np.stack([np.arange(256) // 2, np.arange(256), 255 - np.arange(256)]).astype(np.uint8)  # R, G, B


def test_each_channel_has_its_curve_and_blue_comes_first() -> None:
    assert CameraColours(GRADE).colour((100, 60, 30)) == (225, 60, 50)


def test_light_is_applied_before_the_curve_and_is_bounded() -> None:
    assert CameraColours(GRADE, exposure=0.5).colour((100, 60, 30)) == (240, 30, 25)
    assert CameraColours(GRADE).colour((100, 60, 30), gain=2.0) == (195, 120, 100)
    assert CameraColours(GRADE).colour((200, 200, 200), gain=9.0) == (0, 255, 127)


def test_a_ramp_goes_from_shade_to_light() -> None:
    plain = CameraColours(np.stack([np.arange(256, dtype=np.uint8)] * 3))
    assert plain.ramp((100, 50, 200)) == ((144, 36, 72), (184, 46, 92), (221, 63, 116))
