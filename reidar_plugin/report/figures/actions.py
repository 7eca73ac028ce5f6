"""Pictures of an action report: who is taken for whom, precision against recall, F1 of each action."""

from collections.abc import Mapping
from typing import Any

from reidar_plugin.metrics.actions import Curve
from reidar_plugin.report.figures.axes import Axes, legend_width
from reidar_plugin.report.figures.canvas import INK, LINE, MUTED, PALETTE, RIGHT, Canvas, text_width, tint

__all__ = ["confusion_picture", "f1_picture", "precision_recall_picture"]

MARGIN = 28.0


def confusion_picture(
    actions: Mapping[str, Any], title: str = "Given actions against predicted ones"
) -> Canvas:
    """Draw the confusion matrix of ``results.actions``: counts, tinted by their share of the given action.

    Args:
        actions: as :func:`~reidar_plugin.report.records.action_record` makes it.
        title: of the picture.
    """
    confusion = actions["confusion"]
    rows, columns, table = confusion["rows"], confusion["columns"], confusion["table"]
    cell, side = (58.0, 36.0), max(text_width(_words(name), 11) for name in rows) + 16
    head = max(text_width(_words(name), 11) for name in columns) + 14
    left, top = MARGIN + 20 + side, MARGIN + 44 + head
    width = left + cell[0] * len(columns) + 70
    canvas = Canvas(max(width + MARGIN, 460), top + cell[1] * len(rows) + 62)
    canvas.text(MARGIN, MARGIN - 4, title, 15, bold=True)
    canvas.text(left, MARGIN + 22, "predicted", 11, MUTED)
    canvas.vertical_text(MARGIN + 4, top + cell[1] * len(rows) / 2, "given", 11, MUTED)
    for place, name in enumerate(columns):
        x = left + cell[0] * (place + 0.5)
        canvas.vertical_text(
            x, top - 10 - text_width(_words(name), 11) / 2, _words(name), 11, MUTED if name == "none" else INK
        )
    for row, name in enumerate(rows):
        y, total = top + cell[1] * row, sum(table[row])
        canvas.text(left - 10, y + cell[1] / 2, _words(name), 11, INK, "rm")
        canvas.text(left + cell[0] * len(columns) + 10, y + cell[1] / 2, f"{total:,}", 11, MUTED, "lm")
        for column, count in enumerate(table[row]):
            share = count / total if total else 0.0
            color = RIGHT if row == column else PALETTE[1]
            x = left + cell[0] * column
            canvas.box(
                x + 1,
                y + 1,
                cell[0] - 2,
                cell[1] - 2,
                tint(color, share) if count else (247, 248, 249),
                radius=3,
            )
            ink = (255, 255, 255) if share > 0.6 else INK if count else LINE
            canvas.text(x + cell[0] / 2, y + cell[1] / 2, f"{count:,}", 11, ink, "mm")
    canvas.text(left + cell[0] * len(columns) + 10, top - 16, "all", 11, MUTED, "lm")
    left_out = actions["counts"]["known"] - actions["counts"]["confused"]
    foot = f"Tracklets with exactly one given action; {left_out:,} with none or several are left out."
    canvas.text(MARGIN, top + cell[1] * len(rows) + 18, foot, 10, MUTED)
    canvas.text(MARGIN, top + cell[1] * len(rows) + 32, "none: no action reaches its threshold.", 10, MUTED)
    return canvas


def precision_recall_picture(curves: Mapping[str, Curve], title: str = "Precision against recall") -> Canvas:
    """Draw a curve for each action that the test shows.

    Args:
        curves: of :func:`~reidar_plugin.metrics.actions.precision_recall_curve`, by action.
        title: of the picture.
    """
    names = [_words(name) for name in curves]
    canvas = Canvas(MARGIN + 52 + 400 + legend_width(names) + MARGIN, MARGIN + 36 + 320 + 64)
    axes = Axes(canvas, MARGIN + 52, MARGIN + 36, 400, 320, (0.0, 1.0), (0.0, 1.0))
    axes.frame("recall", "precision", title)
    for place, curve in enumerate(curves.values()):
        xs, ys = [0.0], [float(curve.precision[0])]
        for recall, precision in zip(curve.recall.tolist(), curve.precision.tolist(), strict=True):
            if recall > xs[-1]:  # average precision is the area under these steps
                xs += [xs[-1], recall]
                ys += [precision, precision]
        axes.curve(xs, ys, _color(place))
    axes.legend([(name, _color(place)) for place, name in enumerate(names)])
    return canvas


def f1_picture(actions: Mapping[str, Any], title: str = "F1 of each action") -> Canvas:
    """Draw a bar for each action of ``results.actions``, and the macro mean as a line.

    Args:
        actions: as :func:`~reidar_plugin.report.records.action_record` makes it.
        title: of the picture.
    """
    records = actions["per_action"]
    side = max(text_width(_words(name), 11) for name in records) + 14
    row, width, left, top = 30.0, 380.0, MARGIN + side, MARGIN + 34
    canvas = Canvas(left + width + 150, top + row * len(records) + 58)
    canvas.text(MARGIN, MARGIN - 4, title, 15, bold=True)
    bottom = top + row * len(records)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        canvas.line([(left + width * share, top), (left + width * share, bottom)], LINE, 0.75)
        canvas.text(left + width * share, bottom + 6, f"{share:g}", 10, MUTED, "ma")
    for place, (name, record) in enumerate(records.items()):
        y = top + row * place
        canvas.text(left - 10, y + row / 2, _words(name), 11, INK, "rm")
        color = PALETTE[0] if record["support"] else LINE
        canvas.box(left, y + 6, max(width * record["f1"], 1), row - 12, color, radius=2)
        words = f"{record['f1']:.3f}   {record['support']:,} tracklets"
        canvas.text(left + width + 10, y + row / 2, words, 10.5, INK if record["support"] else MUTED, "lm")
    mean = actions["macro"]["f1"]
    canvas.line([(left + width * mean, top), (left + width * mean, bottom)], PALETTE[1], 1.5, dashed=True)
    canvas.text(left, bottom + 26, f"dashed: macro mean {mean:.3f}", 10.5, PALETTE[1])
    return canvas


def _color(place: int) -> tuple[int, int, int]:
    return PALETTE[place % len(PALETTE)]


def _words(name: str) -> str:
    return name.replace("_", " ")
