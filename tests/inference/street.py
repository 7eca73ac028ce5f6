"""Little videos whose frames tell their number, and boxes for them."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reidar_plugin.inference.tracks import Tracks

WIDTH, HEIGHT = 128, 96
BITS = 8


def picture(number: int) -> NDArray[np.uint8]:
    """RGB; the number in black and white bars on top, below them a red bar that walks to the right."""
    pixels = np.full((HEIGHT, WIDTH, 3), 40, np.uint8)
    for bit in range(BITS):
        pixels[:12, 12 * bit : 12 * bit + 12] = 255 * (number >> bit & 1)
    left = 4 * number % WIDTH
    pixels[20:, left : left + 8] = (255, 0, 0)
    return pixels


def number_of(pixels: NDArray[np.uint8]) -> int:
    """What the bars of a picture say."""
    return sum(int(pixels[4:8, 12 * bit + 4 : 12 * bit + 8].mean() > 128) << bit for bit in range(BITS))


def write_video(path: Path, frames: int = 20, fourcc: str = "MJPG", rate: float = 25.0) -> Path:
    """A video of :func:`picture` by OpenCV."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*fourcc), rate, (WIDTH, HEIGHT))
    assert writer.isOpened()
    for number in range(frames):
        writer.write(cv2.cvtColor(picture(number), cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def write_h264(
    path: Path,
    times: Sequence[float],
    turned: int = 0,
    codec: str = "libx264",
    beat: int = 1000,
    index_first: bool = False,
    **options: str,
) -> Path:
    """A video of :func:`picture` by PyAV, a frame at each of the times, which are kept in beats of a second.

    An MP4 has its index before or behind the frames.
    """
    import av

    base = Fraction(1, beat)
    with av.open(str(path), "w", options={"movflags": "faststart"} if index_first else {}) as container:
        stream: Any = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.time_base = stream.time_base = base
        if turned:
            stream.set_display_rotation(turned)
        for number, seconds in enumerate(times):
            frame = av.VideoFrame.from_ndarray(picture(number), "rgb24")
            frame.pts, frame.time_base = round(seconds / base), base
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def damage(path: Path, start: float = 0.5, size: int = 200) -> Path:
    """Overwrite some bytes of a file, from that part of it on, with others."""
    data = bytearray(path.read_bytes())
    first = int(len(data) * start)
    data[first : first + size] = np.random.default_rng(0).integers(0, 256, size, np.uint8).tobytes()
    path.write_bytes(data)
    return path


def tracks_of(rows: Sequence[tuple[int, int, float, float, float, float]], score: float = 1.0) -> Tracks:
    """From rows of frame, track, left, top, width, height."""
    table = np.array(rows, np.float64).reshape(-1, 6)
    return Tracks(
        table[:, 0].astype(np.int64),
        table[:, 1].astype(np.int64),
        table[:, 2:],
        np.full(len(table), score, np.float32),
    ).sorted()
