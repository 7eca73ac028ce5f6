"""A camera's video with boxes around people, each with the colour and the number of the person, and what they do."""

import colorsys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reidar_plugin.inference.identify import Seen
from reidar_plugin.inference.recognise import Found
from reidar_plugin.inference.video import probe_video, read_video
from reidar_plugin.io.atomic import explained, replacing
from reidar_plugin.io.progress import progress

__all__ = ["annotate_video", "colour_of"]

_TICKS = 1000  # of a second
_GOLDEN = 0.61803398875  # turns of the colour wheel between two people


def annotate_video(
    path: Path, found: Found, seen: Sequence[Seen], labels: Sequence[str], on_broken: str = "stop"
) -> None:
    """Write an annotated copy as H.264 in MP4, whole or not at all; frames keep their times.

    Args:
        path: file to write.
        found: the camera and its boxes.
        seen: tracklets; those of other cameras are passed over.
        labels: text of each of them.
        on_broken: what to do at damaged frames, as in reading.

    Raises:
        UnwritableFileError: the disk is full, or fails.
    """
    import av

    boxes = found.findings.boxes
    words = {
        one.summary.track: (one.person, text)
        for one, text in zip(seen, labels, strict=True)
        if one.camera == found.camera
    }
    info = probe_video(found.camera.video)
    with (
        explained(path, "free space and start again"),
        replacing(path) as part,
        av.open(str(part), "w", format="mp4") as container,
    ):
        stream: Any = container.add_stream(
            "libx264", rate=max(1, round(info.frame_rate)), options={"crf": "23"}
        )
        stream.width, stream.height, stream.pix_fmt = info.width & ~1, info.height & ~1, "yuv420p"
        stream.codec_context.time_base = Fraction(1, _TICKS)
        frames = progress(
            f"{found.camera.name}: annotated", read_video(found.camera.video, on_broken), info.frame_count
        )
        for frame in frames:
            first, last = np.searchsorted(boxes.frame, [frame.index, frame.index + 1])
            picture = frame.pixels.copy()
            for row in range(first, last):
                _draw(picture, boxes.box[row], *words[int(boxes.track[row])])
            drawn = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(picture[: stream.height, : stream.width]), "rgb24"
            )
            drawn.pts, drawn.time_base = round(frame.time * _TICKS), Fraction(1, _TICKS)
            container.mux(stream.encode(drawn))
        container.mux(stream.encode())


def colour_of(person: int) -> tuple[int, int, int]:
    """RGB; neighbours in number are far apart in colour."""
    red, green, blue = colorsys.hsv_to_rgb(person * _GOLDEN % 1, 0.75, 0.9)
    return round(255 * red), round(255 * green), round(255 * blue)


def _draw(picture: NDArray[np.uint8], box: NDArray[np.float64], person: int, text: str) -> None:
    left, top, right, bottom = np.round([*box[:2], *(box[:2] + box[2:])]).astype(int).tolist()
    colour = colour_of(person)
    cv2.rectangle(picture, (left, top), (right, bottom), colour, 2)
    (width, height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.45, 1)
    line = max(top, height + below + 2)
    left = max(0, min(left, picture.shape[1] - width - 4))
    cv2.rectangle(picture, (left, line - height - below - 2), (left + width + 4, line), colour, -1)
    cv2.putText(
        picture, text, (left + 2, line - below), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA
    )
