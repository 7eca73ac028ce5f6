"""Tracklets in pictures: some of their frames side by side, and what is known of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from reidar_plugin.errors import InputError, MissingFileError
from reidar_plugin.report.figures.canvas import Canvas, text_width
from reidar_plugin.report.figures.style import INK, MUTED, RIGHT, WRONG, plain_name

__all__ = [
    "FRAME",
    "GAP",
    "MARGIN",
    "Grid",
    "ShownTracklet",
    "draw_actions",
    "draw_strip",
    "fitted",
    "frame_pixels",
    "spread",
]

MARGIN = 28.0  #: around what stands on a page
FRAME = (56.0, 112.0)  #: width and height of a frame that is looked at by itself
GAP = 4.0  #: between such frames


@dataclass(frozen=True)
class ShownTracklet:
    """A tracklet in a picture."""

    frames: Sequence[str | np.ndarray]  #: image files, or uint8 ``(H, W, 3)`` RGB, in time order
    pid: int
    camid: int
    likelihoods: Sequence[float] | None = None  #: of the actions; None where there is no action network
    given: Sequence[str] | None = None  #: names of its actions; None where they are unknown

    @property
    def given_words(self) -> str:
        """What a picture says of the given actions."""
        if self.given is None:
            return "given: not known"
        return f"given: {', '.join(map(plain_name, self.given)) or 'none'}"


class Grid(NamedTuple):
    """Cells of one size on a page, filled row by row; lengths are in points."""

    cells: int  #: number of cells
    columns: int  #: cells in a row
    size: tuple[float, float]  #: from the corner of a cell to that of the next one, right and below
    left: float = 0  #: space between the margin and the first column
    head: float = 0  #: space between the margin and the first row
    gap: float = 0  #: part of a cell that is not needed right of the last one

    @property
    def width(self) -> float:
        """Between the margins; wide enough for a line below the grid."""
        return self.left + max(self.columns * self.size[0] - self.gap, 330)

    @property
    def bottom(self) -> float:
        """Where the last row ends."""
        return MARGIN + self.head + -(-self.cells // self.columns) * self.size[1]

    def corner(self, index: int) -> tuple[float, float]:
        """Upper left corner of a cell."""
        row, column = divmod(index, self.columns)
        return MARGIN + self.left + column * self.size[0], MARGIN + self.head + row * self.size[1]

    def page(self, title: str, foot: float) -> Canvas:
        """A page for the grid, with a title and so much space below the last row."""
        canvas = Canvas(2 * MARGIN + self.width, self.bottom + foot)
        canvas.text(MARGIN, MARGIN - 4, fitted(title, self.width, 15), 15, bold=True)
        return canvas


def frame_pixels(frame: str | np.ndarray) -> np.ndarray:
    """Pixels of a frame, uint8 ``(H, W, 3)`` RGB."""
    if isinstance(frame, np.ndarray):
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
            raise ValueError(f"a frame is uint8 (H, W, 3), got {frame.dtype} {frame.shape}")
        return frame
    try:
        with Image.open(frame) as image:
            return np.asarray(image.convert("RGB"))
    except FileNotFoundError as error:
        raise MissingFileError(f"no frame at {frame}; was the data set moved?") from error
    except (UnidentifiedImageError, OSError) as error:
        raise InputError(f"{frame}: not a readable picture ({error})") from error


def spread(count: int, most: int) -> list[int]:
    """Choose frames evenly over a tracklet.

    Args:
        count: frames of the tracklet.
        most: frames to choose at most.

    Returns:
        Indices of the chosen frames, in order.
    """
    if not count:
        raise ValueError("a tracklet without frames cannot be shown")
    shown = min(count, most)
    return [(2 * index + 1) * count // (2 * shown) for index in range(shown)]


def draw_strip(
    canvas: Canvas,
    x: float,
    y: float,
    tracklet: ShownTracklet,
    frames: int,
    size: tuple[float, float],
    gap: float = 2,
) -> None:
    """Draw some frames of a tracklet side by side.

    Args:
        canvas: what to draw on.
        x: left edge of the first frame.
        y: upper edge of the frames.
        tracklet: the tracklet whose frames are drawn.
        frames: frames to draw at most.
        size: width and height of a frame.
        gap: distance between frames.
    """
    for index, chosen in enumerate(spread(len(tracklet.frames), frames)):
        canvas.picture(x + index * (size[0] + gap), y, *size, frame_pixels(tracklet.frames[chosen]))


def draw_actions(
    canvas: Canvas,
    x: float,
    y: float,
    width: float,
    tracklet: ShownTracklet,
    names: Sequence[str],
    threshold: float = 0.5,
) -> None:
    """Write the predicted actions, coloured by whether they are given, and the given ones below.

    Args:
        canvas: what to draw on.
        x: left edge of the text.
        y: upper edge of the first line.
        width: longest line; what is longer is cut.
        tracklet: the tracklet whose actions are written.
        names: names of the actions, in the order of the tracklet's likelihoods.
        threshold: likelihood from which on an action counts as predicted.
    """
    if tracklet.likelihoods is not None:
        order = np.argsort(tracklet.likelihoods, kind="stable")[::-1].tolist()
        said = [index for index in order if tracklet.likelihoods[index] >= threshold] or order[:1]
        doubt = "" if tracklet.likelihoods[said[0]] >= threshold else "? "
        words = doubt + ", ".join(
            f"{plain_name(names[index])} {tracklet.likelihoods[index]:.2f}" for index in said
        )
        canvas.text(
            x,
            y,
            fitted(words, width, 10),
            10,
            _answer_color([names[index] for index in said], tracklet.given),
        )
    canvas.text(x, y + 14, fitted(tracklet.given_words, width, 10), 10, MUTED)


def fitted(text: str, width: float, size: float) -> str:
    """A line of text cut to a width in points, with an ellipsis at its end where something was cut off."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "...", size) > width:
        text = text[:-1]
    return text.rstrip(" ,") + "..."


def _answer_color(said: Sequence[str], given: Sequence[str] | None) -> str:
    if given is None:
        return INK
    return RIGHT if set(said) == set(given) else WRONG
