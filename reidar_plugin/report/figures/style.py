"""The look that all pictures share, and what every chart is built with.

Charts are matplotlib's, which the extra ``report`` installs and which is imported when a chart is asked for. They are
:class:`matplotlib.figure.Figure` objects: pyplot is not involved and no global setting changes.
"""

import importlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import ImageColor

from reidar_plugin.errors import ReidarError, summary
from reidar_plugin.io.atomic import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

__all__ = [
    "INK",
    "LINE",
    "MUTED",
    "PALETTE",
    "PAPER",
    "RIGHT",
    "SHARPNESS",
    "WRONG",
    "add_foot",
    "add_legend",
    "add_title",
    "check_report_libraries",
    "label_ends",
    "new_chart",
    "plain_name",
    "save_chart",
    "series_style",
    "tint",
]

PAPER = "#ffffff"  #: behind everything
INK = "#212529"  #: text
MUTED = "#6c757d"  #: less important text
LINE = "#dee2e6"  #: grids and frames
RIGHT = "#008562"  #: a right answer; colour-blind eyes tell it from a wrong one
WRONG = "#cd4800"  #: a wrong answer
#: Series of a chart, after Okabe and Ito.
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#785e3c", "#5a5a5a")
SHARPNESS = 2  #: pixels a point in the file
LIBRARIES = ("matplotlib.figure", "sklearn.manifold")  #: what the extra ``report`` installs


def check_report_libraries(libraries: Sequence[str] = LIBRARIES) -> None:
    """Import what charts are drawn with.

    Args:
        libraries: modules that must be there.

    Raises:
        ReidarError: one cannot be imported; the message says what to install.
    """
    for library in libraries:
        try:
            importlib.import_module(library)
        except ImportError as error:
            raise ReidarError(
                f"charts need matplotlib and scikit-learn ({summary(error)}): pip install 'reidar-plugin[report]'"
            ) from error


def tint(color: str, strength: float) -> str:
    """A colour thinned with white: 0 is white, 1 the colour itself."""
    return "#" + "".join(
        f"{round(255 + (part - 255) * strength):02x}" for part in ImageColor.getrgb(color)[:3]
    )


def series_style(index: int) -> dict[str, Any]:
    """Colour and stroke of a line of a chart, by its index; after eight the colours return with dashes."""
    return {"color": PALETTE[index % 8], "linestyle": ("-", "--")[index // 8 % 2], "linewidth": 1.75}


def plain_name(name: str) -> str:
    """The name of an action or a loss term as a reader sees it."""
    return name.replace("_", " ")


def new_chart(width: float, height: float, rows: Sequence[float] = (1,)) -> tuple["Figure", list["Axes"]]:
    """An empty chart.

    Args:
        width: points from the left to the right edge of the axes; titles and labels lie around them.
        height: points from the upper to the lower edge of all axes.
        rows: relative heights of the axes, which stand one above the other over a common x axis.
    """
    check_report_libraries(LIBRARIES[:1])
    from matplotlib.figure import Figure

    figure = Figure((width / 72, height / 72), dpi=72 * SHARPNESS, facecolor=PAPER)
    edges = {"left": 0, "right": 1, "bottom": 0, "top": 1, "hspace": 0.16}
    grid = figure.subplots(len(rows), sharex=True, squeeze=False, height_ratios=rows, gridspec_kw=edges)
    for axes in grid[:, 0]:
        axes.spines[["left", "right", "top"]].set_visible(False)
        axes.spines["bottom"].set_color(MUTED)
        axes.tick_params(which="both", length=0, labelsize=9.5, labelcolor=MUTED)
        axes.grid(axis="y", color=LINE, linewidth=0.75)
        axes.set_axisbelow(True)
    return figure, list(grid[:, 0])


def add_title(axes: "Axes", title: str, above: float = 14) -> None:
    """Write the title of a chart so many points above the left end of its axes."""
    axes.set_title(title, loc="left", fontsize=13, fontweight="bold", color=INK, pad=above)


def add_foot(axes: "Axes", text: str, below: float = 44) -> None:
    """Write what a reader must know so many points below the axes of a chart."""
    axes.annotate(
        text,
        (0, 0),
        (0, -below),
        "axes fraction",
        "offset points",
        va="top",
        fontsize=9,
        color=MUTED,
        linespacing=1.5,
    )


def add_legend(axes: "Axes") -> None:
    """Name the series of a chart to the right of its axes."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(
            loc="upper left",
            bbox_to_anchor=(1.02, 1),
            frameon=False,
            fontsize=9.5,
            labelcolor=INK,
            borderpad=0,
        )


def label_ends(axes: "Axes", lines: Sequence["Line2D"], gap: float = 14) -> None:
    """Name lines where they end on the right, with names moved up where ends lie close together.

    Args:
        axes: where the lines are drawn; its limits must not change any more.
        lines: lines with at least one finite value each.
        gap: least distance of two names in points.
    """
    gap /= axes.get_window_extent().height / SHARPNESS
    to_shares = axes.transData - axes.transAxes
    ends = []
    for line in lines:
        xs, ys = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
        last = np.flatnonzero(np.isfinite(ys))[-1]
        ends.append((to_shares.transform((xs[last], ys[last]))[1], xs[last], ys[last], line))
    taken = -np.inf
    for level, x, y, line in sorted(ends, key=lambda end: end[0]):
        taken = max(level, taken + gap)
        stroke = {
            "arrowstyle": "-",
            "color": line.get_color(),
            "shrinkA": 2,
            "shrinkB": 0,
            "relpos": (0, 0.5),
        }
        name, place = str(line.get_label()), (1.04, taken)
        axes.annotate(
            name, (x, y), place, "data", "axes fraction", stroke, va="center", fontsize=9.5, color=INK
        )


def save_chart(figure: "Figure", path: str | Path) -> Path:
    """Write a chart as PNG, whole or not at all; its folder is made if need be."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight", pad_inches=0.35)
    write_atomically(path, buffer.getvalue())
    return path
