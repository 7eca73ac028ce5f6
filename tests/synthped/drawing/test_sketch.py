"""Sketches: parts are painted from back to front, shapes stay where they belong."""

from itertools import pairwise

import numpy as np

from reidar_plugin.synthped.drawing.sketch import Sketch, paint
from reidar_plugin.synthped.drawing.view import View


def test_parts_are_painted_from_back_to_front_and_only_when_shown() -> None:
    view = View(np.zeros(2), 0.0, np.full(2, 10.0), np.zeros((2, 2)), 0.0)
    sketch = Sketch(view)
    square = np.tile(np.array([[2.0, 2.0], [2.0, 8.0], [8.0, 8.0], [8.0, 2.0]]), (2, 1, 1))
    sketch.part(np.array([1.0, -1.0])).fill(square, (10, 0, 0))
    sketch.part(0.0, shown=np.array([True, False])).fill(square, (20, 0, 0))
    sketch.part(-0.5).fill(square, (30, 0, 0))
    assert sketch.order() == [[2, 1, 0], [0, 2]]
    for frame, blue in enumerate((10, 30)):
        canvas = np.zeros((12, 12, 3), np.uint8)
        paint(canvas, sketch.parts, sketch.order()[frame], frame)
        assert canvas[5, 5].tolist() == [blue, 0, 0]
        assert canvas[1, 1].tolist() == [0, 0, 0]


def still(size: float = 20.0) -> View:
    return View(np.zeros(1), 0.0, np.array([size]), np.zeros((1, 2)), 0.0)


def drawn(sketch: Sketch) -> np.ndarray:
    """Where a sketch of one frame puts colour, 64 x 64."""
    image = np.zeros((64, 64, 3), np.uint8)
    paint(image, sketch.parts, sketch.order()[0], 0)
    return image.any(axis=2)


RAMP = ((50, 0, 0), (100, 0, 0), (150, 0, 0))


def test_a_ball_fills_its_ellipse() -> None:
    sketch = Sketch(still())
    sketch.part(0.0).ball(np.array([[32.0, 30.0]]), 1.0, 0.5, RAMP)  # of 20 and 10 pixels
    y, x = np.mgrid[0:64, 0:64]
    far = ((x - 32) / 20) ** 2 + ((y - 30) / 10) ** 2
    inside = drawn(sketch)
    assert inside[far < 0.85].all()
    assert not inside[far > 1.2].any()


def test_a_limb_covers_what_is_near_its_bones() -> None:
    joints = [np.array([[12.0, 12.0]]), np.array([[32.0, 40.0]]), np.array([[52.0, 40.0]])]
    sketch = Sketch(still())
    sketch.part(0.0).limb(joints, [0.3, 0.3, 0.3], RAMP)  # of 6 pixels
    y, x = np.mgrid[0:64, 0:64]
    steps = np.linspace(0.0, 1.0, 200)[:, None]
    bones = np.concatenate([a * (1 - steps) + b * steps for a, b in pairwise(joints)])
    far = np.min(np.hypot(x[..., None] - bones[:, 0], y[..., None] - bones[:, 1]), axis=2)
    inside = drawn(sketch)
    assert inside[far < 4.5].all()
    assert not inside[far > 7.5].any()


def test_light_falls_from_where_it_comes() -> None:
    for light in (-1.0, 1.0):
        view = View(np.zeros(1), 0.0, np.array([20.0]), np.zeros((1, 2)), light)
        sketch = Sketch(view)
        sketch.part(0.0).limb([np.array([[32.0, 10.0]]), np.array([[32.0, 50.0]])], [0.5, 0.5], RAMP)
        image = np.zeros((64, 64, 3), np.uint8)
        paint(image, sketch.parts, [0], 0)
        bright = np.flatnonzero(image[30, :, 0] == 150).mean()
        assert (bright > 32) == (light > 0)
