"""Charts of how actions are recognised: which is taken for which, precision against recall, F1 of each action."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import ImageColor

from reidar_plugin.metrics.actions import Curve
from reidar_plugin.report.figures.style import (
    INK,
    LINE,
    MUTED,
    PALETTE,
    PAPER,
    RIGHT,
    add_foot,
    add_legend,
    add_title,
    new_chart,
    plain_name,
    series_style,
    tint,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["confusion_chart", "f1_chart", "precision_recall_chart"]

EMPTY = "#f7f8f9"  # a cell of the confusion matrix that counts nothing


def confusion_chart(
    actions: Mapping[str, Any], title: str = "Given actions against predicted ones"
) -> "Figure":
    """Draw the confusion matrix: counts, and their shares of the tracklets with the given action, which tint the cells.

    Args:
        actions: ``results.actions``, as :func:`~reidar_plugin.report.results.action_results` makes them.
        title: what stands above the chart.
    """
    confusion = actions["confusion"]
    table = np.array(confusion["table"])
    rows, columns = table.shape
    figure, (axes,) = new_chart(64 * columns, 42 * rows)
    _draw_cells(axes, table)
    totals = zip(confusion["rows"], table.sum(axis=1).tolist(), strict=True)
    axes.set_yticks(range(rows), [f"{plain_name(name)} ({total:,})" for name, total in totals], color=INK)
    names = [plain_name(name).replace(" ", "\n") for name in confusion["columns"]]
    axes.set_xticks(range(columns), names, color=INK)
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.set_xlabel("predicted", color=MUTED)
    axes.set_ylabel("given (tracklets)", color=MUTED)
    add_title(axes, title)
    left_out = actions["counts"]["known"] - actions["counts"]["confused"]
    words = f"Tracklets with exactly one given action; {left_out:,} with none or several are left out."
    add_foot(axes, f"{words}\nShares are of a row. none: no action reaches its threshold.", 12)
    return figure


def _draw_cells(axes: "Axes", table: np.ndarray) -> None:
    """Draw counts ``(M, M + 1)``, each over its share of the row: what is right in one colour, what is wrong in another."""
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    pixels = np.full((*table.shape, 3), ImageColor.getrgb(EMPTY), np.uint8)
    for (row, column), count in np.ndenumerate(table):
        share, color = shares[row, column], RIGHT if row == column else PALETTE[1]
        words, ink = (f"{count:,}\n{share:.0%}", PAPER if share > 0.6 else INK) if count else ("0", LINE)
        if count:
            pixels[row, column] = ImageColor.getrgb(tint(color, share))
        axes.text(column, row, words, ha="center", va="center", color=ink, fontsize=9.5)
    axes.imshow(pixels, aspect="auto")
    axes.spines[:].set_visible(False)
    axes.grid(visible=False)
    axes.set_xticks(np.arange(1, table.shape[1]) - 0.5, minor=True)
    axes.set_yticks(np.arange(1, table.shape[0]) - 0.5, minor=True)
    axes.grid(which="minor", color=PAPER, linewidth=2)
    axes.set_axisbelow(False)


def precision_recall_chart(
    curves: Mapping[str, Curve], actions: Mapping[str, Any], title: str = "Precision against recall"
) -> "Figure":
    """Draw a curve for each action, named with its average precision, which is the area under it.

    Args:
        curves: curves of :func:`~reidar_plugin.metrics.actions.precision_recall_curve`, by action.
        actions: ``results.actions``, as :func:`~reidar_plugin.report.results.action_results` makes them.
        title: what stands above the chart.
    """
    figure, (axes,) = new_chart(400, 320)
    for index, (name, curve) in enumerate(curves.items()):
        figures, style = actions["per_action"][name], series_style(index)
        share = figures["support"] / actions["counts"]["known"]
        rises = np.diff(curve.recall, prepend=0) > 0
        precision = curve.precision[rises]
        label = f"{plain_name(name)}: AP {figures['average_precision']:.3f}, share {share:.3f}"
        xs, ys = [0, *curve.recall[rises]], [precision[0], *precision]
        axes.plot(xs, ys, drawstyle="steps-pre", label=label, **style)
        axes.axhline(share, color=style["color"], linestyle=":", linewidth=1.25)
    axes.set(xlim=(0, 1), ylim=(0, 1.01))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:g}")
    axes.set_xlabel("recall", color=INK)
    axes.set_ylabel("precision", color=INK)
    add_title(axes, title)
    add_legend(axes)
    add_foot(axes, "Dotted: the share of tracklets that show the action, which is the precision of guessing.")
    return figure


def f1_chart(actions: Mapping[str, Any], title: str = "F1 of each action") -> "Figure":
    """Draw a bar for each action, and the macro mean as a line.

    Args:
        actions: ``results.actions``, as :func:`~reidar_plugin.report.results.action_results` makes them.
        title: what stands above the chart.
    """
    rows = actions["per_action"]
    figure, (axes,) = new_chart(380, 30 * len(rows))
    values = [row["f1"] for row in rows.values()]
    axes.barh(range(len(rows)), values, height=0.6, color=PALETTE[0])
    for index, row in enumerate(rows.values()):
        words = f"{row['f1']:.3f}   {row['support']:,} tracklets"
        color = INK if row["support"] else MUTED
        axes.annotate(
            words, (1, index), (10, 0), textcoords="offset points", va="center", color=color, fontsize=9.5
        )
    mean = actions["macro"]["f1"]
    axes.axvline(mean, color=PALETTE[1], linestyle="--", linewidth=1.5)
    axes.annotate(
        f"macro mean {mean:.3f}",
        (mean, 1),
        (0, 4),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        ha="center",
        color=PALETTE[1],
        fontsize=9.5,
    )
    axes.set(xlim=(0, 1), ylim=(len(rows) - 0.5, -0.5), xticks=(0, 0.25, 0.5, 0.75, 1))
    axes.set_yticks(range(len(rows)), [plain_name(name) for name in rows], color=INK)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("F1", color=INK)
    axes.spines["bottom"].set_visible(False)
    axes.grid(visible=False)
    axes.grid(axis="x", color=LINE, linewidth=0.75)
    add_title(axes, title, 26)
    return figure
