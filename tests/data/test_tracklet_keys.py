"""Keys made from paths, and labels put on the samples of any host data set."""

from pathlib import Path

import pytest

from reidar_plugin.data.tracklet_keys import tracklet_key, with_labels
from reidar_plugin.data.tracklets import Frames
from reidar_plugin.labels.attributes import AttributeTable
from reidar_plugin.labels.files import LabelTable, read_labels
from reidar_plugin.labels.spaces import LabelError
from tests.fakes import write_actions


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/data/mars/bbox_test/0001/0001C2T0003F004.jpg", "0001C2T0003"),
        ("/data/mars/bbox_test/00-1/00-1C2T0003F004.jpg", "00-1C2T0003"),
        ("0001C2T0003F1004.jpg", "0001C2T0003"),
        ("/data/DukeMTMC-VideoReID/train/0007/0012/0007_C6_F0001_X00009.jpg", "0007C6T0012"),
        ("/data/DukeMTMC-VideoReID/train/0007/0012/0007C6F0001X00009.jpg", "0007C6T0012"),
        ("/data/lpw/pep_256x128/scen1/view2/17/3.jpg", "scen1/view2/17"),
        ("/data/i-LIDS-VID/sequences/cam1/person001/cam1_person001_00317.png", "person001/cam1"),
        ("/data/prid_2011/multi_shot/cam_a/person_0001/0001.png", "person_0001/cam_a"),
        ("/data/shop/anna/03/17.png", "anna/03"),
    ],
)
def test_the_key_of_each_layout(path: str, key: str) -> None:
    assert tracklet_key([path, "another"]) == key


def test_paths_that_give_no_key() -> None:
    with pytest.raises(LabelError, match=r"17\.png: expected a picture in two folders"):
        tracklet_key(["17.png"])
    with pytest.raises(LabelError, match="a tracklet without frames has no key"):
        tracklet_key([])


@pytest.fixture
def table(tmp_path_factory: pytest.TempPathFactory) -> LabelTable:
    rows = [("0001", "walking"), ("0001C2T0003", "riding"), ("anna", "trolley")]
    return read_labels(write_actions(tmp_path_factory.mktemp("labels") / "actions.csv", rows))


def test_labels_ride_on_the_paths_and_nothing_else_changes(table: LabelTable) -> None:
    samples = [
        (("m/0001C2T0003F001.jpg", "m/0001C2T0003F002.jpg"), 0, 1, 0),
        (("m/0001C1T0001F001.jpg",), 0, 0, 2),
        (("m/0002C1T0001F001.jpg",), 1, 0, 0),
        (["shop/anna/03/1.png"], 2, 0),
    ]
    labelled = with_labels(samples, table)
    assert [tuple(frames) for frames, *_ in labelled] == [tuple(paths) for paths, *_ in samples]
    assert [rest for _, *rest in labelled] == [[0, 1, 0], [0, 0, 2], [1, 0, 0], [2, 0, 0]]
    assert [frames.labels for frames, *_ in labelled] == [{"riding"}, {"walking"}, None, {"trolley"}]


def test_no_table_leaves_all_unknown() -> None:
    ((frames, *_),) = with_labels([(("m/0001C2T0003F001.jpg",), 0, 1, 0)], None)
    assert (frames.key, frames.labels) == ("0001C2T0003", None)


def test_labels_that_are_there_stay_where_the_table_has_none(table: LabelTable) -> None:
    known = Frames(("1.jpg",), "0005C1T0001", {"trolley"}, {"hat=1"})
    other = Frames(("1.jpg",), "0001C1T0001", {"trolley"}, {"hat=1"})
    first, second = (frames for frames, *_ in with_labels([(known, 0, 0, 0), (other, 0, 0, 0)], table))
    assert (first.labels, first.attributes) == ({"trolley"}, {"hat=1"})
    assert (second.labels, second.attributes) == ({"walking"}, {"hat=1"})


def test_keys_of_a_users_own_making(table: LabelTable) -> None:
    ((frames, *_),) = with_labels([(("x.jpg",), 0, 0, 0)], table, key_of=lambda paths: "anna/" + paths[0])
    assert frames.labels == {"trolley"}


def test_attributes_join_labels_that_are_there_already() -> None:
    looks = AttributeTable(Path("attributes.csv"), {(5, 1, 1): frozenset({"hat=0"})})
    known = Frames(("1.jpg",), "0005C1T0001", {"trolley"}, {"hat=1"})
    ((frames, *_),) = with_labels([(known, 0, 0, 0)], None, looks)
    assert (frames.labels, frames.attributes) == ({"trolley"}, {"hat=0"})
