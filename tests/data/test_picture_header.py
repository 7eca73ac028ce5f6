"""Headers of pictures: what a file promises is known before anybody makes room for it."""

import io
import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image

from reidar_plugin.data import picture_header
from reidar_plugin.data.picture_header import PictureHeader, read_header


def saved(form: str, size: tuple[int, int] = (30, 20), mode: str = "RGB", **options: Any) -> bytes:
    """A picture of noise, 30 wide and 20 high."""
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).convert(mode).save(buffer, form, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("form", "mode", "options"),
    [
        ("JPEG", "RGB", {}),
        ("JPEG", "CMYK", {"progressive": True}),
        ("JPEG", "L", {"comment": b"\xff\xc0" * 50, "exif": b"Exif\0\0" + bytes(200)}),
        ("PNG", "RGB", {}),
        ("BMP", "P", {}),
        ("GIF", "P", {}),
        ("WebP", "RGB", {}),
        ("WebP", "RGB", {"lossless": True}),
        ("WebP", "RGBA", {"exif": b"Exif\0\0" + bytes(20)}),
    ],
)
def test_the_size_is_that_of_the_picture(form: str, mode: str, options: dict[str, Any]) -> None:
    header = read_header(saved(form, mode=mode, **options))
    assert header is not None
    assert header[:3] == (form, 20, 30)
    assert header.excess == ""


def test_bitmaps_of_os2_and_from_the_top() -> None:
    assert read_header(b"BM" + bytes(12) + struct.pack("<IHH", 12, 30, 20)) == ("BMP", 20, 30, 1)
    assert read_header(b"BM" + bytes(12) + struct.pack("<Iii", 40, 30, -20)) == ("BMP", 20, 30, 1)


def test_bytes_between_segments_are_passed_over() -> None:
    whole = saved("JPEG")
    for between in (b"\1\2\3", b"\xff\0", b"\xff\xff", b"\xff\xd3", b"\xff\x01", b"\xff\xe1\0\2"):
        assert read_header(whole[:2] + between + whole[2:]) == read_header(whole)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "BMP", "GIF", "WebP"])
def test_a_file_cut_off_anywhere_says_no_more(form: str) -> None:
    whole = saved(form)
    for length in range(len(whole)):
        header = read_header(whole[:length])
        assert header is None or not header.excess


def test_what_is_no_picture() -> None:
    for data in (b"", b"<html>", b"II*\0\x08\0\0\0", b"P6\n32000 32000\n255\n"):
        assert read_header(data) is None


def test_a_picture_of_a_telephone_may_be_decoded_and_none_larger() -> None:
    assert PictureHeader("PNG", 6144, 8192).excess == ""
    assert (
        "says 8,193 x 6,144 pixels, where at most 50,331,648 are read"
        in PictureHeader("PNG", 6144, 8193).excess
    )


def test_scans_are_counted_where_they_would_take_long() -> None:
    whole = saved("JPEG", progressive=True)
    begin, frame = whole.index(b"\xff\xda"), whole.index(b"\xff\xc2")
    large = whole[: frame + 5] + struct.pack(">HH", 6000, 6000) + whole[frame + 9 :]
    few, many = read_header(large), read_header(large[:begin] + large[begin:-2] * 40 + large[-2:])
    assert few is not None
    assert many is not None
    assert (few.scans, few.excess) == (10, "")
    assert many.scans == 400
    assert many.excess == " that says 6,000 x 6,000 pixels and 400 scans, which would take long: save it anew"


def test_scans_of_a_small_picture_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = saved("JPEG", progressive=True)
    header = read_header(whole)
    assert header is not None
    assert header.scans == len(whole) // 10
    monkeypatch.setattr(picture_header, "_MOST_WORK", 0)
    counted = read_header(whole)
    assert counted is not None
    assert counted.scans == 10


def test_what_stands_behind_a_picture_is_no_scan() -> None:
    """Telephones put a film there, in which the bytes of a scan come by chance."""
    header = read_header(saved("JPEG", (2000, 1500)) + b"\xff\xda" * 10**6)
    assert header == PictureHeader("JPEG", 1500, 2000, 1)
    assert header.excess == ""
