"""Which frames of a tracklet the temporal attention looks at, and which were erased."""

from collections.abc import Sequence

import numpy as np

from reidar_plugin.report.figures.canvas import Canvas
from reidar_plugin.report.figures.strips import (
    FRAME,
    GAP,
    MARGIN,
    Grid,
    ShownTracklet,
    draw_actions,
    frame_pixels,
)
from reidar_plugin.report.figures.style import INK, LINE, MUTED, PALETTE, PAPER, WRONG, tint

__all__ = ["attention_picture"]

LABEL, BAR = 64.0, 56.0


def attention_picture(
    tracklet: ShownTracklet,
    attention: np.ndarray,
    erased: np.ndarray | None = None,
    actions: Sequence[str] = (),
    *,
    title: str = "",
    columns: int = 12,
) -> Canvas:
    """Draw every frame of some clips above the weight that attention gave it; erased frames are framed and say so.

    Args:
        tracklet: the tracklet; it holds the frames of the N clips one after the other, ``N x T`` of them.
        attention: weights of the frames of each clip, ``(N, T)``; each row sums to 1.
        erased: which frames random erasing has touched, bool ``(N, T)``; None if it touched none.
        actions: names of the outputs of the action network.
        title: what stands above the picture.
        columns: frames in a row at most, if a clip is not longer; a row holds whole clips.
    """
    weights = np.asarray(attention, dtype=np.float64)
    erased = np.zeros(weights.shape, dtype=bool) if erased is None else np.asarray(erased, dtype=bool)
    if weights.ndim != 2 or erased.shape != weights.shape or len(tracklet.frames) != weights.size:
        raise ValueError(
            f"expected attention and erased flags of shape (clips, frames) for {len(tracklet.frames)} frames, "
            f"got {weights.shape} and {erased.shape}"
        )
    clips, length = weights.shape
    across = max(1, min(clips, columns // length))
    clip_width = length * (FRAME[0] + GAP) - GAP + 14
    head = 78.0 if actions else 46.0
    grid = Grid(clips, across, (clip_width, FRAME[1] + BAR + 34), LABEL, head, gap=14)
    canvas = grid.page(title or "Temporal attention", foot=26)
    canvas.text(MARGIN, MARGIN + 18, f"person {tracklet.pid}, camera {tracklet.camid}", 11, MUTED)
    if actions:
        draw_actions(canvas, MARGIN, MARGIN + 36, across * clip_width, tracklet, actions)
    for clip in range(clips):
        x, y = grid.corner(clip)
        if clip % across == 0:
            last = min(clip + across, clips)
            words = f"clips {clip + 1}-{last}" if last > clip + 1 else f"clip {last}"
            canvas.text(MARGIN, y + FRAME[1] / 2, words, 11, MUTED, "lm")
            canvas.text(MARGIN, y + FRAME[1] + BAR / 2 + 4, "weight", 11, MUTED, "lm")
        frames = tracklet.frames[clip * length : (clip + 1) * length]
        _draw_clip(canvas, x, y, frames, weights[clip], erased[clip], float(weights.max()))
    foot = "Bars: weights of a clip's frames, sum 1; the dashed line is an equal share."
    canvas.text(MARGIN, grid.bottom + 2, foot, 10, MUTED)
    return canvas


def _draw_clip(
    canvas: Canvas,
    x: float,
    y: float,
    frames: Sequence[str | np.ndarray],
    weights: np.ndarray,
    erased: np.ndarray,
    most: float,
) -> None:
    width, height = FRAME
    base = y + height + 8 + BAR
    for index, (frame, weight, gone) in enumerate(
        zip(frames, weights.tolist(), erased.tolist(), strict=True)
    ):
        left = x + index * (width + GAP)
        canvas.picture(left, y, width, height, frame_pixels(frame))
        color = WRONG if gone else PALETTE[0]
        if gone:
            canvas.box(left, y, width, height, outline=WRONG, line=2.5)
            canvas.box(left, y + height - 16, width, 16, fill=WRONG)
            canvas.text(left + width / 2, y + height - 8, "erased", 10, PAPER, "mm", bold=True)
        tall = BAR * weight / most
        canvas.box(left + 6, base - tall, width - 12, max(tall, 0.75), fill=tint(color, 0.85))
        canvas.text(left + width / 2, base + 3, f"{weight:.2f}", 10, INK, "ma")
    span = len(frames) * (width + GAP) - GAP
    canvas.line([(x, base), (x + span, base)], LINE)
    equal = base - BAR / len(frames) / most
    canvas.line([(x, equal), (x + span, equal)], MUTED, 0.9, dashed=True)
