"""Sketches: parts are painted from back to front, shapes stay where they belong."""

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
