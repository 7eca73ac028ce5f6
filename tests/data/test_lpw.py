"""LPW: the split, people and cameras over scenes, and folders that are not as they should be."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from reidar_plugin.data.lpw import LPWActions, read_tracklets
from reidar_plugin.data.mat_files import TableError
from reidar_plugin.labels.counts import count_labels
from reidar_plugin.labels.files import MissingFileError
from reidar_plugin.labels.spaces import ACTIONS8
from tests.fakes import ACTIONS, write_lpw


def build(root: Path, **options: Any) -> LPWActions:
    return LPWActions(root=str(root), transform=lambda picture: picture, verbose=False, **options)


@pytest.mark.parametrize("sub_folder", [False, True], ids=["pep_256x128", "data_slim"])
def test_the_split(tmp_path: Path, sub_folder: bool) -> None:
    home = write_lpw(tmp_path, people=(3, 4, 2), sub_folder=sub_folder, pictures=False)
    split = read_tracklets(home)
    assert [len(part) for part in split] == [4 * 4 + 2 * 4, 3, 6]
    assert {tracklet.key.rsplit("/", 1)[0] for tracklet in split.query} == {"scen1/view2"}
    assert {tracklet.key.rsplit("/", 1)[0] for tracklet in split.gallery} == {"scen1/view1", "scen1/view3"}
    assert {tracklet.pid for tracklet in split.train} == {1, 2, 3, 4, 5, 6}
    assert (
        {tracklet.pid for tracklet in split.query}
        == {tracklet.pid for tracklet in split.gallery}
        == {7, 8, 9}
    )
    folder = home / "pep_256x128" / ("data_slim" if sub_folder else "") / "scen2/view1/1"
    assert split.train[0].paths == tuple(str(folder / f"{n}.jpg") for n in (1, 2, 3))


def test_a_camera_is_one_view_of_one_scene(tmp_path: Path) -> None:
    split = read_tracklets(write_lpw(tmp_path, pictures=False))
    views: dict[int, set[str]] = {}
    for tracklet in (*split.train, *split.query, *split.gallery):
        views.setdefault(tracklet.camid, set()).add(tracklet.key.rsplit("/", 1)[0])
    assert {camid: view for camid, (view,) in views.items()} == {
        **{view - 1: f"scen2/view{view}" for view in (1, 2, 3, 4)},
        **{view + 3: f"scen3/view{view}" for view in (1, 2, 3, 4)},
        **{view + 7: f"scen1/view{view}" for view in (1, 2, 3)},
    }


def test_numbers_of_people_have_gaps_and_frames_sort_as_numbers(tmp_path: Path) -> None:
    home = write_lpw(tmp_path, people=(2, 2, 2), frames=11, pictures=False)
    for view in (1, 2, 3, 4):
        (home / f"pep_256x128/scen2/view{view}/2").rename(home / f"pep_256x128/scen2/view{view}/100")
    split = read_tracklets(home)
    assert [(tracklet.key, tracklet.pid) for tracklet in split.train[:2]] == [
        ("scen2/view1/1", 1),
        ("scen2/view1/100", 2),
    ]
    assert [Path(path).stem for path in split.train[0].paths] == [str(n) for n in range(1, 12)]


def test_a_person_is_not_in_every_view(tmp_path: Path) -> None:
    home = write_lpw(tmp_path, people=(3, 2, 2), pictures=False)
    shutil.rmtree(home / "pep_256x128/scen1/view3/2")
    split = read_tracklets(home)
    assert [tracklet.key for tracklet in split.gallery if tracklet.pid == 6] == ["scen1/view1/2"]


def test_training_classes_and_labels(tmp_path: Path) -> None:
    write_lpw(tmp_path, people=(3, 3, 2), pictures=False)
    dataset = build(tmp_path)
    assert sorted({pid for _, pid, _, _ in dataset.train}) == [0, 1, 2, 3, 4]
    assert dataset.num_train_cams == 8
    for frames, *_ in dataset.train + dataset.query + dataset.gallery:
        _, view, person = frames.key.split("/")
        assert frames.labels == {ACTIONS[(int(person) + int(view[-1])) % 8]}
    assert count_labels(dataset.train, ACTIONS8).unknown == 0


def test_all_of_it_may_be_trained_on(tmp_path: Path) -> None:
    write_lpw(tmp_path, people=(3, 3, 2), pictures=False)
    dataset = build(tmp_path, combineall=True)
    assert len(dataset.train) == 5 * 4 + 9
    assert {pid for _, pid, _, _ in dataset.train} == set(range(8))
    assert dataset.num_train_pids == 8
    assert dataset.num_train_cams == 11
    assert all(frames.labels for frames, *_ in dataset.train)


@pytest.mark.parametrize("gone", ["scen1", "scen2", "scen3/view4", "scen1/view2"])
def test_each_missing_folder_is_named(tmp_path: Path, gone: str) -> None:
    home = write_lpw(tmp_path, pictures=False)
    shutil.rmtree(home / "pep_256x128" / gone)
    with pytest.raises(
        MissingFileError, match=rf"no such folder: {home}/pep_256x128/{gone}.*; get it from .*lpw"
    ):
        build(tmp_path)


def test_other_files_are_passed_over(tmp_path: Path) -> None:
    home = write_lpw(tmp_path, pictures=False)
    before = read_tracklets(home)
    (home / "pep_256x128/scen2/view1/1/Thumbs.db").touch()
    (home / "pep_256x128/scen2/view1/1/.1.jpg").touch()
    (home / "pep_256x128/scen2/view1/readme.txt").touch()
    assert read_tracklets(home) == before


@pytest.mark.parametrize("name", ["front.jpg", "1_2.jpg", "²1.jpg"])
def test_a_picture_with_another_name(tmp_path: Path, name: str) -> None:
    home = write_lpw(tmp_path, pictures=False)
    (home / "pep_256x128/scen2/view1/1" / name).touch()
    with pytest.raises(
        TableError, match=rf"scen2/view1/1/{name}: expected a number for a name, got '{name[:-4]}'"
    ):
        read_tracklets(home)


def test_a_person_with_another_name_or_twice(tmp_path: Path) -> None:
    home = write_lpw(tmp_path, pictures=False)
    (home / "pep_256x128/scen2/view1/01").mkdir()
    with pytest.raises(TableError, match=r"scen2/view1/1: person 1 has a folder already, .*scen2/view1/01"):
        read_tracklets(home)
    (home / "pep_256x128/scen2/view1/01").rename(home / "pep_256x128/scen2/view1/anna")
    with pytest.raises(TableError, match=r"scen2/view1/anna: expected a number for a name, got 'anna'"):
        read_tracklets(home)


def test_a_tracklet_without_pictures_is_left_out_with_a_warning(tmp_path: Path) -> None:
    home = write_lpw(tmp_path, pictures=False)
    (home / "pep_256x128/scen2/view1/9").mkdir()
    with pytest.warns(UserWarning, match=r"scen2/view1/9: no picture in it; the tracklet is left out"):
        split = read_tracklets(home)
    assert len(split.train) == 3 * 4 + 2 * 4
