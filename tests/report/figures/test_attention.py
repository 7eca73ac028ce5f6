"""Temporal attention: bars are as tall as weights, erased frames are marked."""

import numpy as np
import pytest
from PIL import ImageColor

from reidar_plugin.report.figures.attention import attention_picture
from reidar_plugin.report.figures.strips import ShownTracklet
from reidar_plugin.report.figures.style import PALETTE, WRONG, tint
from tests.report.shown import ACTIONS, MAGENTA, area, frames

BAR = tint(PALETTE[0], 0.85)


def test_bars_show_the_weights() -> None:
    tracklet = ShownTracklet(frames(4, MAGENTA), 1, 2)
    picture = attention_picture(tracklet, np.array([[0.4, 0.2, 0.1, 0.3]]))
    bars = (picture.pixels() == ImageColor.getrgb(BAR)).all(axis=2)
    starts = [2 * (28 + 64 + 60 * index + 28) + 9 for index in range(4)]  # beside the middle of each frame
    columns = [np.flatnonzero(bars[:, start]) for start in starts]
    assert len({column[-1] for column in columns}) == 1  # they stand on one line ...
    tall = [column[-1] - column[0] + 1 for column in columns]  # ... and grow upwards
    assert tall == pytest.approx([112, 56, 28, 84], abs=2)
    flat = attention_picture(tracklet, np.full((1, 4), 0.25))
    assert area(flat, BAR) > 1.4 * area(picture, BAR) > 0


def test_erased_frames_are_marked() -> None:
    tracklet = ShownTracklet(frames(4, MAGENTA), 1, 2)
    weights = np.array([[0.7, 0.1, 0.1, 0.1]])
    whole, erased = attention_picture(tracklet, weights), attention_picture(tracklet, weights, weights == 0.7)
    assert area(whole, MAGENTA) == 4 * 112 * 224
    assert area(whole, WRONG) == 0
    assert area(erased, WRONG) > 300
    marked = (erased.pixels() == ImageColor.getrgb(WRONG)).all(axis=2)
    rows, columns = np.nonzero(marked)
    top = 2 * (28 + 46)
    assert (rows.min(), rows.max()) == (top, top + 223)  # all around the first frame
    assert (columns.min(), columns.max()) == (2 * 92, 2 * 92 + 111)
    assert area(erased, tint(WRONG, 0.85)) > 0  # its bar


def test_rows_hold_whole_clips() -> None:
    tracklet = ShownTracklet(frames(12), 1, 2, (0.9, 0.1), ("walking",))
    one, two = (attention_picture(tracklet, np.full((3, 4), 0.25), columns=n) for n in (12, 11))
    assert two.image.width < one.image.width
    assert two.image.height > one.image.height
    named = attention_picture(tracklet, np.full((3, 4), 0.25), actions=ACTIONS)
    assert named.image.height > one.image.height


def test_weights_of_other_frames() -> None:
    with pytest.raises(ValueError, match=r"for 4 frames, got \(1, 3\) and \(1, 3\)"):
        attention_picture(ShownTracklet(frames(4), 1, 2), np.ones((1, 3)) / 3)
