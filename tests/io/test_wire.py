"""The wire format, against messages by hand: what the specification shows, and what is none."""

from typing import Any

import pytest

from reidar_plugin.io.wire import LONGEST, WireReader, last_text, whole_numbers


def read(data: bytes, most: int = 100) -> list[Any]:
    return [
        (field.number, field.value, bytes(field.data)) for field in WireReader(most).fields(memoryview(data))
    ]


def test_the_examples_of_the_specification() -> None:
    """https://protobuf.dev/programming-guides/encoding: 150, "testing", and a message in a message."""
    assert read(b"\x08\x96\x01") == [(1, 150, b"")]
    assert read(b"\x12\x07testing") == [(2, 0, b"testing")]
    assert read(b"\x1a\x03\x08\x96\x01") == [(3, 0, b"\x08\x96\x01")]
    packed = WireReader(9).few(memoryview(b"\x32\x06\x03\x8e\x02\x9e\xa7\x05"))
    assert whole_numbers(packed, 6, 9) == [3, 270, 86942]
    assert whole_numbers(packed, 6, 2) == [3, 270]


def test_numbers_of_their_size_and_below_zero() -> None:
    assert read(b"\x0d1234\x1112345678") == [(1, 0, b"1234"), (2, 0, b"12345678")]
    minus_two = b"\x08\xfe" + b"\xff" * 8 + b"\x01"
    assert whole_numbers(WireReader(9).few(memoryview(minus_two)), 1, 9) == [-2]


def test_the_last_text_counts() -> None:
    fields = WireReader(9).few(memoryview(b"\x12\x01a\x12\x01b\x1a\x01c"))
    assert last_text(fields, 2) == b"b"
    assert last_text(fields, 4) == b""


@pytest.mark.parametrize(
    "data", [b"\x08", b"\x12\x07test", b"\x0b", b"\x0f", b"\x00\x00", b"\xff" * 11, b"\x0d123", b"\x12" + b"\xff" * 9]
)  # fmt: skip
def test_what_is_none(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"ends in the midst|of the kind|without an end"):
        read(data)


def test_no_more_than_it_is_told() -> None:
    assert len(read(b"\x08\x01" * 5, most=5)) == 5
    with pytest.raises(ValueError, match="more than 5 parts"):
        read(b"\x08\x01" * 6, most=5)
    with pytest.raises(ValueError, match="a message of more than 65,536 parts"):
        WireReader(2**20).few(memoryview(b"\x08\x01" * (LONGEST + 1)))
