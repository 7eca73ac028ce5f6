"""The checker: 0 only when training can start, and what it says when it cannot."""

import importlib.util
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from scipy.io import savemat

from reidar_plugin.data.checker import (
    PartCounts,
    count_parts,
    training_problems,
    unmatched_queries,
)
from reidar_plugin.launch.guard import guard
from tests.fakes import write_actions, write_ilidsvid, write_lpw, write_mars

Check = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "tools/check_dataset.py"
    spec = importlib.util.spec_from_file_location("check_dataset", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def check(tool: ModuleType, capsys: pytest.CaptureFixture[str]) -> Check:
    def run(name: str, root: Path, *arguments: str) -> tuple[int, str]:
        code = guard(lambda: tool.main(["--dataset", name, "--root", str(root), *arguments]), last=False)
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run


def made(train: list[Any], query: list[Any], gallery: list[Any]) -> Any:
    return SimpleNamespace(train=train, query=query, gallery=gallery)


def test_counts_tell_distractors_from_person_zero() -> None:
    mars = made(
        [(("1",), 0, 0, 0)],
        [(("1",), 3, 0, 0)],
        [(("1", "2"), 3, 1, 0), (("1",), 0, 0, 0), (("1",), 0, 0, 0)],
    )
    assert count_parts(mars) == (
        PartCounts(1, 1, 0, 1, 1),
        PartCounts(1, 1, 0, 1, 1),
        PartCounts(3, 1, 2, 2, 4),
    )
    ilids = made([(("1",), 0, 0, 0)], [(("1",), 0, 0, 0)], [(("1",), 0, 1, 0)])
    assert count_parts(ilids)[2] == PartCounts(1, 1, 0, 1, 1)


def test_a_query_needs_its_person_in_another_camera() -> None:
    query = [(("a",), 1, 0, 0), (("b",), 2, 0, 0), (("c",), 3, 0, 0)]
    gallery = [(("d",), 1, 1, 0), (("e",), 2, 0, 0), (("f",), 1, 0, 0)]
    assert [paths for (paths, *_) in unmatched_queries(query, gallery)] == [("b",), ("c",)]


def test_problems_one_by_one() -> None:
    query, gallery = [(("a",), 1, 0, 0)], [(("b",), 1, 1, 0)]
    people = [(("c",), 0, 0, 0), (("d",), 1, 0, 0)]
    assert training_problems(made(people, query, gallery), 0, 0) == []
    assert training_problems(made(people[:1], query, gallery), 0, 0) == [
        "training needs two people or more, found 1"
    ]
    assert "no query has its person" in training_problems(made(people, query, query), 0, 0)[0]
    assert training_problems(made(people, query, gallery), 3, 4) == [
        "missing pictures: 3",
        "pictures that cannot be read: 4",
    ]


def test_a_good_set(tmp_path: Path, check: Check) -> None:
    write_mars(tmp_path, frames=2)
    code, printed = check("mars_actions", tmp_path, "--pictures")
    assert code == 0, printed
    assert "training can start, in batches of 4 people at most: " in printed
    assert "train.batch_size / sampler.num_instances people" in printed
    assert "official" in printed
    assert "8298" in printed
    assert "queries with a match in another camera: 6 of 6" in printed
    assert "missing pictures: 0" in printed
    assert "broken pictures: 0" in printed
    rows = [line.split() for line in printed.splitlines()]
    assert ["train", "16", "4", "0", "2", "32"] in rows
    assert ["gallery", "8", "3", "2", "2", "16"] in rows
    assert ["walking", "4", "25.00%", "1", "25.00%", "0", "0.00%"] in rows  # person 8
    assert ["(unknown)", "0", "0", "2"] in rows


def test_settings_are_those_of_a_config(tmp_path: Path, check: Check) -> None:
    write_mars(tmp_path, frames=1)
    code, printed = check("mars_actions", tmp_path, "reidar.labels.space", "actions3")
    assert code == 0
    assert "using_hands" in printed
    code, printed = check("mars_actions", tmp_path, "reidar.labels.spice", "actions3")
    assert code == 2
    assert "reidar.labels.spice" in printed


def test_missing_pictures_are_counted_and_shown(tmp_path: Path, check: Check) -> None:
    home = write_mars(tmp_path, frames=3)
    gone = [home / "bbox_train/0002/0002C1T0001F002.jpg", home / "bbox_test/0001/0001C1T0001F003.jpg"]
    for path in gone:
        path.unlink()
    code, printed = check("mars_actions", tmp_path)
    assert code == 1
    assert "missing pictures: 2" in printed
    assert "get them from http" in printed
    assert all(str(path) in printed for path in gone)
    shutil.rmtree(home / "bbox_train")
    code, printed = check("mars_actions", tmp_path, "--pictures")
    assert code == 1
    assert "missing pictures: 49" in printed
    assert "... and 44 more" in printed
    assert "CANNOT TRAIN: missing pictures: 49" in printed


@pytest.mark.parametrize("pictures", [False, True])
def test_broken_pictures_are_found_where_they_are_looked_for(
    tmp_path: Path, check: Check, pictures: bool
) -> None:
    home = write_mars(tmp_path, frames=2)
    broken = home / "bbox_test/0003/0003C2T0001F001.jpg"
    broken.write_bytes(broken.read_bytes()[:-200])
    code, printed = check("mars_actions", tmp_path, *["--pictures"] * pictures)
    assert code == int(pictures)
    assert (str(broken) in printed) == pictures
    assert ("CANNOT TRAIN: pictures that cannot be read: 1" in printed) == pictures


def test_libraries_do_not_speak_between_the_lines(
    tmp_path: Path, tool: ModuleType, capfd: pytest.CaptureFixture[str]
) -> None:
    write_ilidsvid(tmp_path)
    broken = next(tmp_path.rglob("*.png"))
    data = broken.read_bytes()
    broken.write_bytes(data[:60] + b"xxxx" + data[64:])
    read = ["--dataset", "ilidsvid", "--root", str(tmp_path)]
    assert tool.main([*read, "--pictures"]) == 1
    printed = capfd.readouterr()
    assert str(broken) in printed.out
    assert "libpng" not in printed.err
    assert "grfmt_png" not in printed.err
    sys.stderr.write("still here\n")
    assert capfd.readouterr().err == "still here\n"


def test_a_set_without_labels(tmp_path: Path, check: Check) -> None:
    home = write_mars(tmp_path, frames=1, actions=False)
    code, printed = check("mars_actions", tmp_path)
    assert code == 2
    assert f"{home}/actions.csv: no label file" in printed
    assert "import_labels.py" in printed
    assert check("mars", tmp_path)[0] == 0
    assert check("mars_actions", tmp_path, "reidar.labels.required", "False")[0] == 0


def test_labels_of_nobody(tmp_path: Path, check: Check) -> None:
    home = write_mars(tmp_path, frames=1)
    write_actions(home / "actions.csv", [("0001", "walking")])
    code, printed = check("mars_actions", tmp_path)
    assert code == 2
    assert "labels none of the 16 training tracklets" in printed


@pytest.mark.parametrize("name", ["train_name.txt", "query_IDX.mat", "tracks_test_info.mat"])
def test_a_missing_list_says_where_to_get_it(tmp_path: Path, check: Check, name: str) -> None:
    home = write_mars(tmp_path, frames=1)
    (home / "info" / name).unlink()
    code, printed = check("mars_actions", tmp_path)
    assert code == 2
    assert f"{home}/info/{name}; get it from" in printed
    assert "MARS-evaluation" in printed


def test_one_person_and_no_match(tmp_path: Path, check: Check) -> None:
    home = write_mars(tmp_path, train_people=1, test_people=1, cameras=1, frames=1)
    savemat(home / "info/query_IDX.mat", {"query_IDX": [[4]]})
    code, printed = check("mars_actions", tmp_path)
    assert code == 1
    assert "CANNOT TRAIN: training needs two people or more, found 1" in printed
    assert "CANNOT TRAIN: no query has its person in another camera" in printed
    assert "people whose queries have none: 1" in printed


def test_lpw_and_a_set_of_the_host(tmp_path: Path, check: Check) -> None:
    write_lpw(tmp_path)
    write_ilidsvid(tmp_path)
    assert check("lpw_actions", tmp_path, "--pictures")[0] == 0
    code, printed = check("ilidsvid", tmp_path, "--pictures")
    assert code == 0
    assert "actions: unknown of all" in printed
    write_actions(tmp_path / "labels.csv", [("person001", "riding")])
    labels = ["reidar.labels.files", f"['ilidsvid_actions={tmp_path / 'labels.csv'}']"]
    code, printed = check("ilidsvid_actions", tmp_path, *labels)
    assert code == 0
    assert "riding" in printed


@pytest.mark.parametrize("name", ["mars", "ilidsvid", "dukemtmcvidreid"])
def test_nothing_is_downloaded(tmp_path: Path, check: Check, name: str) -> None:
    code, printed = check(name, tmp_path)
    assert code == 2
    assert "no such folder; get it from" in printed
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_name(tmp_path: Path, check: Check) -> None:
    code, printed = check("mars_action", tmp_path)
    assert code == 2
    assert "unknown data set 'mars_action'; choose one of mars, " in printed
    assert "did you mean 'mars_actions'?" in printed
