"""Arrays come back as they were packed, and not where they would fill the memory."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from reidar_plugin.io import arrays
from reidar_plugin.io.arrays import load_arrays


def test_what_was_packed(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", x=np.arange(5), y=np.ones((2, 3)))
    found = load_arrays(tmp_path / "a.npz")
    assert sorted(found) == ["x", "y"]
    assert found["x"].tolist() == [0, 1, 2, 3, 4]


def test_gigabytes_are_refused_before_they_are_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, x=np.zeros(10**6))
    assert path.stat().st_size < 10**4
    monkeypatch.setattr(arrays, "LARGEST", 10**6)
    with pytest.raises(ValueError, match=r"8,000,128 bytes when unpacked, expected 1,000,000 at most"):
        load_arrays(path)


def test_objects_are_not_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        load_arrays(tmp_path / "a.npz")


def test_no_archive(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"PK")
    with pytest.raises(zipfile.BadZipFile):
        load_arrays(tmp_path / "a.npz")
