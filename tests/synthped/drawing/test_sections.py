"""Shapes between cross-sections."""

import numpy as np

from reidar_plugin.synthped.drawing.sections import Sections, band, outline, shaded
from reidar_plugin.synthped.drawing.sketch import Sketch
from reidar_plugin.synthped.drawing.view import View

CONE: Sections = [
    (np.array([[10.0, 0.0]]), np.array([2.0])),
    (np.array([[10.0, 10.0]]), np.array([4.0])),
    (np.array([[10.0, 20.0]]), np.array([8.0])),
]


def test_outline_by_hand() -> None:
    expected = [[8, 0], [6, 10], [2, 20], [18, 20], [14, 10], [12, 0]]
    np.testing.assert_allclose(outline(CONE, 1.0, 0.0), [expected])


def test_outline_shrinks_and_moves() -> None:
    half = outline(CONE, 0.5, 0.25)[0]
    np.testing.assert_allclose(half[[2, 3]], [[10 - 4 + 2, 20], [10 + 4 + 2, 20]])


def test_band_by_hand() -> None:  # the right half, from a quarter of the way down to the hem
    patch = band(CONE, 0.25, 1.0, 0.0, 1.0, 1.0)
    np.testing.assert_allclose(patch, [[[10, 5], [10, 10], [10, 20], [18, 20], [14, 10], [13, 5]]])


def test_a_band_keeps_within_its_bound() -> None:
    assert band(CONE, 0.0, 1.0, -3.0, 3.0, 0.5)[0, :, 0].tolist() == [9, 8, 6, 14, 12, 11]


def test_shade_lies_under_colour_under_light() -> None:
    part = Sketch(View(np.zeros(1), 0.0, np.ones(1), np.zeros((1, 2)), 0.0)).part(0.0)
    shaded(part, CONE, ((1, 1, 1), (2, 2, 2), (3, 3, 3)))
    assert [colour for _, colour, _ in part.strokes] == [(1, 1, 1), (2, 2, 2), (3, 3, 3)]
    widths = [np.ptp(points[0, :, 0]) for points, _, _ in part.strokes]
    assert widths == sorted(widths, reverse=True)
    assert len(set(widths)) == 3
