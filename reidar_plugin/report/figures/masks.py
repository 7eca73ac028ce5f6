"""Where the attribute branches of ASA-Net see a person: the ASRE masks over the frames."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from reidar_plugin.report.figures.canvas import Canvas
from reidar_plugin.report.figures.strips import FRAME, GAP, MARGIN, Grid, frame_pixels
from reidar_plugin.report.figures.style import INK, MUTED

__all__ = ["heat", "masks_picture"]

LABEL = 96.0
STRENGTH = 0.6  # of the colour over the frame

#: Colours of the lowest, the middle and the highest value, told apart also in grey.
RAMP = np.array([[28, 20, 78], [190, 55, 82], [252, 225, 110]], dtype=np.float64)


def heat(frame: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A frame in grey under the colours of a mask.

    Args:
        frame: pixels of the frame, uint8 ``(H, W, 3)`` RGB.
        mask: values from 0 to 1, ``(h, w)``; they are enlarged smoothly to the size of the frame.

    Returns:
        Coloured pixels, uint8 ``(H, W, 3)``.
    """
    small = Image.fromarray(np.asarray(mask, dtype=np.float32))  # mode F
    large = np.asarray(small.resize(frame.shape[1::-1], Image.Resampling.BICUBIC), dtype=np.float64).clip(
        0, 1
    )
    colors = np.stack([np.interp(large, (0.0, 0.5, 1.0), channel) for channel in RAMP.T], axis=-1)
    grey = frame.mean(axis=2, keepdims=True)
    return ((1 - STRENGTH) * grey + STRENGTH * colors).round().astype(np.uint8)


def masks_picture(
    frames: Sequence[str | np.ndarray],
    masks: np.ndarray,
    names: Sequence[str] = ("ID-relevant", "ID-irrelevant"),
    *,
    title: str = "",
    columns: int = 12,
) -> Canvas:
    """Draw frames, and below each the masks of the branches over it.

    Args:
        frames: image files or pixels of F frames, in time order.
        masks: masks of the R branches over each frame, ``(F, R, h, w)``; each branch is scaled to its own least and
            greatest value over all frames.
        names: names of the branches.
        title: what stands above the picture.
        columns: frames in a row.
    """
    values = np.asarray(masks, dtype=np.float64)
    if values.ndim != 4 or values.shape[:2] != (len(frames), len(names)) or not len(frames):
        raise ValueError(
            f"expected masks (F, R, h, w) of {len(frames)} frames and {len(names)} branches, got {values.shape}"
        )
    low, high = (end(values, axis=(0, 2, 3), keepdims=True) for end in (np.min, np.max))
    scaled = (values - low) / np.where(high > low, high - low, 1)
    across = min(columns, len(frames))
    cell = FRAME[0] + GAP, (1 + len(names)) * (FRAME[1] + GAP) + 16
    grid = Grid(len(frames), across, cell, LABEL, head=30)
    canvas = grid.page(title or "Attribute salient regions (ASRE)", foot=MARGIN + 34)
    for index, frame in enumerate(frames):
        pixels = frame_pixels(frame)
        x, top = grid.corner(index)
        for line, picture in enumerate([pixels, *(heat(pixels, mask) for mask in scaled[index])]):
            y = top + line * (FRAME[1] + GAP)
            if index % across == 0:
                canvas.text(MARGIN, y + FRAME[1] / 2, ("frames", *names)[line], 11, INK, "lm")
            canvas.picture(x, y, *FRAME, picture)
    spans = ", ".join(
        f"{name} {least:.2f} to {most:.2f}"
        for name, least, most in zip(names, low.ravel().tolist(), high.ravel().tolist(), strict=True)
    )
    canvas.text(MARGIN, grid.bottom + 4, f"Dark to bright: {spans}.", 10, MUTED)
    canvas.text(MARGIN, grid.bottom + 19, "Identity maps are multiplied by 1 + alpha x mask.", 10, MUTED)
    return canvas
