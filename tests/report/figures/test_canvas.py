"""The canvas: what is drawn lies where it was put."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageColor

from reidar_plugin.report.figures.canvas import Canvas, text_width
from tests.report.shown import MAGENTA, area


def found(canvas: Canvas, color: str = MAGENTA) -> tuple[list[int], list[int]]:
    """First and last row and column of a colour."""
    places = np.argwhere((canvas.pixels() == ImageColor.getrgb(color)).all(axis=2))
    return places.min(axis=0).tolist(), places.max(axis=0).tolist()


def test_frames_are_drawn_where_they_belong() -> None:
    canvas = Canvas(100, 60)
    assert canvas.pixels().shape == (120, 200, 3)  # two pixels a point; rows first
    canvas.picture(10, 20, 30, 30, np.full((4, 4, 3), ImageColor.getrgb(MAGENTA), dtype=np.uint8))
    assert found(canvas) == ([40, 20], [99, 79])


def test_boxes_and_lines() -> None:
    canvas = Canvas(100, 60)
    canvas.box(10, 20, 30, 10, fill=MAGENTA)
    assert found(canvas) == ([40, 20], [59, 79])
    framed = Canvas(100, 60)
    framed.box(10, 20, 30, 10, outline=MAGENTA, line=2)
    assert found(framed) == ([40, 20], [59, 79])
    assert area(framed, MAGENTA) == 20 * 60 - 12 * 52  # the outline lies inside
    solid, dashed = Canvas(100, 20), Canvas(100, 20)
    solid.line([(0, 10), (100, 10)], MAGENTA, 2)
    dashed.line([(0, 10), (100, 10)], MAGENTA, 2, dashed=True)
    assert 0.4 < area(dashed, MAGENTA) / area(solid, MAGENTA) < 0.6


def test_text_has_the_width_it_claims() -> None:
    canvas = Canvas(300, 40)
    canvas.text(10, 10, "walking 0.93", 12, MAGENTA)
    columns = np.flatnonzero((canvas.pixels() != 255).any(axis=(0, 2)))
    assert columns[0] >= 20
    assert columns[-1] - columns[0] == pytest.approx(2 * text_width("walking 0.93", 12), abs=4)
    bold = Canvas(300, 40)
    bold.text(10, 10, "walking 0.93", 12, MAGENTA, bold=True)
    assert area(bold, MAGENTA) > area(canvas, MAGENTA)


def test_what_is_written_is_what_was_drawn(tmp_path: Path) -> None:
    canvas = Canvas(40, 30)
    canvas.box(5, 5, 20, 10, fill=MAGENTA)
    path = canvas.save(tmp_path / "new" / "page.png")
    with Image.open(path) as image:
        assert np.array_equal(np.asarray(image), canvas.pixels())
    assert [one.name for one in path.parent.iterdir()] == ["page.png"]
