"""Tables, MOT files and features say what was found."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from reidar_plugin.inference.cameras import Camera
from reidar_plugin.inference.identify import Seen, identify
from reidar_plugin.inference.mot_files import read_tracks
from reidar_plugin.inference.recognised_files import (
    row_of,
    write_features,
    write_mot,
    write_rows,
    write_table,
)
from tests.inference.recognised import ACTIONS, made_up_found, made_up_summary

HALF = np.array([0.5, 0.5], np.float32)
FOUND = made_up_found(
    Camera("gate", Path("gate.avi"), start=10.0), made_up_summary(3), made_up_summary(7, first_frame=20)
)


def seen() -> list[Seen]:
    return [one._replace(person=one.person + 40) for one in identify([FOUND], None, "euclidean")]


def test_a_row() -> None:
    assert row_of(seen()[0], ACTIONS, HALF) == {
        "camera": "gate",
        "track": 3,
        "identity": 41,
        "first_frame": 5,
        "last_frame": 14,
        "start": 10.4,
        "end": 11.3,
        "frames": 9,
        "box": [1.5, 2.0, 10.0, 20.0],
        "score": 0.5,
        "actions": {
            "walking": {"likelihood": 0.75, "shown": True, "seen": [[10.4, 11.3]]},
            "riding": {"likelihood": 0.25, "shown": False, "seen": []},
        },
    }


def test_dates_are_in_utc() -> None:
    one = seen()[0]
    dated = one._replace(camera=Camera("gate", Path("gate.avi"), start=1_777_636_800.0, dated=True))
    assert row_of(dated, ACTIONS, HALF)["end"] == "2026-05-01T12:00:01.300Z"


def test_tables_agree(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    rows = [row_of(one, ACTIONS, HALF) for one in seen()]
    write_rows(tmp_path / "a.jsonl", rows)
    write_table(tmp_path / "a.csv", rows, ACTIONS)
    write_table(tmp_path / "a.parquet", rows, ACTIONS)
    assert [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()] == rows
    with (tmp_path / "a.csv").open() as file:
        first, second = csv.DictReader(file)
    assert (first["track"], first["identity"], first["height"], first["walking"], first["shown"]) == (
        "3",
        "41",
        "20.0",
        "0.75",
        "walking",
    )
    assert second["track"] == "7"
    parquet = pytest.importorskip("pyarrow.parquet")
    assert parquet.read_table(tmp_path / "a.parquet").to_pylist()[1] == {
        name: type_of(value) for (name, value), type_of in zip(second.items(), _types(), strict=True)
    }


def _types() -> list[type]:
    return [str, str, int, int, int, float, float, int, float, float, float, float, float, float, float, str]


def test_ids_in_mot_files_are_people(tmp_path: Path) -> None:
    write_mot(tmp_path / "gate.txt", FOUND, seen())
    tracks = read_tracks(tmp_path / "gate.txt")
    assert tracks.track.tolist() == [41, 41, 42, 42]
    assert tracks.frame.tolist() == [4, 5, 20, 21]
    np.testing.assert_allclose(tracks.box, FOUND.findings.boxes.box)


def test_features(tmp_path: Path) -> None:
    write_features(tmp_path / "features.npy", seen())
    assert np.load(tmp_path / "features.npy").tolist() == [[0.5, 0.25, 1.0]] * 2
