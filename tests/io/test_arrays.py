"""Arrays come back as they were packed, and not where they would fill the memory."""

import re
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from reidar_plugin.io import arrays
from reidar_plugin.io.arrays import load_array, load_arrays
from reidar_plugin.io.safe_load import UNREADABLE


def test_what_was_packed(tmp_path: Path) -> None:
    np.savez_compressed(
        tmp_path / "a.npz", x=np.arange(5), y=np.ones((2, 3)), z=np.float32(1), none=np.empty((0, 4))
    )
    found = load_arrays(tmp_path / "a.npz")
    assert sorted(found) == ["none", "x", "y", "z"]
    assert found["x"].tolist() == [0, 1, 2, 3, 4]
    assert (found["none"].shape, found["z"].shape) == ((0, 4), ())


def test_one_alone(tmp_path: Path) -> None:
    for given in (
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.empty((0, 3)),
    ):
        np.save(tmp_path / "a.npy", given)
        found = load_array(tmp_path / "a.npy")
        assert found.dtype == given.dtype
        np.testing.assert_array_equal(found, given)


def test_gigabytes_are_refused_before_they_are_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, x=np.zeros(10**6))
    assert path.stat().st_size < 10**4
    monkeypatch.setattr(arrays, "LARGEST", 10**6)
    with pytest.raises(ValueError, match=r"8,000,128 bytes when unpacked, expected 1,000,000 at most"):
        load_arrays(path)


REFUSED = re.compile("bytes that are there|expected numbers|shape is not valid|integer is required")


def promising(shape: str, kind: str = "<f8", version: int = 1) -> bytes:
    """An ``.npy`` of 64 bytes of zeros, whose header says something else, written by hand."""
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY" + struct.pack("<BBH", version, 0, len(header)) + header + bytes(64)


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        *[(f"({2**power},)", "<f8") for power in (4, 28, 31, 40, 62, 64)],
        *[("(-8,)", "<f8"), ("(-2, -4)", "<f8"), (f"({2**62}, 4)", "<f8"), (f"({2**61}, 64, 0)", "<f8")],
        *[("(2,)", "<f8"), ("(True, 8)", "<f8"), ("8", "<f8"), ("'a'", "<f8")],
        *[(f"({2**40},)", kind) for kind in ("|V0", "<U0", "|S0", "|O", "|S2147483647")],
    ],
)
def test_a_header_that_promises_something_else(shape: str, kind: str, tmp_path: Path) -> None:
    """It is refused for what it says, not because room for it could not be had."""
    (tmp_path / "a.npy").write_bytes(promising(shape, kind))
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.write(tmp_path / "a.npy", "a.npy")
    for load, name in ((load_array, "a.npy"), (load_arrays, "a.npz")):
        with pytest.raises(UNREADABLE, match=REFUSED) as caught:
            load(tmp_path / name)  # type: ignore[operator]
        assert not isinstance(caught.value, MemoryError)


@pytest.mark.parametrize("shape", ["(0, 1099511627776)", "(4294967296, 0, 4294967296)"])
def test_none_of_gigabytes(shape: str, tmp_path: Path) -> None:
    """No byte is missing; who makes room for one row of it would take the memory."""
    (tmp_path / "a.npy").write_bytes(promising(shape)[:-64])
    with pytest.raises(ValueError, match="bytes when unpacked, expected"):
        load_array(tmp_path / "a.npy")


def test_the_header_by_hand_is_one(tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(promising("(8,)"))
    assert load_array(tmp_path / "a.npy").tolist() == [0.0] * 8
    (tmp_path / "a.npy").write_bytes(promising("(8,)", version=3))
    with pytest.raises(ValueError, match=re.escape("numpy's format (3, 0), expected one of (1, 0), (2, 0)")):
        load_array(tmp_path / "a.npy")


@pytest.mark.parametrize("shape", ["(8L,)", "(8, {", "(8,) ("])
def test_a_header_that_numpy_would_mend(shape: str, tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    (tmp_path / "a.npy").write_bytes(promising(shape))
    with pytest.raises(ValueError, match="header"):
        load_array(tmp_path / "a.npy")
    assert not recwarn


def test_objects_are_not_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="an array of object, expected numbers"):
        load_arrays(tmp_path / "a.npz")


def test_no_archive(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"PK")
    with pytest.raises(zipfile.BadZipFile):
        load_arrays(tmp_path / "a.npz")


def test_only_the_ways_of_packing_that_numpy_has(tmp_path: Path) -> None:
    """lzma has errors of its own."""
    np.save(tmp_path / "x.npy", np.arange(9))
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_LZMA) as archive:
        archive.write(tmp_path / "x.npy", "x.npy")
    with pytest.raises(ValueError, match="packed in a way in which numpy packs nothing"):
        load_arrays(tmp_path / "a.npz")
