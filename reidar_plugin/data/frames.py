"""Decode picture files to uint8 RGB frames of one size, and handle broken pictures.

JPEG is decoded by libjpeg-turbo (simplejpeg), directly into the array of the clip if it has the wanted size; this is
the fastest way (tools/benchmarks/data.py compares it with OpenCV, torchvision and PIL) and gives the same bits as
OpenCV. OpenCV decodes PNG, BMP, GIF and WebP, and JPEGs that simplejpeg refuses, and resizes. Its cubic kernel does not
average when it shrinks; pictures with more than 1.5 times the wanted pixels are therefore shrunk by area, which is
then closer to the bicubic resizing of PIL in the papers.
"""

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias
from warnings import warn

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from reidar_plugin.data.picture_header import JPEG, PNG, PictureHeader, read_header
from reidar_plugin.errors import ConfigError, PictureError, nearest
from reidar_plugin.io.ordinary import ordinary

__all__ = [
    "INTERPOLATIONS",
    "ON_BROKEN",
    "read_clip",
    "read_frames",
    "read_picture",
    "resize_into",
]

Pixels: TypeAlias = NDArray[np.uint8]

#: Ways to handle a clip with a picture that cannot be read.
ON_BROKEN: tuple[str, ...] = ("stop", "skip")

#: Ways to resize frames.
INTERPOLATIONS = {"cubic": cv2.INTER_CUBIC, "linear": cv2.INTER_LINEAR, "area": cv2.INTER_AREA}

_SHRINKS_MUCH = 1.5  # in pixels; MARS at 256 x 128 to the papers' 224 x 112 is 1.31 and stays cubic


def read_picture(path: str, into: Pixels | None = None) -> Pixels:
    """Decode one picture file to 8-bit RGB; alpha and EXIF orientation are ignored.

    Args:
        path: a JPEG, PNG, BMP, GIF or WebP, of which the first picture is taken.
        into: contiguous array ``(H, W, 3)``; a JPEG of exactly this size is decoded into it, which saves a copy.
            Its content after an error is undefined.

    Returns:
        uint8 ``(h, w, 3)``, RGB; ``into`` itself if the picture was decoded into it.

    Raises:
        PictureError: the file is missing, empty, cut off, damaged, not a picture, or one whose header promises more pixels
            than any picture of people has; the message begins with its path.
    """
    try:
        with open(path, "rb", buffering=0, opener=ordinary) as file:  # takes half the time of Path.read_bytes
            data = file.read()
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte
        reason = getattr(error, "strerror", None) or error
        raise PictureError(f"{path}: expected a picture, got {reason}") from error
    if not data:
        raise PictureError(f"{path}: expected a picture, got an empty file")
    header = read_header(data)
    if header is None:
        raise PictureError(
            f"{path}: expected a picture, got something that is no picture of {len(data)} bytes; "
            "JPEG, PNG, BMP, GIF and WebP are read"
        )
    excess = header.excess
    picture = None if excess or _is_cut_off(data, header.kind) else _decode(data, header, into)
    if picture is None:
        what = f"a {'' if excess else 'damaged or cut-off '}{header.kind} of {len(data)} bytes"
        raise PictureError(f"{path}: expected a picture, got {what}{excess}")
    return picture


def resize_into(out: Pixels, picture: Pixels, interpolation: str = "cubic") -> None:
    """Copy ``picture`` ``(h, w, 3)`` into the contiguous array ``out`` ``(H, W, 3)``, resized if sizes differ."""
    height, width = out.shape[:2]
    if picture.shape == out.shape:
        out[:] = picture
        return
    kernel = INTERPOLATIONS[interpolation]
    if kernel == cv2.INTER_CUBIC and picture.size > _SHRINKS_MUCH * out.size:
        kernel = cv2.INTER_AREA
    cv2.resize(picture, (width, height), dst=out, interpolation=kernel)


def read_clip(
    paths: Sequence[str],
    indices: Sequence[int] | NDArray[np.int64],
    out: Pixels,
    on_broken: str = "stop",
    interpolation: str = "cubic",
) -> int:
    """Read the frames of one clip into ``out``.

    Args:
        paths: all frames of the tracklet, in time order.
        indices: indices ``(T,)`` of the frames of the clip; a frame that occurs twice is read once.
        out: uint8 array ``(T, H, W, 3)`` that is overwritten.
        on_broken: ``stop`` raises at a picture that cannot be read; ``skip`` takes the readable frame of the
            tracklet that is nearest in time (the earlier of two) and warns with both paths.
        interpolation: name in ``INTERPOLATIONS``.

    Returns:
        Number of frames that were replaced; 0 with ``stop``.

    Raises:
        PictureError: with ``stop`` at the first broken picture, with ``skip`` if no frame can be read.
    """
    check_reading(on_broken, interpolation)
    written: dict[int, tuple[int, int]] = {}  # frame -> (its index in the clip, 1 if replaced)
    replaced = 0
    for index, frame in enumerate(map(int, indices)):
        if frame in written:
            first, was_replaced = written[frame]
            out[index] = out[first]
        else:
            target = out[index]
            picture, was_replaced = _read_or_replace(paths, frame, on_broken, target)
            if picture is not target:
                resize_into(target, picture, interpolation)
            written[frame] = index, was_replaced
        replaced += was_replaced
    return replaced


def read_frames(
    paths: Sequence[str], height: int, width: int, on_broken: str = "stop", interpolation: str = "cubic"
) -> Pixels:
    """All frames of a tracklet, uint8 ``(n, height, width, 3)`` RGB; see :func:`read_clip`."""
    out = np.empty((len(paths), height, width, 3), np.uint8)
    read_clip(paths, range(len(paths)), out, on_broken, interpolation)
    return out


def check_reading(on_broken: str, interpolation: str) -> None:
    """Raise ConfigError with the choices unless both names are known."""
    for what, name, names in (
        ("on_broken", on_broken, ON_BROKEN),
        ("interpolation", interpolation, tuple(INTERPOLATIONS)),
    ):
        if name not in names:
            choices = ", ".join(map(repr, names))
            raise ConfigError(f"unknown {what} {name!r};{nearest(name, names)} choose one of {choices}")


def _read_or_replace(paths: Sequence[str], frame: int, on_broken: str, into: Pixels) -> tuple[Pixels, int]:
    try:
        return read_picture(paths[frame], into), 0
    except PictureError as error:
        if on_broken == "stop":
            raise
        broken = error
    for neighbour in _outwards(frame, len(paths)):
        try:
            picture = read_picture(paths[neighbour], into)
        except PictureError:
            continue  # it is reported when it is drawn itself
        warn(f"{broken}; replaced by {paths[neighbour]}", RuntimeWarning, stacklevel=2)
        return picture, 1
    raise PictureError(f"{broken}; and none of the {len(paths)} frames of its tracklet can be read")


def _outwards(frame: int, n: int) -> Iterator[int]:
    for step in range(1, n):
        if frame - step >= 0:
            yield frame - step
        if frame + step < n:
            yield frame + step


def _decode(data: bytes, header: PictureHeader, into: Pixels | None) -> Pixels | None:
    decoded = _decode_jpeg(data, header, into) if header.kind == JPEG else None
    return _decode_any(data) if decoded is None else decoded


def _decode_jpeg(data: bytes, header: PictureHeader, into: Pixels | None) -> Pixels | None:
    """None if simplejpeg refuses the file; OpenCV may still decode it."""
    try:
        if into is None or into.shape != (header.height, header.width, 3):
            return simplejpeg.decode_jpeg(data, "RGB")
        simplejpeg.decode_jpeg(data, "RGB", buffer=into)
    except ValueError:
        return None
    return into


def _decode_any(data: bytes) -> Pixels | None:
    try:
        decoded: Any = cv2.imdecode(np.frombuffer(data, np.uint8), _RGB | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:  # a header that claims an absurd size
        return None
    if decoded is None or _RGB != cv2.IMREAD_COLOR:
        return decoded
    return cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)


#: OpenCV decodes straight to RGB since 4.11
_RGB: int = getattr(cv2, "IMREAD_COLOR_RGB", cv2.IMREAD_COLOR)


def _is_cut_off(data: bytes, kind: str) -> bool:
    """Whether a JPEG lacks its end marker, which OpenCV before 5 would silently fill with grey, or a PNG its last chunk.

    A damaged PNG may promise a chunk of gigabytes, for which OpenCV makes room.
    """
    if kind == PNG:
        return not _chunks_are_there(data)
    return kind == JPEG and data.rfind(b"\xff\xd9", len(data) // 2) < 0


def _chunks_are_there(data: bytes) -> bool:
    at = 8  # behind the signature; a chunk is its length, its name, that many bytes, and a check sum
    while at + 12 <= len(data):
        if data[at + 4 : at + 8] == b"IEND":
            return True
        at += int.from_bytes(data[at : at + 4], "big") + 12
    return False
