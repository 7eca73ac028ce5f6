"""How long a video says that it is."""

from pathlib import Path

import pytest

from reidar_plugin.inference.video_size import promised_size

FTYP = b"\0\0\0\x10ftypisom\0\0\0\0"
EBML = b"\x1a\x45\xdf\xa3\x82ab"  # a size of one byte
SEGMENT = b"\x18\x53\x80\x67"


@pytest.mark.parametrize(
    ("content", "promised"),
    [
        (FTYP + b"\0\0\x01\0mdat", 16 + 256),
        (FTYP + b"\0\0\0\x01mdat\0\0\0\x02\0\0\0\0", 16 + 2**33),
        (FTYP + b"\0\0\0\x08mdat\0\0\x01\0moov", 16 + 8 + 256),  # the second is the one that was cut
        (FTYP + b"\0\0\0\0mdat and so on", 16),  # until the end
        (FTYP + b"\0\0\0\x08free\0\0\0\0\0\0\0\0\0", 24),  # zeros behind the last
        (FTYP + b"\0\0\0\x07free", 16),  # shorter than its head
        (FTYP + b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x0f", 16),
        (FTYP + b"\0\0\x01", 16),
        (FTYP + b"\0\0\x01\0free", 16),  # room, and nothing is missing
        (FTYP + b"APETAGEX\xd0\x07\0\0" + bytes(20), 16),  # of players of music
        (FTYP + b"12345678 and more", 16),
        (FTYP + b"\0\0\0\x01mdat\xff\xff\xff\xff\xff\xff\xff\xf0", 2**64),
        (FTYP + b"\0\0\0\x01free\x80\0\0\0\0\0\0\0", 16),
        (b"RIFF\x20\0\0\0AVI ", 40),
        (b"RIFF\x10\0\0\0AVI ", 12),  # a few bytes too many, as some count them
        (b"RIFF\x04\0\0\0AVI RIFF\0\x01\0\0AVIX", 12 + 8 + 256),
        (b"RIFF\0\0\0\0AVI  and so on", 0),  # never brought to its end
        (b"RIFF\xff\xff\xff\xffAVI  and so on", 0),
        (b"RIFF\xff\xff\xff\x7fAVI  and so on", 0),
        (EBML + SEGMENT + b"\x90", 7 + 5 + 16),
        (EBML + SEGMENT + b"\x01\xff\xff\xff\xff\xff\xff\xfe", 7 + 12 + 2**56 - 2),
        (b"\x1a\x45\xdf\xa3\x01\xff\xff\xff\xff\xff\xff\xfe", 0),
        (EBML + SEGMENT + b"\x41\x00", 7 + 6 + 256),
        (EBML + SEGMENT + b"\x01\0\0\0\0\x01\0\0", 7 + 12 + 65536),
        (
            EBML + SEGMENT + b"\xff and so on",
            0,
        ),  # sizes that are not known, as of what is sent while it comes
        (EBML + SEGMENT + b"\x01\xff\xff\xff\xff\xff\xff\xff", 0),
        (EBML + SEGMENT, 0),
        (EBML + SEGMENT + b"\0", 0),
        (EBML + b"what is no segment", 0),
        (b"G" + bytes(187), 0),  # MPEG-TS
        (b"", 0),
    ],
)
def test_counts_what_the_parts_say(tmp_path: Path, content: bytes, promised: int) -> None:
    path = tmp_path / "a.video"
    path.write_bytes(content)
    assert promised_size(path) == promised
