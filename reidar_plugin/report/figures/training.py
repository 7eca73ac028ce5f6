"""How training went: every loss term, and the learning rates."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from reidar_plugin.report.figures.style import (
    INK,
    add_foot,
    add_title,
    label_ends,
    new_chart,
    plain_name,
    series_style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["training_chart"]

#: How the objective is drawn, which is called ``loss`` among its terms.
TOTAL: dict[str, Any] = {"label": "loss, the weighted sum", "color": INK, "linewidth": 2.5}


def training_chart(
    epochs: Sequence[float],
    losses: Mapping[str, Sequence[float]],
    rates: Mapping[str, Sequence[float]],
    title: str = "Training: loss terms and learning rate",
) -> "Figure":
    """Draw loss terms above learning rates, both on logarithmic axes.

    Args:
        epochs: the epochs after which values were taken, ``(E,)``.
        losses: values of each loss term, ``(E,)``; ``loss`` is the objective. Values that are not above 0 leave a gap.
        rates: learning rates of each optimiser, ``(E,)``.
        title: what stands above the chart.
    """
    for name, values in {**losses, **rates}.items():
        if len(values) != len(epochs):
            raise ValueError(f"{name}: expected {len(epochs)} values, one an epoch, got {len(values)}")
    if not len(epochs) or not losses:
        raise ValueError(f"nothing to draw: {len(epochs)} epochs, {len(losses)} loss terms")
    figure, (above, *below) = new_chart(520, 400 if rates else 260, (2.2, 1) if rates else (1,))
    add_title(above, title)
    hidden = _draw(above, epochs, losses, "loss terms, unweighted")
    if below:
        hidden += _draw(below[0], epochs, rates, "learning rate")
    figure.align_ylabels()
    last = figure.axes[-1]
    last.set_xlabel("epoch", color=INK)
    last.locator_params(axis="x", integer=True)
    if hidden:
        add_foot(last, f"Never above 0, so not on a logarithmic axis: {', '.join(hidden)}.")
    return figure


def _draw(
    axes: "Axes", epochs: Sequence[float], series: Mapping[str, Sequence[float]], label: str
) -> list[str]:
    """Draw and name a line for each series; returns the names of those that a logarithmic axis cannot show."""
    shown = {name: np.where(np.greater(values, 0), values, math.nan) for name, values in series.items()}
    hidden = [name for name, values in shown.items() if np.isnan(values).all()]
    lines = []
    for index, (name, values) in enumerate(shown.items()):
        style = TOTAL if name == "loss" else {"label": plain_name(name), **series_style(index)}
        if name not in hidden:  # markers as wide as the line show a value between two gaps
            lines += axes.plot(epochs, values, marker="o", markersize=3, markeredgewidth=0, **style)
    axes.set_yscale("log")
    axes.set_ylim(*_decades([value for values in shown.values() for value in values if value > 0]))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_ylabel(label, color=INK)
    axes.margins(x=0.01)
    if len(series) > 1 and lines:
        label_ends(axes, lines)
    return hidden


def _decades(values: Sequence[float]) -> tuple[float, float]:
    """Whole powers of ten around values above 0."""
    low, high = math.floor(math.log10(min(values, default=1))), math.ceil(math.log10(max(values, default=1)))
    return 10.0**low, 10.0 ** max(high, low + 1)
