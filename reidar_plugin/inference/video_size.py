"""How long a video file says that it is: MP4, AVI and Matroska hold sizes of their parts, by which a cut one is known.

FFmpeg reads what is there, and takes the end of such a file for the end of the video.
"""

import os
from typing import BinaryIO

from reidar_plugin.io.ordinary import ordinary

__all__ = ["promised_size"]

_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"


def promised_size(path: str | os.PathLike[str]) -> int:
    """Number of bytes of the parts that start within a file, by their own headers; 0 where it does not say.

    A part may be open, in a file that was written while it came; then what is there counts as whole. Formats whose
    packets follow each other without a table, as in MPEG-TS, promise nothing.

    Raises:
        OSError: it cannot be read, or is no file.
    """
    with open(path, "rb", opener=ordinary) as file:
        head = file.read(12)
        file.seek(0)
        if head[:4] == b"RIFF":
            return _riff(file)
        if head[:4] == _EBML:
            return _matroska(file)
        return _boxes(file) if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"skip", b"free") else 0


def _boxes(file: BinaryIO) -> int:
    """ISO/IEC 14496-12, 4.2: a size of 4 bytes, a type, and a size of 8 where the first is 1; 0 means until the end."""
    at = 0
    while len(head := file.read(16)) >= 8 and head[4:8].isalnum():
        size, least = int.from_bytes(head[:4], "big"), 8
        if size == 1:
            size, least = int.from_bytes(head[8:16], "big"), 16
        if size < least:
            break
        at += size
        file.seek(at)
    return at


def _riff(file: BinaryIO) -> int:
    """A type, a size of 4 bytes, and that many bytes; long AVI files have several. 0: it was not brought to its end."""
    at = 0
    while (head := file.read(8))[:4] == b"RIFF" and len(head) == 8:
        size = int.from_bytes(head[4:], "little")
        if size in (0, 2**32 - 1):
            break
        at += 8 + size
        file.seek(at)
    return at


def _matroska(file: BinaryIO) -> int:
    """A header and a segment, each a name, a size, content; the first bit that is set tells how many bytes the size has."""
    for name in (_EBML, _SEGMENT):
        if file.read(4) != name:
            return 0
        first = file.read(1)
        if not first or not first[0]:
            return 0
        more = 8 - first[0].bit_length()
        mark = 1 << (7 * (more + 1))
        size = int.from_bytes(first + file.read(more), "big") - mark
        if size == mark - 1:  # all ones: until the end
            return 0
        file.seek(size, os.SEEK_CUR)
    return file.tell()
