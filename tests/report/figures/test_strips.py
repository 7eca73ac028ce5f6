"""Strips of frames: which frames, and what is said of a tracklet."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reidar_plugin.report.figures.canvas import Canvas, text_width
from reidar_plugin.report.figures.strips import (
    Grid,
    ShownTracklet,
    draw_actions,
    draw_strip,
    fitted,
    frame_pixels,
    spread,
)
from reidar_plugin.report.figures.style import INK, RIGHT, WRONG
from tests.report.shown import ACTIONS, MAGENTA, area, frames


@pytest.mark.parametrize(
    ("count", "most", "indices"), [(8, 4, [1, 3, 5, 7]), (3, 4, [0, 1, 2]), (100, 1, [50])]
)
def test_frames_are_spread_over_the_tracklet(count: int, most: int, indices: list[int]) -> None:
    assert spread(count, most) == indices
    with pytest.raises(ValueError, match=r"without frames"):
        spread(0, most)


def test_a_grid_is_filled_row_by_row() -> None:
    grid = Grid(7, 3, (150, 50), left=20, head=40, gap=10)
    assert [grid.corner(index) for index in (0, 2, 3, 6)] == [(48, 68), (348, 68), (48, 118), (48, 168)]
    assert (grid.width, grid.bottom) == (20 + 440, 28 + 40 + 3 * 50)
    page = grid.page("A title", foot=12).pixels()
    assert page.shape == (2 * (218 + 12), 2 * (56 + 460), 3)
    assert Grid(1, 1, (50, 50), left=20).width == 350


def test_the_title_of_a_grid_is_cut_to_its_width() -> None:
    page = Grid(1, 1, (400, 50), head=40).page("walking " * 40, foot=12).pixels()
    written = np.flatnonzero((page != 255).any(axis=(0, 2)))
    assert 2 * 27 <= written.min() < 2 * 380 < written.max() <= 2 * 430  # bold letters are a little wider


def test_a_strip_shows_frames_side_by_side() -> None:
    mixed = [*frames(1), *frames(1, MAGENTA), *frames(2), *frames(1, MAGENTA), *frames(1)]
    canvas = Canvas(200, 60)
    draw_strip(canvas, 10, 5, ShownTracklet(mixed, 1, 2), 3, (20, 40), gap=4)  # frames 1, 3 and 5
    rows, columns = np.nonzero((canvas.pixels() == (255, 0, 255)).all(axis=2))
    assert (rows.min(), rows.max()) == (10, 89)
    assert (columns.min(), columns.max()) == (20, 59)
    assert (canvas.pixels()[50, 2 * (10 + 20) : 2 * (10 + 24)] == 255).all()  # the gap
    assert (canvas.pixels()[50, 2 * (10 + 24) : 2 * (10 + 44)] != 255).any(axis=1).all()


@pytest.mark.parametrize(
    ("likelihoods", "given", "color"),
    [
        ((0.9, 0.1), ("walking",), RIGHT),
        ((0.9, 0.1), ("using_hands",), WRONG),
        ((0.9, 0.8), ("walking",), WRONG),
        ((0.9, 0.8), ("using_hands", "walking"), RIGHT),
        (
            (0.4, 0.1),
            ("walking",),
            RIGHT,
        ),  # nothing reaches the threshold: the likeliest, with a question mark
        ((0.9, 0.1), None, INK),
    ],
)
def test_predicted_actions_are_judged(
    likelihoods: tuple[float, ...], given: tuple[str, ...] | None, color: str
) -> None:
    canvas = Canvas(300, 40)
    draw_actions(canvas, 5, 5, 280, ShownTracklet(frames(1), 1, 2, likelihoods, given), ACTIONS)
    assert area(canvas, color) > 50
    assert all(area(canvas, other) == 0 for other in {RIGHT, WRONG, INK} - {color})


def test_what_is_said_of_actions(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(Canvas, "text", lambda self, x, y, text, *how: said.append(text))
    for likelihoods, given in (((0.6, 0.9), ("walking",)), ((0.4, 0.1), ()), (None, None)):
        draw_actions(Canvas(9, 9), 0, 0, 300, ShownTracklet(frames(1), 1, 2, likelihoods, given), ACTIONS)
    assert said == [
        "using hands 0.90, walking 0.60",
        "given: walking",
        "? walking 0.40",
        "given: none",
        "given: not known",
    ]


def test_text_is_cut_to_its_width() -> None:
    words = "walking 0.93, riding 0.71, trolley 0.66"
    assert fitted(words, 1000, 10) == words
    cut = fitted(words, 90, 10)
    assert cut.endswith("...")
    assert text_width(cut, 10) <= 90


def test_frames_come_from_files_or_pixels(tmp_path: Path) -> None:
    Image.new("RGB", (16, 32), (80, 90, 100)).save(tmp_path / "frame.png")
    assert frame_pixels(str(tmp_path / "frame.png")).shape == (32, 16, 3)
    assert frame_pixels(str(tmp_path / "frame.png"))[3, 4].tolist() == [80, 90, 100]
    with pytest.raises(FileNotFoundError, match=r"no frame at .*gone.jpg"):
        frame_pixels(str(tmp_path / "gone.jpg"))
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"broken.jpg: not a readable picture"):
        frame_pixels(str(tmp_path / "broken.jpg"))
    with pytest.raises(ValueError, match=r"got float64 \(2, 2\)"):
        frame_pixels(np.zeros((2, 2)))
