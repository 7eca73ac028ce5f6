"""The ground: who is nearer is taller, steps are as long as they look, the middle is where it was asked for."""

import numpy as np
import pytest

from reidar_plugin.synthped.seeded_random import turn_cos, turn_sin
from reidar_plugin.synthped.street.camera import make_cameras
from reidar_plugin.synthped.videos.ground import FARTHEST, NEAREST, Ground, street_canvas

GROUND = Ground.of(make_cameras(0, 1)[0], 1.0)


def test_who_is_nearer_is_taller() -> None:
    tall = GROUND.tall(np.array([FARTHEST, NEAREST]))
    assert tall[0] == pytest.approx(0.30, abs=0.002)
    assert 1.2 < tall[1] / tall[0] < 1.5
    assert Ground.of(make_cameras(0, 1)[0], 0.5).tall(np.array([NEAREST]))[0] == pytest.approx(tall[1] / 2)


@pytest.mark.parametrize("heading", [0.25, 0.75, 0.0, 0.5, 0.125])
def test_each_step_is_as_long_as_it_looks_there(heading: float) -> None:
    """Step by step, forwards and backwards from the middle, in the picture of a camera that looks down."""
    strides = np.full(9, 0.07)
    x, y = GROUND.walk(strides, np.full(9, heading), 4, 0.8, 0.6)
    assert (x[4], y[4]) == (0.8, 0.6)
    tall = GROUND.tall(y)
    np.testing.assert_allclose(np.diff(x), 0.07 * tall[1:] * turn_sin(heading), atol=1e-12)
    np.testing.assert_allclose(np.diff(y), 0.07 * tall[:-1] * turn_cos(heading) * GROUND.tilt, atol=1e-12)
    assert (np.abs(np.diff(x)) + np.abs(np.diff(y))).min() > 0.004


def test_the_canvas_is_wider_than_the_picture() -> None:
    canvas, left = street_canvas((720, 1280))
    assert (canvas.height, canvas.unit) == (720, 338)
    assert left == canvas.unit
    assert left + 1280 + canvas.unit < canvas.width
