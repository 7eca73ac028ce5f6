"""Axes on a canvas: ticks, grid, lines and a legend."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reidar_plugin.report.figures.canvas import INK, LINE, MUTED, Canvas, Color, text_width

__all__ = ["Axes", "ticks_of"]


@dataclass(frozen=True)
class Axes:
    """A rectangle of a canvas in which data have coordinates.

    Args:
        canvas: to draw on.
        left, top, width, height: of the inner rectangle, in points; labels lie outside of it.
        x_range, y_range: what data the edges stand for; a logarithmic y must be above 0.
        logarithmic: whether y is.
    """

    canvas: Canvas
    left: float
    top: float
    width: float
    height: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    logarithmic: bool = False

    def x(self, value: float) -> float:
        """Place of a value in points."""
        low, high = self.x_range
        return self.left + self.width * (value - low) / ((high - low) or 1)

    def y(self, value: float) -> float:
        """Place of a value in points; values outside of the range lie on its edge."""
        low, high = self.y_range
        value = min(max(value, low), high)
        if self.logarithmic:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return self.top + self.height * (1 - (value - low) / ((high - low) or 1))

    def frame(self, x_label: str, y_label: str, title: str = "") -> None:
        """Draw grid, ticks and labels."""
        for value in _decades(self.y_range) if self.logarithmic else ticks_of(self.y_range):
            at = self.y(value)
            self.canvas.line([(self.left, at), (self.left + self.width, at)], LINE, 0.75)
            self.canvas.text(self.left - 6, at, _short(value), 10, MUTED, "rm")
        for value in ticks_of(self.x_range):
            at = self.x(value)
            self.canvas.line([(at, self.top + self.height), (at, self.top + self.height + 3)], MUTED, 0.75)
            self.canvas.text(at, self.top + self.height + 6, f"{value:g}", 10, MUTED, "ma")
        base = self.top + self.height
        self.canvas.line([(self.left, base), (self.left + self.width, base)], MUTED, 0.75)
        self.canvas.text(self.left + self.width / 2, base + 22, x_label, 11, INK, "ma")
        self.canvas.vertical_text(self.left - 46, self.top + self.height / 2, y_label)
        self.canvas.text(self.left, self.top - 24, title, 13, INK, bold=True)

    def curve(self, xs: Sequence[float], ys: Sequence[float], color: Color, width: float = 1.75) -> None:
        """Draw a line through data; values that are not finite leave a gap, a lone value is a dot."""
        piece: list[tuple[float, float]] = []
        for x, y in [*zip(xs, ys, strict=True), (0.0, math.nan)]:
            if math.isfinite(y):
                piece.append((self.x(x), self.y(y)))
                continue
            if len(piece) > 1:
                self.canvas.line(piece, color, width)
            elif piece:
                self.canvas.box(piece[0][0] - 2, piece[0][1] - 2, 4, 4, color, radius=2)
            piece = []

    def legend(self, entries: Sequence[tuple[str, Color]]) -> None:
        """List the series to the right of the axes."""
        for place, (name, color) in enumerate(entries):
            x, y = self.left + self.width + 16, self.top + 8 + 18 * place
            self.canvas.line([(x, y), (x + 14, y)], color, 2.5)
            self.canvas.text(x + 20, y, name, 10.5, INK, "lm")


def legend_width(names: Sequence[str]) -> float:
    """Points that a legend takes to the right of its axes."""
    return 44 + max((text_width(name, 10.5) for name in names), default=0)


def ticks_of(span: tuple[float, float], most: int = 6) -> list[float]:
    """Round values inside a range, at most so many: steps of 1, 2 or 5 times a power of 10."""
    low, high = span
    if not high > low:
        return [low]
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [round(place * step, 12) for place in range(first, math.floor(high / step + 1e-9) + 1)]


def _decades(span: tuple[float, float]) -> list[float]:
    """Powers of ten inside a range, or its ends where there are none."""
    powers = range(math.ceil(math.log10(span[0]) - 1e-9), math.floor(math.log10(span[1]) + 1e-9) + 1)
    return [10.0**power for power in powers] or list(span)


def _short(value: float) -> str:
    """A tick in few characters: 0.1, 1e-5."""
    return f"{value:.0e}".replace("e-0", "e-") if 0 < value < 0.01 else f"{value:g}"
