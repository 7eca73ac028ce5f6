"""Items, sums and combineall of ours beside those of the host."""

import pickle
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torchvision.transforms import ToTensor

from reidar_plugin.data.lpw import LPWActions
from reidar_plugin.data.mars import MarsActions
from reidar_plugin.data.tracklets import Frames
from reidar_plugin.data.video_dataset import ActionVideoDataset
from reidar_plugin.errors import PictureError
from reidar_plugin.host import reid
from reidar_plugin.labels.attributes import attribute_space
from reidar_plugin.labels.spaces import ACTIONS3, ACTIONS8, LabelError
from tests.fakes import ACTIONS, write_ilidsvid, write_lpw, write_mars

OPTIONS: dict[str, Any] = {"transform": ToTensor(), "verbose": False, "seq_len": 3}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three data sets that no test changes."""
    root = tmp_path_factory.mktemp("root")
    write_mars(root, frames=[5, 1, 3])
    write_lpw(root, frames=1)
    write_ilidsvid(root, frames=1)
    return root


@pytest.fixture
def own_root(tmp_path: Path) -> Path:
    """MARS alone, to be changed."""
    write_mars(tmp_path, train_people=3, test_people=1, frames=2)
    return tmp_path


def host_dataset(root: Path, name: str = "mars") -> Any:
    return reid.data.datasets.init_video_dataset(name, root=str(root), **OPTIONS)


def labels_of(samples: list[Any]) -> list[frozenset[str] | None]:
    return [frames.labels if isinstance(frames, Frames) else None for frames, *_ in samples]


def test_an_item_is_the_hosts_with_labels(own_root: Path) -> None:
    (own_root / "mars/attributes.csv").write_text("person-id,camera,tracklet,hat\n2,1,1,1\n")
    ours = MarsActions(root=str(own_root), attribute_space=attribute_space(["hat"]), **OPTIONS)
    item = ours[0]
    assert list(item) == ["img", "pid", "camid", "dsetid", "labels", "attributes"]
    assert item["img"].shape == (3, 3, 32, 16)
    assert item["labels"].tolist() == ACTIONS8.encode({ACTIONS[2]}).tolist()
    assert item["labels"].dtype == torch.float32
    assert item["attributes"].tolist() == [0.0, 1.0]
    assert ours[1]["attributes"].isnan().all()


@pytest.mark.parametrize("method", ["evenly", "random", "all"])
@pytest.mark.parametrize("seq_len", [1, 2, 3, 4, 7])
def test_frames_are_those_that_the_host_takes(root: Path, method: str, seq_len: int) -> None:
    options = OPTIONS | {"seq_len": seq_len, "sample_method": method}
    ours = MarsActions(root=str(root), **options)
    theirs = reid.data.datasets.init_video_dataset("mars", root=str(root), **options)
    assert len(ours) == len(theirs) == 16
    for index in range(3):  # tracklets of 5, 1 and 3 frames
        np.random.seed(index)
        expected = theirs[index]["img"]
        np.random.seed(index)
        found = ours[index]["img"]
        assert found.shape == expected.shape
        torch.testing.assert_close(found, expected, rtol=0, atol=4 / 255)  # two JPEG decoders
    assert (ours[2]["img"][0] - ours[0]["img"][0]).abs().max() > 8 / 255  # frames can be told apart


def test_an_unknown_sample_method_is_named(root: Path) -> None:
    with pytest.raises(LabelError, match="unknown sample_method 'odd'; choose evenly, random or all"):
        MarsActions(root=str(root), **OPTIONS | {"sample_method": "odd"})[0]


@pytest.mark.parametrize("damage", ["gone", "empty", "cut", "text"])
def test_a_broken_picture_is_named_and_not_read_for_ever(own_root: Path, damage: str) -> None:
    ours = MarsActions(root=str(own_root), **OPTIONS)
    path = Path(ours.train[0][0][0])
    whole = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes({"empty": b"", "cut": whole[: len(whole) // 2], "text": b"no picture"}[damage])
    with pytest.raises(PictureError, match=f"{path}: "):
        ours[0]


def test_unknown_labels_are_nan(own_root: Path) -> None:
    (own_root / "mars/actions.csv").write_text("tracklet,labels\n0002,walking\n0004,\n0006,none\n")
    ours = MarsActions(root=str(own_root), **OPTIONS)
    assert ours[0]["labels"].tolist() == [1.0] + [0.0] * 7
    assert ours[4]["labels"].isnan().all()
    assert ours[8]["labels"].tolist() == [0.0] * 8


def test_ours_and_ours(root: Path) -> None:
    mars, lpw = MarsActions(root=str(root), **OPTIONS), LPWActions(root=str(root), **OPTIONS)
    both = sum([mars, lpw])
    assert type(both) is ActionVideoDataset
    assert labels_of(both.train) == labels_of(mars.train) + labels_of(lpw.train)
    assert None not in labels_of(both.train)
    assert sorted({pid for _, pid, _, _ in both.train}) == list(range(4 + 5))
    assert sorted({camid for _, _, camid, _ in both.train}) == list(range(2 + 8))
    assert [dsetid for *_, dsetid in both.train] == [0] * 16 + [1] * 20
    assert both.query == mars.query
    assert both.num_train_pids == 9
    assert len(both) == 36
    assert both[20]["labels"].tolist() == lpw[4]["labels"].tolist()
    assert len(mars.train) == 16  # neither has changed
    assert {dsetid for *_, dsetid in lpw.train} == {0}


@pytest.mark.parametrize("name", ["mars", "ilidsvid"])
def test_ours_and_the_hosts(root: Path, name: str) -> None:
    ours, theirs = MarsActions(root=str(root), **OPTIONS), host_dataset(root, name)
    both = ours + theirs
    assert type(both) is ActionVideoDataset
    assert labels_of(both.train) == labels_of(ours.train) + [None] * len(theirs.train)
    assert both[0]["labels"].sum() == 1
    assert both[16]["labels"].isnan().all()
    assert both[16]["pid"] == 4 + theirs.train[0][1]


def test_the_hosts_and_ours(root: Path) -> None:
    ours, theirs = MarsActions(root=str(root), **OPTIONS), host_dataset(root, "ilidsvid")
    both = sum([theirs, ours])  # the host's own sum: its class, but the labels are still on the paths
    assert labels_of(both.train) == [None] * len(theirs.train) + labels_of(ours.train)
    plain = sum([theirs, host_dataset(root)])
    assert type(plain) is reid.data.VideoDataset
    three = plain + ours  # Python asks ours, whose class extends that of the left one
    assert type(three) is ActionVideoDataset
    assert [list(paths) for paths, *_ in three.train[:20]] == [list(paths) for paths, *_ in plain.train]
    assert labels_of(three.train) == [None] * 20 + labels_of(ours.train)
    assert three.query == plain.query
    assert three[20]["labels"].tolist() == ours[0]["labels"].tolist()


def test_sets_of_different_label_spaces_are_not_added(root: Path) -> None:
    eight, three = (
        MarsActions(root=str(root), **OPTIONS),
        MarsActions(root=str(root), space=ACTIONS3, **OPTIONS),
    )
    with pytest.raises(
        LabelError, match=r"different label spaces.*actions8.*actions3.*build both with the same space"
    ):
        eight + three


def test_what_is_no_data_set_is_not_added(root: Path) -> None:
    ours = MarsActions(root=str(root), **OPTIONS)
    for operation in (lambda: ours + 1, lambda: 1 + ours, lambda: ours + "mars"):
        with pytest.raises(TypeError):
            operation()
    assert 0 + ours is ours


def test_combineall_keeps_labels_and_leaves_distractors_out(root: Path) -> None:
    ours = MarsActions(root=str(root), combineall=True, **OPTIONS)
    assert len(ours) == 16 + 6 + 6
    assert sorted({pid for _, pid, _, _ in ours.train}) == list(range(4 + 3))
    assert ours.num_train_pids == 7
    expected = [{ACTIONS[int(frames.key[:4]) % 8]} for frames, *_ in ours.train]
    assert labels_of(ours.train) == expected
    numbers = {frames.key[:4]: pid for frames, pid, *_ in ours.train}
    assert [numbers[person] for person in ("0001", "0003", "0005")] == [4, 5, 6]


def test_combineall_numbers_people_in_their_order() -> None:
    def sample(pid: int) -> tuple[Frames, int, int, int]:
        return Frames((f"{pid}.jpg",), str(pid)), pid, 0, 0

    query, gallery = [sample(33), sample(40)], [sample(pid) for pid in (40, 8, 0, -1, 33)]
    people = [33, 40, 8]
    assert list(set(people)) != sorted(people)  # else a set would do; a literal has another order from a .pyc
    ours = ActionVideoDataset(
        [sample(0)], query, gallery, combineall=True, transform=ToTensor(), verbose=False
    )
    assert [pid for _, pid, _, _ in ours.train] == [0, 2, 3, 3, 1, 2]


@pytest.mark.parametrize("copy", [deepcopy, lambda dataset: pickle.loads(pickle.dumps(dataset))])
def test_labels_survive_copies(root: Path, copy: Callable[[Any], Any]) -> None:
    ours = MarsActions(root=str(root), **OPTIONS)
    again = copy(ours)
    assert labels_of(again.train) == labels_of(ours.train)
    assert again[0]["labels"].tolist() == ours[0]["labels"].tolist()
    assert again.train[0][0].key == "0002C1T0001"


def test_no_tracklets_at_all() -> None:
    sample = (("1.jpg",), 0, 0, 0)
    with pytest.raises(LabelError, match="ActionVideoDataset: expected training tracklets, got none"):
        ActionVideoDataset([], [sample], [sample], transform=ToTensor())
