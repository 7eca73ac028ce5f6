"""MATLAB tables against scipy's reader, and what is refused."""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from reidar_plugin.data import mat_files
from reidar_plugin.data.mat_files import TableError, read_matrix
from reidar_plugin.labels.files import MissingFileError

TYPES = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]


def save(tmp_path: Path, packed: bool = False, **variables: Any) -> Path:
    path = tmp_path / "table.mat"
    savemat(path, variables, do_compression=packed)
    return path


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
@pytest.mark.parametrize("dtype", TYPES)
def test_numbers_of_every_type(tmp_path: Path, dtype: str, packed: bool) -> None:
    for shape in [(1, 1), (1, 2), (3, 4), (5, 1)]:  # fewer and more than fit into the place of a size
        values = np.random.default_rng(0).integers(0, 100, shape).astype(dtype)
        path = save(
            tmp_path, packed, text="words", other=np.eye(2), cells=np.array([1, "a"], object), table=values
        )
        read = read_matrix(path, "table")
        assert read.dtype == np.int64
        assert read.shape == shape
        assert (read == values).all()


def test_negative_numbers(tmp_path: Path) -> None:
    assert read_matrix(save(tmp_path, table=np.array([[-1, 7]])), "table").tolist() == [[-1, 7]]


def test_big_endian(tmp_path: Path) -> None:
    header = b"made on another machine".ljust(124) + b"\x01\x00MI"
    flags = bytes.fromhex("00000006 00000008 0000000c 00000000")
    dimensions = bytes.fromhex("00000005 00000008 00000001 00000002")
    name = bytes.fromhex("00010001") + b"t\0\0\0"
    numbers = bytes.fromhex("00000005 00000008 00000007 ffffffff")
    contents = flags + dimensions + name + numbers
    (tmp_path / "table.mat").write_bytes(
        header + bytes.fromhex("0000000e") + len(contents).to_bytes(4, "big") + contents
    )
    assert read_matrix(tmp_path / "table.mat", "t").tolist() == [[7, -1]]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("words", r"expected 'table' to be a matrix of real numbers, got something else"),
        (np.array([[1 + 2j]]), r"got something else"),
        (np.array([[True]]), r"got something else"),
        (np.zeros((2, 2, 2)), r"got shape \(2, 2, 2\)"),
        (np.zeros((0, 0)), r"got shape \(0, 0\)"),
        (np.array([[0.5]]), r"expected whole numbers of at most 31 bits in 'table'"),
        (np.array([[np.nan]]), r"expected whole numbers"),
        (np.array([[2.0**40]]), r"expected whole numbers"),
    ],
)
def test_what_is_no_table(tmp_path: Path, value: Any, message: str) -> None:
    with pytest.raises(TableError, match=r"table\.mat: .*" + message):
        read_matrix(save(tmp_path, table=value), "table")


def test_names_the_matrices_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"table\.mat: expected a matrix 'table', found 'one', 'two'"):
        read_matrix(save(tmp_path, one=np.eye(2), two="words"), "table")


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"", "the header is not that of one"),
        (b"words" * 60, "the header is not that of one"),
        (b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(384), "the header is not that of one"),
    ],
    ids=["empty", "text", "version 7.3"],
)
def test_other_files(tmp_path: Path, contents: bytes, message: str) -> None:
    path = tmp_path / "table.mat"
    path.write_bytes(contents)
    with pytest.raises(
        TableError, match=rf"table\.mat: not a readable MATLAB file of version 5 to 7 \({message}\)"
    ):
        read_matrix(path, "table")


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_a_file_cut_off_anywhere(tmp_path: Path, packed: bool) -> None:
    path = save(tmp_path, packed, table=np.arange(12).reshape(3, 4))
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(TableError, match=r"table\.mat: "):
            read_matrix(path, "table")


def test_one_wrong_byte_of_a_packed_table_never_passes(tmp_path: Path) -> None:
    path = save(tmp_path, packed=True, table=np.arange(80).reshape(20, 4))
    whole = path.read_bytes()
    for place in range(136, len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x11]) + whole[place + 1 :])
        with pytest.raises(TableError, match=r"table\.mat: not a readable"):
            read_matrix(path, "table")


def test_a_packed_table_without_its_checksum(tmp_path: Path) -> None:
    path = save(tmp_path, packed=True, table=np.arange(12).reshape(3, 4))
    whole = bytearray(path.read_bytes())
    size = int.from_bytes(whole[132:136], "little")
    whole[132:136] = (size - 4).to_bytes(4, "little")
    path.write_bytes(whole[:-4])
    with pytest.raises(TableError, match=r"a packed part does not end where it should"):
        read_matrix(path, "table")


def packed(*contents: bytes) -> bytes:
    parts = [zlib.compress(each) for each in contents]
    return (
        b"MATLAB 5.0".ljust(124) + b"\x00\x01IM" + b"".join(struct.pack("<II", 15, len(z)) + z for z in parts)
    )


@pytest.mark.parametrize("sizes", [(2**24 + 1,), (2**22,) * 5], ids=["one", "several together"])
def test_few_bytes_that_unpack_to_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sizes: tuple[int, ...]
) -> None:
    monkeypatch.setattr(mat_files, "_matrix", lambda contents, order: ("x", None))
    path = tmp_path / "table.mat"
    path.write_bytes(packed(*(struct.pack("<II", 14, size - 8) + bytes(size - 8) for size in sizes)))
    assert path.stat().st_size < 30_000
    with pytest.raises(TableError, match=r"table\.mat: .* \(unpacks to more than 16,777,216 bytes\)"):
        read_matrix(path, "table")


def test_a_file_of_gigabytes_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "table.mat").open("wb") as file:
        file.truncate(2**31)
    monkeypatch.setattr(Path, "read_bytes", None)
    with pytest.raises(TableError, match=r"\(2,147,483,648 bytes, expected 16,777,216 at most\)"):
        read_matrix(tmp_path / "table.mat", "table")


def test_names_without_end_are_cut(tmp_path: Path) -> None:
    path = save(tmp_path, **{f"matrix{number}": np.eye(1) for number in range(500)})
    with pytest.raises(TableError, match=r"found 'matrix0', .*, 'matrix4', and 495 more$"):
        read_matrix(path, "table")
    whole = save(tmp_path, name=np.eye(1)).read_bytes()
    at = whole.index(b"\1\0\4\0name") - 32  # behind the flags and the dimensions, of 16 bytes each
    inside = whole[at : at + 32] + struct.pack("<II", 1, 5000) + b"n" * 5000 + whole[at + 40 :]
    path.write_bytes(whole[:128] + struct.pack("<II", 14, len(inside)) + inside)
    with pytest.raises(TableError, match="found 'nnn") as caught:
        read_matrix(path, "table")
    assert len(str(caught.value)) < 300 + len(str(path))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"gone\.mat: no such file"):
        read_matrix(tmp_path / "gone.mat", "table")


@pytest.mark.shared
def test_the_official_tables_as_scipy_reads_them(shared: Path) -> None:
    for file, name in [
        ("tracks_train_info", "track_train_info"),
        ("tracks_test_info", "track_test_info"),
        ("query_IDX", "query_IDX"),
    ]:
        path = shared / f"mars/info/{file}.mat"
        assert (read_matrix(path, name) == loadmat(path)[name]).all()
