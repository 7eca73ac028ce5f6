"""A query tracklet and the gallery tracklets that the model ranks first: whose they are, and what they do."""

from collections.abc import Sequence
from typing import NamedTuple

from reidar_plugin.report.figures.canvas import Canvas
from reidar_plugin.report.figures.strips import MARGIN, Grid, ShownTracklet, draw_actions, draw_strip
from reidar_plugin.report.figures.style import INK, LINE, MUTED, RIGHT, WRONG, tint

__all__ = ["RankedTracklet", "ranked_picture"]

GAP, PAD = 14.0, 9.0
FRAME = (46.0, 92.0)


class RankedTracklet(NamedTuple):
    """A gallery tracklet at its rank."""

    tracklet: ShownTracklet
    distance: float


def ranked_picture(
    query: ShownTracklet,
    ranked: Sequence[RankedTracklet],
    actions: Sequence[str] = (),
    *,
    title: str = "",
    frames: int = 4,
    columns: int = 5,
    threshold: float = 0.5,
) -> Canvas:
    """Draw a query and its first gallery tracklets, ``columns`` in a row.

    Args:
        query: the tracklet of the person who is looked for.
        ranked: gallery tracklets, nearest first, without those of the query's own identity and camera.
        actions: names of the outputs of the action network.
        title: what made the ranking: model, data set, protocol.
        frames: frames shown of each tracklet.
        columns: gallery tracklets in a row.
        threshold: likelihood from which on an action counts as predicted.
    """
    lines, columns = bool(actions), max(3, min(columns, len(ranked)))
    card = (frames * (FRAME[0] + 2) - 2 + 2 * PAD, FRAME[1] + 2 * PAD + (50 if lines else 20))
    grid = Grid(len(ranked), columns, (card[0] + GAP, card[1] + GAP), head=card[1] + 66, gap=GAP)
    canvas = grid.page(title or "Ranked tracklets", foot=MARGIN - GAP)
    top = MARGIN + 30

    def draw(x: float, y: float, tracklet: ShownTracklet, words: str, color: str, note: str) -> None:
        canvas.box(x, y, *card, fill=tint(color, 0.07), outline=color, line=2, radius=6)
        draw_strip(canvas, x + PAD, y + PAD, tracklet, frames, FRAME)
        below = y + PAD + FRAME[1] + 5
        canvas.text(x + PAD, below, words, 11, color, bold=True)
        canvas.text(x + card[0] - PAD, below + 1, note, 10, MUTED, "ra")
        if lines:
            draw_actions(canvas, x + PAD, below + 17, card[0] - 2 * PAD, tracklet, actions, threshold)

    draw(MARGIN, top, query, f"Query: person {query.pid}", INK, f"camera {query.camid}")
    _explain(canvas, MARGIN + card[0] + 2 * GAP, top + PAD, query, ranked, lines)
    for index, (tracklet, distance) in enumerate(ranked):
        right = tracklet.pid == query.pid
        words = f"{index + 1}  {'right' if right else 'wrong'}: {tracklet.pid}"
        note = f"camera {tracklet.camid}, d {distance:.3g}"
        draw(*grid.corner(index), tracklet, words, RIGHT if right else WRONG, note)
    between = top + card[1] + 18
    canvas.line([(MARGIN, between), (MARGIN + grid.width, between)], LINE)
    return canvas


def _explain(
    canvas: Canvas, x: float, y: float, query: ShownTracklet, ranked: Sequence[RankedTracklet], actions: bool
) -> None:
    """Write what the colours mean, and how many gallery tracklets are right."""
    right = sum(entry.tracklet.pid == query.pid for entry in ranked)
    canvas.text(
        x,
        y,
        f"{right} of the first {len(ranked)} show person {query.pid} (tracklets of the query's own camera do not count).",
        12,
    )
    for index, (color, words) in enumerate(
        ((RIGHT, "the same person"), (WRONG, "another person, or nobody"))
    ):
        canvas.box(x, y + 26 + 20 * index, 12, 12, tint(color, 0.07), color, 2, 3)
        canvas.text(x + 20, y + 32 + 20 * index, words, 11, INK, "lm")
    canvas.text(x, y + 74, "d: distance to the query", 11, MUTED)
    if actions:
        words = "Actions: what the model says, with its likelihood, green where that is what is given"
        canvas.text(x, y + 92, words, 11, MUTED)
