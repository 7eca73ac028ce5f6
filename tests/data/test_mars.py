"""MARS: counts, classes, order, and an error that names the file and row of whatever is wrong."""

import shutil
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from reidar_plugin.data.checker import OFFICIAL, PartCounts, count_parts, missing_pictures, unmatched_queries
from reidar_plugin.data.mars import MarsActions, read_tracklets
from reidar_plugin.data.mat_files import TableError, read_matrix
from reidar_plugin.data.tracklets import Frames
from reidar_plugin.labels.attributes import attribute_space
from reidar_plugin.labels.counts import count_labels
from reidar_plugin.labels.files import MissingFileError
from reidar_plugin.labels.spaces import ACTIONS3, ACTIONS8, LabelError
from tests.fakes import ACTIONS, write_actions, write_mars, write_real_mars

FILES = ["train_name.txt", "test_name.txt", "tracks_train_info.mat", "tracks_test_info.mat", "query_IDX.mat"]


def build(root: Path, **options: Any) -> MarsActions:
    return MarsActions(root=str(root), transform=lambda picture: picture, verbose=False, **options)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return write_mars(tmp_path, pictures=False, frames=[5, 1, 3])


def change_table(home: Path, name: str, variable: str, change: Callable[[np.ndarray], Any]) -> None:
    path = home / "info" / name
    table = read_matrix(path, variable)
    changed = change(table)
    savemat(path, {variable: table if changed is None else changed})


def test_counts_and_order(home: Path) -> None:
    split = read_tracklets(home)
    assert [len(part) for part in split] == [16, 6, 8]  # 4 x 2 x 2; 3 x 2; 3 x 2 x 1 and 2 distractors
    assert [tracklet.pid for tracklet in split.gallery[:2]] == [0, 0]
    assert {tracklet.pid for tracklet in split.query} == {1, 3, 5}
    assert split.train[1].key == "0002C1T0002"
    assert split.train[0].paths[1] == str(home / "bbox_train/0002/0002C1T0001F002.jpg")
    assert [len(tracklet.paths) for tracklet in split.train[:4]] == [5, 1, 3, 5]
    assert {tracklet.camid for part in split for tracklet in part} == {0, 1}
    assert not any(tracklet.pid < 0 for part in split for tracklet in part)


def test_training_classes_are_those_of_the_sorted_people(tmp_path: Path, home: Path) -> None:
    dataset = build(tmp_path)
    assert sorted({pid for _, pid, _, _ in dataset.train}) == [0, 1, 2, 3]
    assert {(frames.key[:4], pid) for frames, pid, _, _ in dataset.train} == {
        ("0002", 0),
        ("0004", 1),
        ("0006", 2),
        ("0008", 3),
    }
    assert dataset.num_train_pids == 4
    assert dataset.num_train_cams == 2


def test_every_query_is_found_by_another_camera(tmp_path: Path, home: Path) -> None:
    dataset = build(tmp_path)
    cameras = defaultdict(set)
    for _, pid, camid, _ in dataset.gallery:
        cameras[pid].add(camid)
    assert all(cameras[pid] - {camid} for _, pid, camid, _ in dataset.query)


def test_labels_come_from_the_file_and_nowhere_else(tmp_path: Path, home: Path) -> None:
    dataset = build(tmp_path)
    samples = dataset.train + dataset.query + dataset.gallery
    assert {type(frames) for frames, *_ in samples} == {Frames}
    for frames, *_ in samples:
        person = int(frames.key[:4])
        assert frames.labels == ({ACTIONS[person % 8]} if person else None)
    assert count_labels(dataset.train, ACTIONS8, by_person=True).positives.tolist() == [
        1,
        0,
        1,
        0,
        1,
        0,
        1,
        0,
    ]


def test_two_readings_are_equal_and_a_changed_file_is_read_again(home: Path) -> None:
    first = read_tracklets(home)
    assert read_tracklets(home) is first
    shutil.copytree(home, home.parent / "copy")
    assert [len(part) for part in read_tracklets(home.parent / "copy")] == [len(part) for part in first]
    change_table(home, "query_IDX.mat", "query_IDX", lambda query: query[:, :-1])
    assert len(read_tracklets(home).query) == len(first.query) - 1


def test_frames_may_pass_999(home: Path) -> None:
    path = home / "info/train_name.txt"
    names = path.read_text().replace("0002C1T0001F004", "0002C1T0001F999")
    path.write_text(names.replace("0002C1T0001F005", "0002C1T0001F1000"))
    assert [path[-8:] for path in read_tracklets(home).train[0].paths[-2:]] == ["F999.jpg", "1000.jpg"]


@pytest.mark.parametrize("name", FILES)
def test_each_missing_file_is_named(home: Path, name: str) -> None:
    (home / "info" / name).unlink()
    with pytest.raises(MissingFileError, match=rf"^no such file: {home}/info/{name}$"):
        read_tracklets(home)


def test_space_at_the_end_of_lines_and_of_the_list_means_nothing(home: Path) -> None:
    before = read_tracklets(home)
    path = home / "info/train_name.txt"
    path.write_text(path.read_text().replace("\n", " \n") + "\n\n")
    assert read_tracklets(home) == before


def test_a_root_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError,
        match=r"no such file: .*elsewhere/mars/info/train_name\.txt, .*; get it from .*MARS",
    ):
        build(tmp_path / "elsewhere")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "0002C1T0001F002.png",
        "0002C1T0001.jpg",
        "x0002C1T0001F002.jpg",
        "0002C0T0001F002.jpg",
        "٠٠٠٢C1T0001F002.jpg",
        "0002C1T0001F" + "1" * 5000 + ".jpg",
    ],
    ids=["empty", "png", "no frame", "more before", "camera 0", "other digits", "too many digits"],
)
@pytest.mark.parametrize("half", ["train", "test"])
def test_a_bad_name_is_named_by_its_line(home: Path, half: str, line: str) -> None:
    path = home / f"info/{half}_name.txt"
    names = path.read_text().splitlines()
    names[3] = line
    path.write_text("\n".join(names) + "\n")
    told = rf"{half}_name\.txt:4: expected an image name .*, got '{line[:50]}"
    with pytest.raises(TableError, match=told) as caught:
        read_tracklets(home)
    assert len(str(caught.value)) < len(str(home)) + 300


def set_cell(row: int, column: int, value: int) -> Callable[[np.ndarray], None]:
    def change(table: np.ndarray) -> None:
        table[row, column] = value

    return change


@pytest.mark.parametrize(
    ("row", "column", "value", "message"),
    [
        (0, 0, 0, r"row 1: expected 1 <= start <= end <= 50 names, got start 0 and end 5"),
        (0, 1, 99, r"row 1: expected 1 <= start <= end <= 50 names, got start 1 and end 99"),
        (2, 0, 10, r"row 3: expected 1 <= start <= end <= 50 names, got start 10 and end 9"),
        (0, 0, 2, r"row 1: names 2 to 5 cut 0002C1T0001: .*train_name\.txt:1 belongs to it"),
        (0, 1, 4, r"row 1: names 1 to 4 cut 0002C1T0001: .*train_name\.txt:5 belongs to it"),
        (
            0,
            1,
            6,
            r"row 1: more than one tracklet: '0002C1T0001F001\.jpg' and, at .*train_name\.txt:6, '0002C1T0002F001",
        ),
        (1, 2, 4, r"row 2 says person 4, camera 1; .*train_name\.txt:6 is '0002C1T0002F001\.jpg'"),
        (1, 3, 2, r"row 2 says person 2, camera 2; .*train_name\.txt:6 is '0002C1T0002F001\.jpg'"),
        (1, 2, -1, r"row 2 says person -1, camera 1; .*train_name\.txt:6 is '0002C1T0002F001\.jpg'"),
    ],
)
def test_a_bad_row_is_named(home: Path, row: int, column: int, value: int, message: str) -> None:
    change_table(home, "tracks_train_info.mat", "track_train_info", set_cell(row, column, value))
    with pytest.raises(TableError, match=r"tracks_train_info\.mat: " + message):
        read_tracklets(home)


def test_a_row_that_comes_twice(home: Path) -> None:
    change_table(
        home, "tracks_train_info.mat", "track_train_info", lambda table: np.vstack([table, table[:1]])
    )
    with pytest.raises(TableError, match=r"row 17: 0002C1T0001 is the tracklet of row 1 already"):
        read_tracklets(home)


def test_frames_out_of_order(home: Path) -> None:
    path = home / "info/train_name.txt"
    names = path.read_text().splitlines()
    names[1], names[2] = names[2], names[1]
    path.write_text("\n".join(names))
    with pytest.raises(
        TableError, match=r"row 1: the frames of 0002C1T0001 are not in order at .*train_name\.txt:1 to 5"
    ):
        read_tracklets(home)


def test_a_table_of_other_columns(home: Path) -> None:
    change_table(home, "tracks_test_info.mat", "track_test_info", lambda table: table[:, :3])
    with pytest.raises(
        TableError, match=r"tracks_test_info\.mat: expected 4 columns \(start, end, person, camera\), got 3"
    ):
        read_tracklets(home)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ([[4, 99]], r"number 2: expected a row of the test table, 1 to 15, got 99"),
        ([[0]], r"number 1: expected a row of the test table, 1 to 15, got 0"),
        ([[4, 6, 4]], r"number 3: expected rows in ascending order, got 4 after 6"),
        ([[4, 4]], r"number 2: expected rows in ascending order, got 4 after 4"),
        ([[4, 5]], r"number 2: row 5 is of person 1 in camera 1, of whom row 4 is the query already"),
        ([[1]], r"number 1: row 1 of the test table is junk or a distractor"),
        ([[2]], r"number 1: row 2 of the test table is junk or a distractor"),
        ([[4, 5], [6, 7]], r"expected one row of numbers, got a matrix of \(2, 2\)"),
    ],
)
def test_a_bad_query_is_named(home: Path, query: list[list[int]], message: str) -> None:
    change_table(home, "query_IDX.mat", "query_IDX", lambda _: np.array(query))
    with pytest.raises(TableError, match=r"query_IDX\.mat: " + message):
        read_tracklets(home)


def test_a_distractor_cannot_be_trained_on(tmp_path: Path) -> None:
    home = write_mars(tmp_path, pictures=False)
    for name in ("train_name.txt", "tracks_train_info.mat"):
        (home / "info" / name).unlink()
    shutil.copy(home / "info/test_name.txt", home / "info/train_name.txt")
    table = read_matrix(home / "info/tracks_test_info.mat", "track_test_info")
    savemat(home / "info/tracks_train_info.mat", {"track_train_info": table})
    with pytest.raises(
        TableError, match=r"tracks_train_info\.mat: row 2: a distractor \(person 0\) cannot be trained on"
    ):
        read_tracklets(home)


def test_without_labels_it_says_where_they_come_from(tmp_path: Path, home: Path) -> None:
    (home / "actions.csv").unlink()
    with pytest.raises(
        MissingFileError, match=r"mars/actions\.csv: .*import_labels\.py.*plain data set \(mars"
    ):
        build(tmp_path)
    dataset = build(tmp_path, labels_required=False)
    assert {frames.labels for frames, *_ in dataset.train} == {None}


def test_a_label_file_that_is_named(tmp_path: Path, home: Path) -> None:
    path = write_actions(tmp_path / "mine.csv", [("0002", "trolley")])
    dataset = build(tmp_path, label_file=path, space=ACTIONS3)
    assert ACTIONS3.encode(dataset.train[0][0].labels).tolist() == [0.0, 0.0, 1.0]
    with pytest.raises(MissingFileError, match=r"gone\.csv: no label file"):
        build(tmp_path, label_file=tmp_path / "gone.csv", labels_required=False)


def test_a_label_file_of_other_people(tmp_path: Path, home: Path) -> None:
    path = write_actions(home / "actions.csv", [("0001", "walking")])
    with pytest.raises(
        LabelError, match=rf"{path}: labels none of the 16 training tracklets, such as 0002C1T0001"
    ):
        build(tmp_path)
    write_actions(path, [("scen1/view1/2", "walking")])
    with pytest.raises(
        LabelError, match=r"actions\.csv:2: 'scen1/view1/2' names no tracklet of this data set"
    ):
        build(tmp_path)


def test_keys_that_name_nothing_are_warned_of(tmp_path: Path, home: Path) -> None:
    write_actions(home / "actions.csv", [("0002", "walking"), ("0777", "walking"), ("0002C5", "riding")])
    with pytest.warns(
        UserWarning, match=r"actions\.csv:3: '0777' names no tracklet found; keys that do not: 2"
    ):
        build(tmp_path)


def test_attributes_are_joined_by_person_camera_and_tracklet(tmp_path: Path, home: Path) -> None:
    table = "person-id,camera,tracklet,hat,pose\n2,1,1,1,5\n2,1,2,0,0\n"
    (home / "attributes.csv").write_text(table)
    space = attribute_space(["hat", "pose"])
    dataset = build(tmp_path, attribute_space=space)
    assert [frames.attributes for frames, *_ in dataset.train[:3]] == [
        {"hat=1", "pose=5"},
        {"hat=0", "pose=0"},
        None,
    ]
    assert dataset.train[0][0].labels == {ACTIONS[2]}
    assert {frames.attributes for frames, *_ in build(tmp_path).train} == {None}  # not asked for


def test_a_gallery_without_tracklets(tmp_path: Path) -> None:
    write_mars(tmp_path, pictures=False, tracklets=1, distractors=0)
    with pytest.raises(LabelError, match=r"MarsActions: expected gallery tracklets, got none"):
        build(tmp_path)


@pytest.mark.shared
@pytest.mark.slow
def test_the_official_counts(tmp_path: Path, shared: Path) -> None:
    home = write_real_mars(tmp_path, shared / "mars")
    shutil.copy(shared / "mars/mars_attributes.csv", home / "attributes.csv")
    space = attribute_space(["gender"])
    dataset = build(tmp_path, labels_required=False, attribute_space=space)
    assert [len(dataset.train), len(dataset.query), len(dataset.gallery)] == [8298, 1980, 9330]
    people = [{pid for _, pid, _, _ in part} for part in (dataset.train, dataset.query, dataset.gallery)]
    assert people[0] == set(range(625))
    assert [len(people[1]), len(people[2] - {0}), len((people[1] | people[2]) - {0})] == [626, 620, 634]
    assert sum(pid == 0 for _, pid, _, _ in dataset.gallery) == 3248
    assert sum(len(frames) for frames, *_ in dataset.train) == 509914
    cameras = defaultdict(set)
    for _, pid, camid, _ in dataset.gallery:
        cameras[pid].add(camid)
    assert set().union(*cameras.values()) == set(range(6))
    assert sum(bool(cameras[pid] - {camid}) for _, pid, camid, _ in dataset.query) == 1840
    assert len(unmatched_queries(dataset.query, dataset.gallery)) == 1980 - 1840
    found = [PartCounts(part.tracklets, part.people, part.distractors) for part in count_parts(dataset)]
    assert found == list(OFFICIAL["mars"])
    assert next(missing_pictures(dataset.train)).endswith("bbox_train/0001/0001C1T0001F001.jpg")
    samples = dataset.train + dataset.query + dataset.gallery
    assert sum(frames.attributes is not None for frames, *_ in samples) == 16360
    assert all((frames.attributes is None) == (pid == 0) for frames, pid, *_ in dataset.gallery)
