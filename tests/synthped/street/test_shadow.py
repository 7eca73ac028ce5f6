"""Shadows: darkest in the middle, nothing beyond their rim, cut at the edge of the picture."""

import numpy as np

from reidar_plugin.synthped.street.shadow import lay_shadow, soft_shadow


def test_a_shadow_lies_round_its_middle() -> None:
    image = np.full((80, 120, 3), 100, np.uint8)
    lay_shadow(image, soft_shadow(100), 60, 40)
    rows, columns = np.nonzero((image != 100).any(axis=2))
    assert abs(rows.mean() - 40) <= 1
    assert abs(columns.mean() - 60) <= 1
    assert 30 < np.ptp(columns) < 42  # 0.42 of the unit
    assert np.ptp(rows) < 6
    assert image[40, 60, 0] == image.min() >= 100 - 38


def test_a_shadow_is_cut_at_the_edge() -> None:
    whole, cut = np.full((80, 120, 3), 100, np.uint8), np.full((80, 60, 3), 100, np.uint8)
    for image in (whole, cut):
        lay_shadow(image, soft_shadow(100), 58, 79)
    np.testing.assert_array_equal(cut, whole[:, :60])
    assert (cut != 100).any()
    before = cut.copy()
    lay_shadow(cut, soft_shadow(100), -300, 500)
    np.testing.assert_array_equal(cut, before)
