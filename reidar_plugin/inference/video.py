"""Frames of a video file in order, by PyAV: decoded one after another, however long the video is.

PyAV and not OpenCV, because OpenCV hides what went wrong: at a damaged H.264 frame it stops as if the video ended, at a
damaged MPEG-4 frame it goes on and all later frames have another number, and its wheels have no decoder of AV1
(docs/video.md has the measurements). Pixels are the same bits.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from warnings import warn

import numpy as np
from numpy.typing import NDArray

from reidar_plugin.data.frames import ON_BROKEN
from reidar_plugin.errors import ConfigError, ReidarError, summary
from reidar_plugin.inference.video_size import promised_size

#: Formats of files with frames of their own, by FFmpeg's names; a playlist leads to other files, and may have no end.
_FORMATS = (
    *(
        "mov",
        "mp4",
        "m4a",
        "3gp",
        "3g2",
        "mj2",
        "matroska",
        "webm",
        "avi",
        "asf",
        "flv",
        "ogg",
        "nut",
        "mxf",
        "rm",
    ),
    *(
        "mpeg",
        "mpegts",
        "mpegvideo",
        "m4v",
        "h261",
        "h263",
        "h264",
        "hevc",
        "vvc",
        "evc",
        "av1",
        "obu",
        "ivf",
        "vc1",
    ),
    *(
        "mjpeg",
        "mpjpeg",
        "dv",
        "dhav",
        "wtv",
        "gif",
        "apng",
        "gxf",
        "ifv",
        "iv8",
        "nc",
        "yuv4mpegpipe",
        "cavsvideo",
        "dirac",
        "swf",
        "nuv",
    ),
    *("wav", "mp3", "flac", "aac"),  # of which it is said that they have no pictures
)

__all__ = ["VideoError", "VideoFrame", "VideoInfo", "probe_video", "read_video"]


class VideoError(ReidarError, OSError):
    """A video that cannot be read; the message starts with its path."""


@dataclass(frozen=True, eq=False, slots=True)
class VideoFrame:
    """One picture of a video."""

    index: int  #: from 0, as the lines of a MOT file count from 1
    time: float  #: seconds since the first frame
    pixels: NDArray[np.uint8]  #: ``(H, W, 3)``, RGB, upright


class VideoInfo(NamedTuple):
    """What is known of a video before it is decoded."""

    width: int  #: of the upright picture
    height: int  #: of the upright picture
    frame_count: int  #: counted, not what the header promises
    frame_rate: float  #: frames a second as counted, the mean where it varies
    codec: str  #: such as ``h264``


def probe_video(path: str | os.PathLike[str], on_broken: str = "skip") -> VideoInfo:
    """Open a video, decode its first frame, and count the others by their packets.

    Args:
        path: a video file, of any format that FFmpeg reads but lists of others.
        on_broken: ``stop`` raises where the file is cut short, ``skip`` warns.

    Raises:
        VideoError: it is missing, empty, no video, of a codec that cannot be decoded, or has no frame.
    """
    with _opened(path, on_broken) as container:
        stream = container.streams.video[0]
        ticks = list(_ticks(container, stream))
        known = [tick for tick in ticks if tick is not None]
        seconds = float((max(known) - min(known)) * stream.time_base) if known else 0.0
        rate = (len(ticks) - 1) / seconds if seconds else float(stream.average_rate or 0)
        _warn_if_short(path, stream, len(ticks), seconds)
        codec = stream.codec_context.name
    first = next(iter(read_video(path, "skip")), None)
    if first is None:
        raise VideoError(f"{path}: expected a video, got one without a frame that can be decoded")
    height, width = first.pixels.shape[:2]
    return VideoInfo(width, height, len(ticks), rate, codec)


def read_video(path: str | os.PathLike[str], on_broken: str = "stop") -> Iterator[VideoFrame]:
    """Yield the frames of a video in order of time, upright where the file says that it was turned.

    Args:
        path: a video file, of any format that FFmpeg reads but lists of others.
        on_broken: ``stop`` raises at a frame that is damaged, and before the first one where the file is cut short;
            ``skip`` leaves such frames out and says how many at the end. A frame after a damaged one keeps its number,
            which is found again by its time and the frame rate, which is exact where the rate is steady there.

    Raises:
        VideoError: as :func:`probe_video`, at a damaged frame, or for a file that is cut short.

    Warns:
        RuntimeWarning: at the end, if frames were left out, the file is cut short, or its header promises more frames
            than there were. Some formats (MPEG-4 in AVI) lose damaged frames without any other trace.
    """
    with _opened(path, on_broken) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        counter = _Counter(float(stream.average_rate or 0))
        for frame, broken in _decoded(container, stream):
            if broken:
                if on_broken == "stop":
                    raise VideoError(
                        f"{path}: damaged near frame {counter.index + 2} ({broken}); fetch the file again, or set "
                        "on_broken 'skip' (--on-broken skip) to leave damaged frames out"
                    )
                counter.broken = True
            if frame is not None and not frame.is_corrupt:
                yield VideoFrame(*counter.count(frame.time), _upright(frame))
        if counter.left_out or counter.broken:
            left_out = counter.left_out or "some"
            warn(
                f"{path}: left out {left_out} damaged frames of {counter.index + 1}",
                RuntimeWarning,
                stacklevel=2,
            )
        _warn_if_short(path, stream, counter.index + 1, counter.last)


def _shortfall(path: str | os.PathLike[str]) -> str:
    """What is said of a file that is cut short; empty where it is not, or does not tell."""
    promised, there = promised_size(path), os.stat(path).st_size
    return (
        f"cut short or damaged: by its own headers it has {promised:,} bytes, {there:,} are there"
        if there < promised
        else ""
    )


def _warn_if_short(path: str | os.PathLike[str], stream: Any, read: int, seconds: float) -> None:
    """Compare with the header: sizes, and the number of frames where it counts these and no other beat (AVI may)."""
    counts = seconds > 0 and abs(float(stream.average_rate or 0) * seconds / (read - 1) - 1) < 0.1
    if cut := _shortfall(path):
        warn(f"{path}: {cut}, with {read} frames", RuntimeWarning, stacklevel=3)
    elif counts and read < stream.frames:
        warn(
            f"{path}: its header promises {stream.frames} frames, {read} are there: it is damaged, and tracks after the "
            "damage may be of other frames",
            RuntimeWarning,
            stacklevel=3,
        )


class _Counter:
    """Numbers of frames, right again after some were lost."""

    def __init__(self, rate: float) -> None:
        self.interval = 1 / rate if rate else 0.0  # of the last two frames between which nothing was lost
        self.index, self.last, self.left_out, self.broken = -1, 0.0, 0, False
        self.first: float | None = None

    def count(self, seconds: float | None) -> tuple[int, float]:
        """Index and time of the next good frame; raw streams know no times, and are timed by the rate."""
        if seconds is None:
            now = (self.index + 1) * self.interval
        else:
            self.first = seconds if self.first is None else self.first
            now = seconds - self.first
        step = 1
        if self.broken and self.index >= 0 and self.interval:
            step = max(1, round((now - self.last) / self.interval))
        elif self.index >= 0 and now > self.last:
            self.interval = now - self.last
        self.left_out += step - 1
        self.index, self.last, self.broken = self.index + step, now, False
        return self.index, now


def _opened(path: str | os.PathLike[str], on_broken: str) -> Any:
    """An open container that has a picture stream of a known codec."""
    if on_broken not in ON_BROKEN:
        raise ConfigError(f"unknown on_broken {on_broken!r}; choose one of {', '.join(map(repr, ON_BROKEN))}")
    try:
        import av
    except ImportError as error:
        raise ConfigError(
            f"videos need PyAV ({summary(error)}): pip install 'reidar-plugin[video]'"
        ) from error
    if not Path(path).is_file():
        raise VideoError(f"{path}: expected a video, there is no such file")
    if not Path(path).stat().st_size:
        raise VideoError(f"{path}: expected a video, got an empty file")
    try:
        only = {"format_whitelist": ",".join(_FORMATS), "protocol_whitelist": "file"}
        container = av.open(os.fspath(path), options=only)
    except (av.FFmpegError, OSError, ValueError) as error:
        not_listed = getattr(error, "errno", None) == errno.EINVAL
        why = (
            "it is of another format than files of videos, such as a list of them"
            if not_listed
            else getattr(error, "strerror", None) or summary(error)
        )
        raise VideoError(f"{path}: expected a video, got none that FFmpeg can open ({why})") from error
    streams = container.streams.video
    if not streams or streams[0].codec_context is None:
        container.close()
        what = "a codec that FFmpeg does not know" if streams else "no pictures"
        raise VideoError(f"{path}: expected a video, got {what}; convert it to H.264")
    if on_broken == "stop" and (cut := _shortfall(path)):
        container.close()
        raise VideoError(
            f"{path}: {cut}; fetch the file again, or set on_broken 'skip' (--on-broken skip) to read what is there"
        )
    return container


def _ticks(container: Any, stream: Any) -> Iterator[int | None]:
    """The time of each packet; where they end in damage, reading will say so."""
    import av

    with suppress(av.FFmpegError):
        for packet in container.demux(stream):
            if packet.size and not packet.is_discard:
                yield packet.pts if packet.pts is not None else packet.dts


def _decoded(container: Any, stream: Any) -> Iterator[tuple[Any, str]]:
    """Frames, and what went wrong with them or instead of them."""
    import av

    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            frames = packet.decode() if packet is not None else None
        except av.FFmpegError as error:
            yield None, summary(error)
            continue
        if frames is None:
            return
        for frame in frames:
            yield frame, "the decoder calls it corrupt" if frame.is_corrupt else ""


def _upright(frame: Any) -> NDArray[np.uint8]:
    pixels = frame.to_ndarray(format="rgb24")
    turns = round(frame.rotation / 90) % 4  # counter-clockwise, as np.rot90 counts
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels
