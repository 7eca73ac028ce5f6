"""The data sets in the host's table: built by the host, read by its workers, labels unchanged."""

import multiprocessing
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader
from torchvision.transforms import ToTensor

from reidar_plugin import host
from reidar_plugin.config import reidar_node
from reidar_plugin.data.lpw import LPWActions
from reidar_plugin.data.mars import MarsActions
from reidar_plugin.data.registry import DATASETS, datasets
from reidar_plugin.data.video_dataset import ActionVideoDataset
from reidar_plugin.host import reid
from reidar_plugin.labels.spaces import ACTIONS3, ACTIONS8, LabelError
from tests import warm
from tests.fakes import (
    ACTIONS,
    write_actions,
    write_dukemtmcvidreid,
    write_ilidsvid,
    write_lpw,
    write_mars,
    write_prid2011,
)

OPTIONS: dict[str, Any] = {"transform": ToTensor(), "verbose": False, "seq_len": 2}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_mars(tmp_path, frames=2)
    write_lpw(tmp_path, frames=1)
    return tmp_path


@pytest.fixture
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, builder in datasets().items():
        monkeypatch.setitem(host.dataset_table("video"), name, builder)


def test_the_names(root: Path) -> None:
    assert list(datasets()) == ["mars_actions", "lpw_actions", "synthped"] == list(DATASETS)
    assert type(datasets()["mars_actions"](root=str(root), **OPTIONS)) is MarsActions
    assert type(datasets()["lpw_actions"](root=str(root), **OPTIONS)) is LPWActions


def test_the_config_reaches_the_data_set(tmp_path: Path, root: Path) -> None:
    (root / "mars/actions.csv").unlink()
    mine = write_actions(tmp_path / "mine.csv", [("0002", "trolley"), ("0004", "walking")])
    (tmp_path / "looks.csv").write_text("person-id,camera,tracklet,hat\n2,1,1,1\n")
    node = reidar_node()
    node.merge_from_list(
        ["labels.space", "actions3", "labels.attributes", ["hat"], "labels.files", [f"mars_actions={mine}"]]
    )
    node.labels.attribute_files = [f"mars_actions={tmp_path / 'looks.csv'}"]
    dataset = datasets(node)["mars_actions"](root=str(root), **OPTIONS)
    assert dataset.space == ACTIONS3
    assert dataset[0]["labels"].tolist() == [0.0, 0.0, 1.0]
    assert dataset[0]["attributes"].tolist() == [0.0, 1.0]
    assert dataset[4]["labels"].tolist() == [1.0, 0.0, 0.0]
    node.labels.files, node.labels.required, node.labels.attributes = [], False, []
    assert datasets(node)["mars_actions"](root=str(root), **OPTIONS)[0]["labels"].isnan().all()


@pytest.mark.parametrize(
    ("key", "entry", "message"),
    [
        (
            "files",
            "mars=a.csv",
            r"reidar\.labels\.files: 'mars' is none of mars_actions, .* did you mean 'mars_actions'\?",
        ),
        (
            "attribute_files",
            "ilidsvid=a.csv",
            r"reidar\.labels\.attribute_files: 'ilidsvid' is none of",
        ),
    ],
)
def test_files_of_other_data_sets(key: str, entry: str, message: str) -> None:
    node = reidar_node()
    node.labels[key] = [entry]
    with pytest.raises(LabelError, match=message):
        datasets(node)


@pytest.mark.parametrize(
    ("write", "name", "person"),
    [
        (write_ilidsvid, "ilidsvid", "person001"),
        (write_prid2011, "prid2011", "person_0001"),
        (write_dukemtmcvidreid, "dukemtmcvidreid", "0001"),
    ],
)
def test_any_data_set_of_the_host_takes_labels(
    tmp_path: Path, write: Callable[..., Path], name: str, person: str
) -> None:
    write(tmp_path)
    labels = write_actions(tmp_path / "labels.csv", [(person, "riding")])
    node = reidar_node()
    node.labels.files = [f"{name}_actions={labels}"]
    dataset = datasets(node)[f"{name}_actions"](root=str(tmp_path), **OPTIONS)
    theirs = reid.data.datasets.init_video_dataset(name, root=str(tmp_path), **OPTIONS)
    assert [(tuple(paths), *rest) for paths, *rest in dataset.train] == [
        (tuple(paths), *rest) for paths, *rest in theirs.train
    ]
    for (frames, *_), item in zip(dataset.train, dataset, strict=True):
        assert frames.labels == ({"riding"} if frames.key.startswith(person) else None)
        assert item["labels"].isnan().all() == (frames.labels is None)
    assert sum(frames.labels is not None for frames, *_ in dataset.train) == 2  # both cameras


def test_labels_of_people_that_a_host_data_set_does_not_have(tmp_path: Path) -> None:
    write_ilidsvid(tmp_path)
    node = reidar_node()
    node.labels.files = [f"ilidsvid_actions={write_actions(tmp_path / 'labels.csv', [('0001', 'riding')])}"]
    with pytest.raises(
        LabelError, match=r"labels\.csv: labels none of the 4 training tracklets, such as person001/cam1"
    ):
        datasets(node)["ilidsvid_actions"](root=str(tmp_path), **OPTIONS)


def manager(root: Path, sources: list[str], **options: Any) -> Any:
    return reid.data.VideoDataManager(
        root=str(root),
        sources=sources,
        height=16,
        width=8,
        batch_size_train=4,
        batch_size_test=2,
        seq_len=2,
        workers=0,
        use_gpu=False,
        **options,
    )


def batch_labels(loader: DataLoader) -> dict[int, set[tuple[float, ...]]]:
    labels: dict[int, set[tuple[float, ...]]] = {}
    for batch in loader:
        for pid, row in zip(batch["pid"].tolist(), batch["labels"], strict=True):
            labels.setdefault(pid, set()).add(tuple(row.tolist()))
    return labels


def one_hot(name: str) -> tuple[float, ...]:
    return tuple(ACTIONS8.encode({name}).tolist())


@pytest.mark.usefixtures("_registered")
@pytest.mark.parametrize("combineall", [False, True])
def test_the_hosts_manager_keeps_labels(root: Path, combineall: bool) -> None:
    data = manager(root, ["mars_actions"], combineall=combineall)
    people = ["0002", "0004", "0006", "0008"] + (["0001", "0003", "0005"] if combineall else [])
    assert data.num_train_pids == len(people)
    expected = {place: {one_hot(ACTIONS[int(person) % 8])} for place, person in enumerate(people)}
    assert batch_labels(data.train_loader) == expected
    gallery = batch_labels(data.test_loader["mars_actions"]["gallery"])
    assert gallery[1] == {one_hot(ACTIONS[1])}
    assert torch.tensor(list(gallery[0])).isnan().all()  # distractors


@pytest.mark.usefixtures("_registered")
def test_two_sources_in_the_hosts_manager(root: Path) -> None:
    data = manager(root, ["mars_actions", "lpw_actions"], targets=["mars_actions"])
    assert data.num_train_pids == 4 + 5
    assert type(data.train_loader.dataset) is ActionVideoDataset
    found = batch_labels(data.train_loader)
    for frames, pid, *_ in data.train_loader.dataset.train:
        assert tuple(ACTIONS8.encode(frames.labels).tolist()) in found[pid]


@pytest.mark.usefixtures("_registered")
def test_ours_with_one_of_the_hosts(root: Path) -> None:
    write_ilidsvid(root, frames=2)
    data = manager(root, ["mars_actions", "ilidsvid"], targets=["mars_actions"])
    found = batch_labels(data.train_loader)
    assert found[0] == {one_hot(ACTIONS[2])}
    assert all(torch.tensor(list(rows)).isnan().all() for pid, rows in found.items() if pid >= 4)
    assert len(found) == 6


def test_the_builders_can_be_pickled() -> None:
    node = reidar_node()
    node.labels.files = ["ilidsvid_actions=labels.csv"]
    for builder in datasets(node).values():
        assert pickle.loads(pickle.dumps(builder)).keywords == builder.keywords


def test_the_example_of_the_documentation_runs(root: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/data.md").read_text(encoding="utf-8")
    code = page.split("```python\n")[1].split("```")[0].replace('"/data"', repr(str(root)))
    names: dict[str, Any] = {}
    exec(compile(code, "docs/data.md", "exec"), names)
    assert names["frames"].labels == {ACTIONS[2]}
    assert names["dataset"][0]["labels"].tolist() == [0.0, 0.0, 1.0, 0.0, 0.0]


@pytest.mark.slow
def test_workers_that_know_nothing_keep_labels(root: Path) -> None:
    dataset = datasets()["mars_actions"](root=str(root), **OPTIONS)
    dataset.query[0][0]  # the plugin is not enabled, here or there
    loader = DataLoader(
        dataset, batch_size=4, num_workers=1, multiprocessing_context=multiprocessing.get_context(warm.METHOD)
    )
    assert batch_labels(loader) == {place: {one_hot(ACTIONS[2 * place + 2 & 7])} for place in range(4)}


def test_duke_takes_attributes_and_labels(tmp_path: Path) -> None:
    write_dukemtmcvidreid(tmp_path)
    table = tmp_path / "looks.csv"
    table.write_text("person-id,camera,tracklet,boots,pose\n1,1,1,1,4\n2,2,2,0,0\n")
    node = reidar_node()
    node.labels.attributes = ["boots=0|1", "pose"]
    node.labels.attribute_files = [f"dukemtmcvidreid_actions={table}"]
    dataset = datasets(node)["dukemtmcvidreid_actions"](root=str(tmp_path), **OPTIONS)
    rows = {frames.key: dataset[place]["attributes"] for place, (frames, *_) in enumerate(dataset.train)}
    assert rows["0001C1T0001"].tolist() == [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    assert rows["0002C2T0002"].tolist() == [1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    assert rows["0001C2T0002"].isnan().all()
    assert dataset[0]["labels"].isnan().all()
    node.labels.files = [f"dukemtmcvidreid_actions={write_actions(tmp_path / 'a.csv', [('0001', 'riding')])}"]
    both = datasets(node)["dukemtmcvidreid_actions"](root=str(tmp_path), **OPTIONS)
    assert both[0]["labels"].nansum() == 1
    assert both[0]["attributes"].nansum() == 2


def test_a_table_of_attributes_of_another_data_set(tmp_path: Path) -> None:
    write_ilidsvid(tmp_path)
    table = tmp_path / "looks.csv"
    table.write_text("person-id,camera,tracklet,hat\n1,1,1,1\n")
    node = reidar_node()
    node.labels.attributes = ["hat"]
    node.labels.attribute_files = [f"ilidsvid_actions={table}"]
    with pytest.raises(
        LabelError, match=r"looks\.csv: has none of the 4 training tracklets, such as person001/cam1"
    ):
        datasets(node)["ilidsvid_actions"](root=str(tmp_path), **OPTIONS)
