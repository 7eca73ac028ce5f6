"""Tracklets as pictures show them: some of their frames side by side, and what is known of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, UnidentifiedImageError

from reidar_plugin.errors import InputError, MissingFileError
from reidar_plugin.report.figures.canvas import INK, MUTED, RIGHT, WRONG, Canvas, Color, text_width

__all__ = ["ShownTracklet", "draw_actions", "draw_strip", "fitted", "frame_pixels", "spread"]


@dataclass(frozen=True)
class ShownTracklet:
    """A tracklet in a picture."""

    frames: Sequence[str | np.ndarray]  #: image files, or uint8 ``(H, W, 3)`` RGB, in time order
    pid: int
    camid: int
    likelihoods: Sequence[float] | None = None  #: of the actions; None where there is no action network
    given: Sequence[str] | None = None  #: names of its actions; None where they are unknown


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
    """Places of at most so many frames, evenly over the tracklet."""
    if not count:
        raise ValueError("a tracklet without frames cannot be shown")
    shown = min(count, most)
    return [(2 * place + 1) * count // (2 * shown) for place in range(shown)]


def draw_strip(
    canvas: Canvas,
    x: float,
    y: float,
    tracklet: ShownTracklet,
    frames: int,
    size: tuple[float, float],
    gap: float = 2,
) -> None:
    """Draw a tracklet's frames side by side from (x, y)."""
    for place, chosen in enumerate(spread(len(tracklet.frames), frames)):
        canvas.picture(x + place * (size[0] + gap), y, *size, frame_pixels(tracklet.frames[chosen]))


def draw_actions(
    canvas: Canvas,
    x: float,
    y: float,
    width: float,
    tracklet: ShownTracklet,
    names: Sequence[str],
    threshold: float = 0.5,
) -> None:
    """Write the predicted actions, coloured by whether they are given, and the given ones below."""
    if tracklet.likelihoods is not None:
        order = np.argsort(tracklet.likelihoods, kind="stable")[::-1].tolist()
        said = [place for place in order if tracklet.likelihoods[place] >= threshold] or order[:1]
        doubt = "" if tracklet.likelihoods[said[0]] >= threshold else "? "
        words = doubt + ", ".join(
            f"{_words(names[place])} {tracklet.likelihoods[place]:.2f}" for place in said
        )
        canvas.text(
            x, y, fitted(words, width, 10), 10, _verdict([names[place] for place in said], tracklet.given)
        )
    given = "not known" if tracklet.given is None else ", ".join(map(_words, tracklet.given)) or "none"
    canvas.text(x, y + 14, fitted(f"given: {given}", width, 10), 10, MUTED)


def fitted(text: str, width: float, size: float) -> str:
    """A line cut to a width, an ellipsis at its end."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "...", size) > width:
        text = text[:-1]
    return text.rstrip(" ,") + "..."


def _words(name: str) -> str:
    return name.replace("_", " ")


def _verdict(said: Sequence[str], given: Sequence[str] | None) -> Color:
    if given is None:
        return INK
    return RIGHT if set(said) == set(given) else WRONG
