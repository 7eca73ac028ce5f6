"""Drawing for strips of frames: text, boxes, lines and pictures on a light page, in points."""

import io
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from reidar_plugin.io.atomic import write_atomically
from reidar_plugin.report.figures.style import INK, PAPER, SHARPNESS

__all__ = ["Canvas", "text_width"]

OVERSAMPLING = 2  # drawn so many times larger, then shrunk: smooth lines


class Canvas:
    """A page; x grows to the right, y downwards, both in points.

    Args:
        width: width of the page.
        height: height of the page.
        background: colour of the page, ``#rrggbb``.
    """

    def __init__(self, width: float, height: float, background: str = PAPER) -> None:
        self.scale = SHARPNESS * OVERSAMPLING
        self.image = Image.new("RGB", (self._pixels(width), self._pixels(height)), background)
        self.draw = ImageDraw.Draw(self.image)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float = 11,
        color: str = INK,
        anchor: str = "la",
        bold: bool = False,
    ) -> None:
        """Write one line; ``anchor`` is Pillow's: left/middle/right (l, m, r), then ascender/middle/baseline (a, m, s)."""
        stroke = self.scale * size / 45 if bold else 0  # the one font that Pillow carries has no bold cut
        font = _font(round(size * self.scale))
        corner = (x * self.scale, y * self.scale)
        self.draw.text(corner, text, color, font, anchor, stroke_width=stroke, stroke_fill=color)

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: str | None = None,
        outline: str | None = None,
        line: float = 1,
        radius: float = 0,
    ) -> None:
        """Draw a rectangle; its outline lies inside of it."""
        corners = [
            self._pixels(x),
            self._pixels(y),
            self._pixels(x + width) - 1,
            self._pixels(y + height) - 1,
        ]
        self.draw.rounded_rectangle(corners, radius * self.scale, fill, outline, self._pixels(line))

    def line(
        self,
        points: Sequence[tuple[float, float]],
        color: str = INK,
        width: float = 1,
        dashed: bool = False,
    ) -> None:
        """Draw a line through points; a dashed one is straight, from the first to the last."""
        scaled = [(x * self.scale, y * self.scale) for x, y in points]
        pieces = _dashes(scaled[0], scaled[-1], 4 * self.scale) if dashed else [scaled]
        for piece in pieces:
            self.draw.line(piece, color, self._pixels(width), joint="curve")

    def picture(self, x: float, y: float, width: float, height: float, pixels: np.ndarray) -> None:
        """Put a picture, uint8 ``(H, W, 3)`` RGB, into a rectangle; it is stretched to fill it."""
        size = self._pixels(width), self._pixels(height)
        picture = Image.fromarray(np.ascontiguousarray(pixels)).resize(size, Image.Resampling.BICUBIC)
        self.image.paste(picture, (self._pixels(x), self._pixels(y)))

    def pixels(self) -> np.ndarray:
        """The page, uint8 ``(H, W, 3)`` RGB."""
        return np.asarray(self.image.reduce(OVERSAMPLING))

    def save(self, path: str | Path) -> Path:
        """Write the page as PNG, whole or not at all; its folder is made if need be."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        self.image.reduce(OVERSAMPLING).save(
            buffer, "PNG", compress_level=4
        )  # a sixth of the time for 4 % more
        write_atomically(path, buffer.getvalue())
        return path

    def _pixels(self, points: float) -> int:
        return round(points * self.scale)


def text_width(text: str, size: float = 11) -> float:
    """Width of a line in points."""
    return _font(round(size * 8)).getlength(text) / 8


@lru_cache(maxsize=64)
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("pictures need a Pillow that was built with FreeType; install pillow from a wheel")
    return font


def _dashes(
    start: tuple[float, float], end: tuple[float, float], dash: float
) -> list[list[tuple[float, float]]]:
    """Pieces of a straight line, gaps as long as dashes."""
    length = float(np.hypot(end[0] - start[0], end[1] - start[1]))
    steps = np.arange(0, max(length, 1e-9), 2 * dash) / max(length, 1e-9)
    ends = np.minimum(steps + dash / max(length, 1e-9), 1)

    def at(share: float) -> tuple[float, float]:
        return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share

    return [[at(a), at(b)] for a, b in zip(steps.tolist(), ends.tolist(), strict=True)]
