"""What was found in a video is read as it was written, and only for the same question."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reidar_plugin.errors import InputError
from reidar_plugin.inference.camera_file import CameraFindings, read_findings, write_findings
from reidar_plugin.inference.cameras import Camera
from reidar_plugin.inference.tracks import Tracks
from tests.inference.recognised import made_up_found, made_up_summary

SIZES = (3, 2)  #: of the made-up ones


def test_as_it_was_written(tmp_path: Path) -> None:
    made = made_up_found(
        Camera("gate", Path("gate.avi")), made_up_summary(3), made_up_summary(5, shots=())
    ).findings
    path = tmp_path / "gate.npz"
    write_findings(path, made, "why")
    found = read_findings(path, "why", SIZES)
    assert found is not None
    assert (found.width, found.height) == (made.width, made.height)
    for name in ("frame", "track", "box", "score"):
        np.testing.assert_array_equal(getattr(found.boxes, name), getattr(made.boxes, name))
    for one, other in zip(found.summaries, made.summaries, strict=True):
        for name, value in one._asdict().items():
            np.testing.assert_equal(value, getattr(other, name))
    assert read_findings(path, "another", SIZES) is None
    assert read_findings(tmp_path / "none.npz", "why", SIZES) is None


def test_nobody(tmp_path: Path) -> None:
    nothing = Tracks(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 4)), np.empty(0, np.float32))
    write_findings(tmp_path / "a.npz", CameraFindings(nothing, [], 3, 2), "why")
    found = read_findings(tmp_path / "a.npz", "why", SIZES)
    assert found is not None
    assert (len(found.boxes), found.summaries) == (0, [])


@pytest.mark.parametrize(
    "header", [b"{}", b"[" * 10**5, b'{"question": "why", "size": [1, 2], "summaries": [{}]}']
)
def test_a_header_that_is_none(tmp_path: Path, header: bytes) -> None:
    arrays = {name: np.zeros(0) for name in ("jpegs", "sizes", "frame", "track", "box", "score")}
    np.savez(tmp_path / "a.npz", header=np.frombuffer(header, np.uint8), **arrays)
    with pytest.raises(InputError, match=r"a\.npz is damaged"):
        read_findings(tmp_path / "a.npz", "why", SIZES)


def test_damaged(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"no archive")
    with pytest.raises(InputError, match=r"a\.npz is damaged"):
        read_findings(tmp_path / "a.npz", "why", SIZES)


#: Of a track: what somebody may write in the place of what was found.
TOLD: list[dict[str, Any]] = [
    {"track": 4},
    {"track": "3"},
    {"track": 2**40},
    {"first_frame": -1},
    {"first_frame": 14},
    {"last_frame": 1e9},
    {"frames": None},
    {"start": "0.4"},
    {"start": 1e300},
    {"end": float("nan")},
    {"box": [1.0, 2.0, 3.0]},
    {"box": ["a", "b", "c", "d"]},
    {"spans": [[[0.4, 1.3]]]},
    {"spans": [[[0.4, None]], []]},
    {"spans": [[[0.4, 1e18]], []]},
    {"shots": [[5, 0.5, [2]]]},
    {"shots": [[5, 0.5, [-1]]]},
    {"shots": [[5, "a", []]]},
    {"shots": [[5.5, 0.5, []]]},
    {"more": 1},
]
#: Of the arrays.
FEATURES = np.full((1, 3), 0.5, np.float32)
ARRAYS: list[dict[str, Any]] = [
    {"features": FEATURES[:, :2]},
    {"features": FEATURES * np.float32(np.nan)},
    {"features": FEATURES.astype(np.float64)},
    {"features": np.concatenate([FEATURES, FEATURES])},
    {"actions": FEATURES},
    {"actions": FEATURES[:, :2] + 1},
    {"frame": np.array([4, 5, 6])},
    {"frame": np.array([5, 4])},
    {"frame": np.array([-1, 5])},
    {"frame": np.array([4.0, 5.0])},
    {"frame": np.array(4)},
    {"track": np.array([3, 4])},
    {"track": np.array([3, -(2**63)])},
    {"box": np.full((2, 4), np.inf)},
    {"box": np.full((2, 3), 1.0)},
    {"score": np.full(2, np.nan, np.float32)},
    {"sizes": np.array([1, 1])},
    {"sizes": np.array([2**60, 9])},
    {"jpegs": np.zeros(10**4, np.uint8)},
]


def changed(path: Path, told: dict[str, Any], arrays: dict[str, Any], header: dict[str, Any]) -> None:
    """Findings of one track, with other values in them."""
    write_findings(path, made_up_found(Camera("gate", Path("gate.avi")), made_up_summary(3)).findings, "why")
    with np.load(path) as file:
        all_of_it = dict(file)
    right = json.loads(all_of_it["header"].tobytes())
    right.update(header)
    right["summaries"][0].update(told)
    text = np.frombuffer(json.dumps(right).encode(), np.uint8)
    np.savez(path, **{**all_of_it, **arrays, "header": text})


@pytest.mark.parametrize(
    "change",
    [
        *({"told": told} for told in TOLD),
        *({"arrays": arrays} for arrays in ARRAYS),
        *({"header": {"size": size}} for size in ([96], [96, "64"], [0, 0], [0, 64], [-96, 64], [9.5, 64])),
    ],
    ids=str,
)
def test_values_that_nobody_found(tmp_path: Path, change: dict[str, Any]) -> None:
    """Whole files by their sums: it is refused where it is read, and not where it is used."""
    path = tmp_path / "gate.npz"
    changed(path, {}, {}, {})
    assert read_findings(path, "why", SIZES) is not None
    changed(path, **{"told": {}, "arrays": {}, "header": {}, **change})
    with pytest.raises(InputError, match=r"gate\.npz is damaged .*; delete it, and start again") as caught:
        read_findings(path, "why", SIZES)
    assert "\n" not in str(caught.value)


def test_findings_of_another_model(tmp_path: Path) -> None:
    changed(tmp_path / "gate.npz", {}, {}, {})
    for sizes in ((4, 2), (3, 3)):
        with pytest.raises(InputError, match=r"gate\.npz is damaged"):
            read_findings(tmp_path / "gate.npz", "why", sizes)
