"""How training went: every loss term, and the learning rates."""

import math
from collections.abc import Mapping, Sequence

from reidar_plugin.report.figures.axes import Axes, legend_width
from reidar_plugin.report.figures.canvas import PALETTE, Canvas, Color

__all__ = ["training_picture"]

MARGIN, WIDTH, LOSSES, RATES = 28.0, 520.0, 260.0, 120.0


def training_picture(
    epochs: Sequence[float],
    losses: Mapping[str, Sequence[float]],
    rates: Mapping[str, Sequence[float]],
    title: str = "Training",
) -> Canvas:
    """Draw loss terms above learning rates, both on logarithmic axes.

    Args:
        epochs: where the values were taken, ``(E,)``.
        losses: values of each term, ``(E,)``; values that are not above 0 leave a gap.
        rates: learning rate of each optimiser, ``(E,)``.
        title: of the picture.
    """
    for name, values in {**losses, **rates}.items():
        if len(values) != len(epochs):
            raise ValueError(f"{name}: expected {len(epochs)} values, one an epoch, got {len(values)}")
    if not len(epochs) or not losses:
        raise ValueError(f"nothing to draw: {len(epochs)} epochs, {len(losses)} loss terms")
    names = [*losses, *rates]
    left, top = MARGIN + 56, MARGIN + 34
    canvas = Canvas(left + WIDTH + legend_width(names) + MARGIN, top + LOSSES + 90 + RATES + 62)
    _draw(
        Axes(canvas, left, top, WIDTH, LOSSES, _span(epochs), _decades(losses), True),
        epochs,
        losses,
        "loss",
        title,
    )
    if rates:
        below = top + LOSSES + 84
        axes = Axes(canvas, left, below, WIDTH, RATES, _span(epochs), _decades(rates), True)
        _draw(axes, epochs, rates, "learning rate", "")
    return canvas


def _draw(
    axes: Axes, epochs: Sequence[float], series: Mapping[str, Sequence[float]], label: str, title: str
) -> None:
    axes.frame("epoch", label, title)
    for place, values in enumerate(series.values()):
        axes.curve(epochs, [value if value > 0 else math.nan for value in values], _color(place))
    axes.legend([(name, _color(place)) for place, name in enumerate(series)])


def _span(epochs: Sequence[float]) -> tuple[float, float]:
    low, high = min(epochs), max(epochs)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _decades(series: Mapping[str, Sequence[float]]) -> tuple[float, float]:
    """Whole powers of ten around all values above 0."""
    values = [
        value for column in series.values() for value in column if value > 0 and math.isfinite(value)
    ] or [1.0]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return 10.0**low, 10.0 ** max(high, low + 1)


def _color(place: int) -> Color:
    return PALETTE[place % len(PALETTE)]
