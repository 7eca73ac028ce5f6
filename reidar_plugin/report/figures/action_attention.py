"""Where and when the action network sees each action: its attention over the frames of a tracklet, an action a row."""

from collections.abc import Sequence

import numpy as np

from reidar_plugin.report.figures.canvas import Canvas
from reidar_plugin.report.figures.masks import heat
from reidar_plugin.report.figures.strips import FRAME, GAP, MARGIN, Grid, ShownTracklet, fitted, frame_pixels
from reidar_plugin.report.figures.style import plain_name

__all__ = ["action_attention_picture"]

LABEL = 110.0
LINE = 14.0  # below a frame, for its share of the attention
TITLE = "Where and when each action is seen"


def action_attention_picture(
    tracklet: ShownTracklet, attention: np.ndarray, actions: Sequence[str], *, title: str = TITLE
) -> Canvas:
    """Draw the frames of some clips, and below them the attention of each action over them.

    Args:
        tracklet: the tracklet; it holds the frames of the N clips one after the other, ``N x T`` of them.
        attention: attention of each clip, ``(N, M, T, h, w)``, sum 1 over T, h and w; each action is scaled to its
            greatest value.
        actions: names of the M actions.
        title: what stands above the picture.
    """
    values = np.asarray(attention, dtype=np.float64)
    if (
        values.ndim != 5
        or values.shape[1] != len(actions)
        or values.shape[0] * values.shape[2] != len(tracklet.frames)
    ):
        raise ValueError(
            f"expected attention (N, M, T, h, w) of {len(actions)} actions over {len(tracklet.frames)} frames, "
            f"got {values.shape}"
        )
    rows = values.swapaxes(1, 2).reshape(len(tracklet.frames), len(actions), *values.shape[3:])
    most = rows.max(axis=(0, 2, 3), keepdims=True)
    scaled = rows / np.where(most > 0, most, 1)
    pixels = [frame_pixels(frame) for frame in tracklet.frames]
    across, cell = len(pixels), (FRAME[0] + GAP, FRAME[1] + LINE + GAP)
    grid = Grid((1 + len(actions)) * across, across, cell, LABEL, head=46)
    canvas = grid.page(title, foot=MARGIN + 20)
    words = f"person {tracklet.pid}, camera {tracklet.camid}, {tracklet.given_words}"
    canvas.text(MARGIN, MARGIN + 18, fitted(words, grid.width, 11))
    for line, name in enumerate(("frames", *actions)):
        for index, frame in enumerate(pixels):
            left, top = grid.corner(line * across + index)
            if not index:
                _label(canvas, top, name, tracklet, line - 1)
            canvas.picture(left, top, *FRAME, heat(frame, scaled[index, line - 1]) if line else frame)
            if line:
                share = f"{rows[index, line - 1].sum():.2f}"
                canvas.text(left + FRAME[0] / 2, top + FRAME[1] + 1, share, 10, anchor="ma")
    foot = "Dark to bright: 0 to the action's greatest attention. Below a frame: its share in its clip's."
    canvas.text(MARGIN, grid.bottom, foot, 10)
    return canvas


def _label(canvas: Canvas, top: float, name: str, tracklet: ShownTracklet, action: int) -> None:
    """What stands left of a row: the frames, or an action and its likelihood."""
    canvas.text(MARGIN, top + FRAME[1] / 2, fitted(plain_name(name), LABEL - 8, 11), 11, anchor="lm")
    if action >= 0 and tracklet.likelihoods is not None:
        likely = f"{tracklet.likelihoods[action]:.2f}"
        canvas.text(MARGIN, top + FRAME[1] / 2 + 15, likely, 11, anchor="lm", bold=True)
