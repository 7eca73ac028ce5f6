"""What was found in a video is read as it was written, and only for the same question."""

from pathlib import Path

import numpy as np
import pytest

from reidar_plugin.errors import InputError
from reidar_plugin.inference.camera_file import CameraFindings, read_findings, write_findings
from reidar_plugin.inference.cameras import Camera
from reidar_plugin.inference.tracks import Tracks
from tests.inference.recognised import made_up_found, made_up_summary


def test_as_it_was_written(tmp_path: Path) -> None:
    made = made_up_found(
        Camera("gate", Path("gate.avi")), made_up_summary(3), made_up_summary(5, shots=())
    ).findings
    path = tmp_path / "gate.npz"
    write_findings(path, made, "why")
    found = read_findings(path, "why")
    assert found is not None
    assert (found.width, found.height) == (made.width, made.height)
    for name in ("frame", "track", "box", "score"):
        np.testing.assert_array_equal(getattr(found.boxes, name), getattr(made.boxes, name))
    for one, other in zip(found.summaries, made.summaries, strict=True):
        for name, value in one._asdict().items():
            np.testing.assert_equal(value, getattr(other, name))
    assert read_findings(path, "another") is None
    assert read_findings(tmp_path / "none.npz", "why") is None


def test_nobody(tmp_path: Path) -> None:
    nothing = Tracks(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 4)), np.empty(0, np.float32))
    write_findings(tmp_path / "a.npz", CameraFindings(nothing, [], 3, 2), "why")
    found = read_findings(tmp_path / "a.npz", "why")
    assert found is not None
    assert (len(found.boxes), found.summaries) == (0, [])


@pytest.mark.parametrize(
    "header", [b"{}", b"[" * 10**5, b'{"question": "why", "size": [1, 2], "summaries": [{}]}']
)
def test_a_header_that_is_none(tmp_path: Path, header: bytes) -> None:
    arrays = {name: np.zeros(0) for name in ("jpegs", "sizes", "frame", "track", "box", "score")}
    np.savez(tmp_path / "a.npz", header=np.frombuffer(header, np.uint8), **arrays)
    with pytest.raises(InputError, match=r"a\.npz is damaged"):
        read_findings(tmp_path / "a.npz", "why")


def test_damaged(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"no archive")
    with pytest.raises(InputError, match=r"a\.npz is damaged"):
        read_findings(tmp_path / "a.npz", "why")
