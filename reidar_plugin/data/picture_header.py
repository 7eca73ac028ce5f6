"""What a picture file says of itself, before any decoder makes room for it: kind, size, and how often it is gone over.

A file of thirty bytes may say that it has a thousand million pixels, and each scan of a JPEG goes over all of them anew.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["JPEG", "MOST_PIXELS", "PNG", "PictureHeader", "read_header"]

JPEG, PNG = "JPEG", "PNG"

#: A person in a video has a thousandth of it; a progressive JPEG of this size in four colours takes 578 MB.
MOST_PIXELS = 8192 * 6144
_MOST_WORK = 2**30  # pixels times scans: a second; a progressive JPEG has about ten
_SCAN_BYTES = 10  # that the shortest takes

_NO_SEGMENT = {0x00, 0x01, *range(0xD0, 0xD9)}  # zero is no marker at all, those of the restarts are alone
_SCAN, _END = 0xDA, 0xD9
_MARKER = re.compile(rb"\xff[\xc0-\xcf\xd9-\xfe]")  # what may stand between the bytes of a scan is none
_NO_FRAME = {0xC4, 0xC8, 0xCC}  # among the sixteen markers that begin the frame


class PictureHeader(NamedTuple):
    """The header of a picture; a size of zero where it is cut off or says none."""

    kind: str
    height: int = 0
    width: int = 0
    scans: int = 1  #: at most so many

    @property
    def excess(self) -> str:
        """What it promises too much, as the end of a sentence about it; empty where it may be decoded."""
        pixels = self.height * self.width
        size = f" that says {self.width:,} x {self.height:,} pixels"
        if pixels > MOST_PIXELS:
            return f"{size}, where at most {MOST_PIXELS:,} are read: make it smaller"
        if pixels * self.scans > _MOST_WORK:
            return f"{size} and {self.scans:,} scans, which would take long: save it anew"
        return ""


def read_header(data: bytes) -> PictureHeader | None:
    """The header of a JPEG, PNG, BMP, GIF or WebP; None for anything else."""
    for head, read in _READERS.items():
        if data.startswith(head):
            return read(data)
    return None


def _jpeg(data: bytes) -> PictureHeader:
    """From the segment that begins the frame, found as libjpeg does: bytes between segments are passed over."""
    at = 2
    while (at := data.find(b"\xff", at)) >= 0:
        while data[at : at + 1] == b"\xff":
            at += 1
        marker = data[at] if at < len(data) else 0
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME:
            height, width = _big(data, at + 4, 2), _big(data, at + 6, 2)
            return PictureHeader(
                JPEG, height, width, _scans(data, height * width, at + 1 + _big(data, at + 1, 2))
            )
        at += 1 if marker in _NO_SEGMENT else 1 + _big(data, at + 1, 2)
    return PictureHeader(JPEG)


def _scans(data: bytes, pixels: int, at: int) -> int:
    """How many there are from a place on, counted only where it could matter: that takes time."""
    most = len(data) // _SCAN_BYTES
    if pixels * most <= _MOST_WORK:
        return most
    scans = 0
    while (found := _MARKER.search(data, at)) and data[found.start() + 1] != _END:
        at = found.end()
        scans += data[at - 1] == _SCAN
        at += _big(data, at, 2)
    return scans


def _png(data: bytes) -> PictureHeader:
    return PictureHeader(PNG, _big(data, 20, 4), _big(data, 16, 4))


def _bmp(data: bytes) -> PictureHeader:
    bytes_each = (
        2 if _little(data, 14, 4) == 12 else 4
    )  # of OS/2, and of Windows, with rows from the top if negative
    width, height = (
        abs(_little(data, 18 + place, bytes_each, signed=bytes_each == 4)) for place in (0, bytes_each)
    )
    return PictureHeader("BMP", height, width)


def _gif(data: bytes) -> PictureHeader:
    return PictureHeader("GIF", _little(data, 8, 2), _little(data, 6, 2))


def _webp(data: bytes) -> PictureHeader:
    form = data[12:16]
    if form == b"VP8X":
        width, height = _little(data, 24, 3) + 1, _little(data, 27, 3) + 1
    elif form == b"VP8L":
        sides = _little(data, 21, 4)
        width, height = (sides & 0x3FFF) + 1, (sides >> 14 & 0x3FFF) + 1
    else:
        width, height = _little(data, 26, 2) & 0x3FFF, _little(data, 28, 2) & 0x3FFF
    return PictureHeader("WebP", height, width)


def _big(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "big")


def _little(data: bytes, at: int, size: int, signed: bool = False) -> int:
    return int.from_bytes(data[at : at + size], "little", signed=signed)


_READERS: dict[bytes, Callable[[bytes], PictureHeader]] = {
    b"\xff\xd8": _jpeg,
    b"\x89PNG": _png,
    b"BM": _bmp,
    b"GIF8": _gif,
    b"RIFF": _webp,
}
