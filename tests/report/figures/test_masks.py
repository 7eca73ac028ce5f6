"""The ASRE masks over frames."""

import numpy as np
import pytest

from reidar_plugin.report.figures.masks import RAMP, heat, masks_picture


def test_heat_is_a_ramp_over_the_grey_frame() -> None:
    frame = np.full((8, 4, 3), (30, 60, 90), dtype=np.uint8)
    for value, colour in ((0.0, RAMP[0]), (0.5, RAMP[1]), (1.0, RAMP[2])):
        found = heat(frame, np.full((2, 1), value))
        assert found.shape == (8, 4, 3)
        expected = 0.4 * 60 + 0.6 * colour  # grey 60 under six tenths of the colour
        assert np.abs(found - expected).max() <= 0.5


def test_heat_is_where_the_mask_is() -> None:
    frame = np.zeros((16, 8, 3), dtype=np.uint8)
    mask = np.zeros((4, 2))
    mask[0, 1] = 1.0
    found = heat(frame, mask).astype(int).sum(axis=2)
    assert found[1, 6] > found[1, 1]  # right, not left
    assert found[1, 6] > found[14, 6]  # above, not below


def test_every_branch_is_scaled_over_all_frames() -> None:
    frames = [np.full((32, 16, 3), 128, dtype=np.uint8)] * 2
    masks = np.zeros((2, 2, 4, 2))
    masks[0, 0], masks[1, 0] = -5.0, 5.0  # dark, bright
    masks[0, 1], masks[1, 1] = 0.1, 0.0  # bright, dark
    picture = masks_picture(frames, masks, title="street").pixels()
    low, high = (tuple((0.4 * 128 + 0.6 * RAMP[end]).round().astype(int)) for end in (0, 2))

    def middle(place: int, line: int) -> tuple[int, ...]:
        x, y = 28 + 96 + place * 60 + 28, 28 + 30 + line * 116 + 56
        return tuple(int(value) for value in picture[2 * y, 2 * x])

    assert middle(0, 0) == (128, 128, 128)
    for place, line, expected in ((0, 1, low), (1, 1, high), (0, 2, high), (1, 2, low)):
        assert np.abs(np.subtract(middle(place, line), expected)).max() <= 1, (place, line)


def test_a_constant_mask_and_many_frames_can_be_drawn() -> None:
    frames = [np.zeros((16, 8, 3), dtype=np.uint8)] * 14
    one, two = (masks_picture(frames, np.ones((14, 1, 4, 2)), ["all"], columns=n).pixels() for n in (14, 7))
    assert one.shape[1] > two.shape[1]
    assert one.shape[0] < two.shape[0]


def test_masks_of_other_frames() -> None:
    frames = [np.zeros((16, 8, 3), dtype=np.uint8)] * 3
    with pytest.raises(ValueError, match=r"of 3 frames and 2 branches, got \(2, 2, 4, 2\)"):
        masks_picture(frames, np.zeros((2, 2, 4, 2)))
