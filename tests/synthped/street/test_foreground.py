"""Poles and bushes before the people."""

import numpy as np
import pytest

from reidar_plugin.synthped.drawing.colours import CameraColours
from reidar_plugin.synthped.drawing.sketch import Sketch, paint
from reidar_plugin.synthped.drawing.view import View
from reidar_plugin.synthped.seeded_random import Array, SeededRandom
from reidar_plugin.synthped.street.foreground import bush, draw_bush, draw_pole

PLAIN = CameraColours(np.stack([np.arange(256, dtype=np.uint8)] * 3))
SIZE = 128
VIEW = View(
    np.zeros(2), 0.0, np.full(2, float(SIZE)), np.array([[40.0, 1.03 * SIZE], [80.0, 1.03 * SIZE]]), 0.7
)


def seen(sketch: Sketch, frame: int) -> Array:
    image = np.zeros((SIZE, SIZE, 3), np.uint8)
    paint(image, sketch.parts, sketch.order()[frame], frame)
    return image.any(axis=2)


@pytest.mark.parametrize("frame", [0, 1])
def test_a_pole_goes_from_edge_to_edge_where_its_foot_is(frame: int) -> None:
    pole = seen(draw_pole(VIEW, 0.05, PLAIN), frame)
    assert pole.any(axis=1).all()
    columns = np.flatnonzero(pole.any(axis=0))
    assert columns.mean() == pytest.approx((40, 80)[frame], abs=1)
    assert len(columns) == pytest.approx(2 * 0.05 * SIZE, abs=2)


@pytest.mark.parametrize("frame", [0, 1])
def test_a_bush_grows_from_its_foot(frame: int) -> None:
    leaves = seen(draw_bush(VIEW, 0.2, 0.4, SeededRandom("bush"), PLAIN), frame)
    rows, columns = np.nonzero(leaves)
    assert np.median(columns) == pytest.approx((40, 80)[frame], abs=6)
    assert np.ptp(columns) == pytest.approx(2 * 0.2 * SIZE, rel=0.35)
    assert rows.min() == pytest.approx((1.03 - 0.4) * SIZE, abs=0.1 * SIZE)
    assert (
        leaves[-20:, (40, 80)[frame] - 15 : (40, 80)[frame] + 15].mean() > 0.8
    )  # little is seen through its middle


def test_a_bush_is_a_dome_that_is_lighter_in_front() -> None:
    outlines, shades = bush(SeededRandom("leaves"), 400)
    assert outlines.shape == (400, 4, 2)
    feet = outlines[:, 0]
    assert np.abs(feet[:, 0]).max() <= 0.44
    high = feet[:, 1] < -0.7
    assert np.abs(feet[high, 0]).max() < np.abs(feet[~high, 0]).max()
    assert np.mean(shades[300:]) > np.mean(shades[:100]) + 0.3
