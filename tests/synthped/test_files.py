"""Files of a set beside its pictures: tables, labels, attributes, truth."""

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

from reidar_plugin.synthped.actions import ACTIONS
from reidar_plugin.synthped.files import ATTRIBUTE_COLUMNS, attribute_row
from reidar_plugin.synthped.people.looks import Look
from reidar_plugin.synthped.plan import Shot

INFO = Path(__file__).resolve().parents[2] / "../shared/mars/info"


def test_published_labels_say_the_same_as_ours(mars: Path) -> None:

    labels = dict(list(csv.reader((mars / "actions.csv").open()))[1:])
    for split in ("train", "test"):
        lines = [
            line.split() for line in (mars / "published" / f"{split}_8_actions.txt").read_text().splitlines()
        ]
        assert [name for name, _ in lines] == (mars / "info" / f"{split}_name.txt").read_text().split()
        for name, number in lines:
            assert int(number) == (ACTIONS.index(labels[name[:4]]) + 1 if name[:4] in labels else 0)
    assert {"0000", "00-1"}.isdisjoint(labels)


def test_truth_covers_every_frame_once(mars: Path) -> None:
    ends: dict[str, int] = {}
    for row in csv.DictReader((mars / "truth" / "frames.csv").open()):
        assert int(row["first"]) == ends.get(row["tracklet"], 0) + 1
        ends[row["tracklet"]] = int(row["last"])
    frames = Counter(path.name[:11] for path in mars.rglob("*.jpg"))
    assert ends == frames


@pytest.mark.parametrize("name", ["tracks_train_info", "tracks_test_info", "query_IDX"])
def test_tables_have_keys_and_types_of_the_official_ones(mars: Path, name: str) -> None:
    expected = {
        "tracks_train_info": ("track_train_info", np.int32),
        "tracks_test_info": ("track_test_info", np.int32),
    }
    key, kind = expected.get(name, ("query_IDX", np.uint16))
    ours = loadmat(mars / "info" / f"{name}.mat")
    assert ours[key].dtype == kind
    assert (mars / "info" / f"{name}.mat").read_bytes()[:116].rstrip() == b"MATLAB 5.0 MAT-file, SynthPed"
    if INFO.is_dir():
        official = loadmat(INFO / f"{name}.mat")
        assert set(official) == set(ours)
        assert official[key].dtype == ours[key].dtype
        assert official[key].ndim == ours[key].ndim
        assert (
            official[key].shape[-1 if key != "query_IDX" else 0]
            == ours[key].shape[-1 if key != "query_IDX" else 0]
        )


def test_queries_are_counted_from_one(mars: Path) -> None:
    table = loadmat(mars / "info" / "tracks_test_info.mat")["track_test_info"]
    queries = loadmat(mars / "info" / "query_IDX.mat")["query_IDX"][0]
    rows = table[queries - 1]
    assert (rows[:, 2] > 0).all()
    assert len({(pid, camera) for pid, camera in rows[:, 2:].tolist()}) == len(rows)
    assert (table[queries - 2, 2:] != rows[:, 2:]).any()  # counted from 0 they would be others


def test_attributes_by_hand() -> None:
    look = Look(
        gender="female", age="adult", build="slim", height=2, skin=1, hair="ponytail", hair_colour="fair", hat="cap",
        hat_colour="red", top="shirt", top_colour="green", top_second="white", texture="plain", sleeves="short",
        bottom="shorts", bottom_colour="blue", shoes="white", bag="backpack", bag_colour="navy", item="cup",
        item_colour="red", vehicle="pram", right_handed=True,
    )  # fmt: skip
    shot = Shot("train", 7, 3, 2, 20, "walking", "bbox_train/0007", "0007C3T0002F", "0007C3T0002", 0)
    row = dict(zip(ATTRIBUTE_COLUMNS, attribute_row(look, shot, "back", "running"), strict=True))
    assert row == {
        "person-id": "7", "camera": "3", "tracklet": "2", "Tops.c": "2", "Bottoms.c": "7", "Age": "2", "Tops.l": "0",
        "Bottoms.l": "0", "shoulder bag": "0", "backpack": "1", "hat": "1", "handbag": "0", "hair": "1", "gender": "1",
        "Bottoms.t": "1", "pose": "4", "motion": "2",
    }  # fmt: skip
    checks = attribute_row(replace(look, texture="checks"), shot, "back", "running")
    assert checks[ATTRIBUTE_COLUMNS.index("Tops.c")] == "8"  # complex
