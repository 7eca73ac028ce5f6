"""Attention of actions over frames."""

import numpy as np
import pytest

from reidar_plugin.report.figures.action_attention import LABEL, LINE, action_attention_picture
from reidar_plugin.report.figures.masks import RAMP
from reidar_plugin.report.figures.strips import FRAME, GAP, MARGIN, ShownTracklet

ACTIONS = ("walking", "using_hands")


def shown(frames: int = 4, likelihoods: tuple[float, ...] | None = (0.9, 0.2)) -> ShownTracklet:
    pictures = [np.full((32, 16, 3), 128, dtype=np.uint8)] * frames
    return ShownTracklet(pictures, 7, 2, likelihoods, ["walking"])


def test_an_action_a_row_a_frame_a_column() -> None:
    attention = np.zeros((2, 2, 2, 4, 2))  # two clips of two frames
    attention[:, 0] = 1 / 16  # even
    attention[0, 1, 1] = 1 / 8  # in the second frame of the first clip
    attention[1, 1, 0] = 1 / 8  # in the first frame of the second
    picture = action_attention_picture(shown(), attention, ACTIONS).pixels()
    low, high = ((0.4 * 128 + 0.6 * RAMP[end]).round() for end in (0, 2))

    def middle(column: int, row: int) -> np.ndarray:
        x = MARGIN + LABEL + column * (FRAME[0] + GAP) + FRAME[0] / 2
        y = MARGIN + 46 + row * (FRAME[1] + LINE + GAP) + FRAME[1] / 2
        scale = picture.shape[1] / (2 * MARGIN + LABEL + 330)
        return picture[round(scale * y), round(scale * x)].astype(float)

    for column in range(4):
        assert middle(column, 0).tolist() == [128.0] * 3
        assert np.abs(middle(column, 1) - high).max() <= 1
        assert np.abs(middle(column, 2) - (high if column in (1, 2) else low)).max() <= 1, column


def test_without_likelihoods_and_with_attention_of_nothing() -> None:
    picture = action_attention_picture(shown(2, None), np.zeros((1, 2, 2, 4, 2)), ACTIONS).pixels()
    assert picture.std() > 0


def test_attention_of_other_frames() -> None:
    with pytest.raises(ValueError, match=r"2 actions over 4 frames, got \(1, 2, 3, 4, 2\)"):
        action_attention_picture(shown(), np.zeros((1, 2, 3, 4, 2)), ACTIONS)
