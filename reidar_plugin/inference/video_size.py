"""How long a video file says that it is: MP4, AVI and Matroska hold sizes of their parts, by which a cut one is known.

FFmpeg reads what is there, and takes the end of such a file for the end of the video.
"""

import os
from typing import BinaryIO

from reidar_plugin.io.ordinary import ordinary

__all__ = ["promised_size"]

_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
#: Boxes without which frames are missing; others, and what is no box at all, may stand behind them.
_BOXES = (b"ftyp", b"styp", b"moov", b"moof", b"mdat")
_BEFORE = (b"wide", b"skip", b"free", b"uuid")  # that an older file may begin with
_SLACK = (
    16  # bytes by which recorders of AVI count their own header, or evenness, too many; its index stands last
)
_OPEN = 2**31 - 1  # from there on, sizes in AVI are those of files that were not brought to their end


def promised_size(path: str | os.PathLike[str]) -> int:
    """Number of bytes of the parts that start within a file, by their own headers; 0 where it does not say.

    A part may be open, in a file that was written while it came; then what is there counts as whole. Formats whose
    packets follow each other without a table, as in MPEG-TS, promise nothing.

    Raises:
        OSError: it cannot be read, or is no file.
    """
    with open(path, "rb", opener=ordinary) as file:
        there = os.fstat(file.fileno()).st_size
        head = file.read(12)
        if head[:4] == b"RIFF":
            return _riff(file, there)
        if head[:4] == _EBML:
            return _matroska(file)
        return _boxes(file, there) if head[4:8] in (*_BOXES, *_BEFORE) else 0


def _boxes(file: BinaryIO, there: int) -> int:
    """ISO/IEC 14496-12, 4.2: a size of 4 bytes, a type, and a size of 8 where the first is 1; 0 means until the end."""
    at = 0
    while at <= there - 8:
        file.seek(at)
        head = file.read(16)
        size, least = int.from_bytes(head[:4], "big"), 8
        if size == 1:
            size, least = int.from_bytes(head[8:16], "big"), 16
        if size < least or (at + size > there and head[4:8] not in _BOXES):
            break
        at += size
    return at


def _riff(file: BinaryIO, there: int) -> int:
    """A type, a size of 4 bytes, and that many bytes; long AVI files have several."""
    at = 0
    while at <= there - 8:
        file.seek(at)
        head = file.read(8)
        size = int.from_bytes(head[4:], "little")
        if head[:4] != b"RIFF" or not 0 < size < _OPEN:
            break
        at += 8 + size
    return at if at > there + _SLACK else min(at, there)


def _matroska(file: BinaryIO) -> int:
    """A header and a segment, each a name, a size, content; the first bit that is set tells how many bytes the size has."""
    at = 0
    for name in (_EBML, _SEGMENT):
        file.seek(at)
        head = file.read(12)
        if head[:4] != name or not head[4:5].strip(b"\0"):
            return 0
        bytes_of_size = 9 - head[4].bit_length()
        mark = 1 << (7 * bytes_of_size)
        size = int.from_bytes(head[4 : 4 + bytes_of_size], "big") - mark
        if size == mark - 1:  # all ones: until the end
            return 0
        at += 4 + bytes_of_size + size
        if at >= 2**40:  # no file is that long
            return at if name == _SEGMENT else 0
    return at
