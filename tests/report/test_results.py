"""results.json: what goes in comes out, a broken file says so, a failed write leaves what was there."""

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from yacs.config import CfgNode

from reidar_plugin.metrics.actions import PAPER_MAP, evaluate_actions
from reidar_plugin.report.results import (
    action_results,
    collect_results,
    installed_versions,
    plain,
    read_results,
    write_results,
)
from tests.report.made_up import made_up

FIGURES = ("rank-1", "mAP", "mINP", "pid", "query", "first match")


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    results = made_up()
    path = write_results(results, tmp_path / "new" / "folder")
    again = read_results(path)
    assert again.retrieval == results.retrieval
    assert again.actions == results.actions
    assert (again.name, again.config, again.seeds, again.notes) == (
        "joint",
        {"model": {"name": "reidar_resnet50"}, "steps": [40, 70]},
        {"train": 1},
        {"checkpoint": "model.pth.tar-120"},
    )
    assert again.versions == installed_versions()
    assert again.versions["torch"].startswith(torch.__version__.split("+")[0])
    assert set(again.per_query) == {f"{p}/{f}" for p in range(3) for f in FIGURES}
    for name, values in results.per_query.items():
        assert np.array_equal(again.per_query[name], values)
    assert read_results(path.parent).name == "joint"


def test_every_figure_has_its_protocol_and_counts() -> None:
    test = made_up().retrieval[0]
    assert test["protocol"] == "MARS usual"
    assert test["counts"] == {"queries": 6, "valid": 6, "gallery": 8, "distractors": 2}
    assert list(test["metrics"]) == ["rank-1", "rank-5", "rank-10", "rank-20", "mAP", "mINP"]
    low, high = test["intervals"]["mAP"]
    assert low < test["metrics"]["mAP"] < high


def test_means_are_those_of_the_queries(tmp_path: Path) -> None:
    results = read_results(write_results(made_up(), tmp_path))
    for index, test in enumerate(results.retrieval):
        for figure in ("rank-1", "mAP", "mINP"):
            assert results.per_query[f"{index}/{figure}"].mean() == pytest.approx(test["metrics"][figure])


def test_a_second_test_replaces_the_first(tmp_path: Path) -> None:
    write_results(made_up(seed=0), tmp_path)
    write_results(made_up(seed=1), tmp_path)
    assert len(list(tmp_path.iterdir())) == 2  # no arrays of the first are left
    assert read_results(tmp_path).retrieval == made_up(seed=1).retrieval


@pytest.mark.parametrize("failing", [1, 2], ids=["arrays", "json"])
def test_a_failed_write_leaves_what_was_there(
    tmp_path: Path, failing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_results(made_up(seed=0), tmp_path)
    replaced, calls = os.replace, []

    def full(source: str, target: Path) -> None:
        calls.append(target)
        if len(calls) == failing:
            raise OSError(28, "No space left on device")
        replaced(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(
        OSError,
        match=r"results\.\w+.*: No space left on device; no half of it was written; free space and start again$",
    ):
        write_results(made_up(seed=1), tmp_path)
    assert read_results(tmp_path).retrieval == made_up(seed=0).retrieval
    assert not list(tmp_path.glob(".*"))


def test_broken_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no results at .*results.json"):
        read_results(tmp_path)
    path = write_results(made_up(), tmp_path)
    good = path.read_text()
    (arrays,) = tmp_path.glob("*.npz")
    whole = arrays.read_bytes()
    arrays.write_bytes(whole[:-30])
    with pytest.raises(ValueError, match=rf"{arrays.name}: not the arrays of a test"):
        read_results(path)
    arrays.unlink()
    with pytest.raises(FileNotFoundError, match=rf"no figures per query at .*{arrays.name}"):
        read_results(path)
    path.write_text(good[:100])
    with pytest.raises(ValueError, match=r"results.json: not a results file"):
        read_results(path)
    path.write_text("[]")
    with pytest.raises(ValueError, match=r"expected a results file of schema 1, got None"):
        read_results(path)
    path.write_text(json.dumps({**json.loads(good), "schema": 7}))
    with pytest.raises(ValueError, match=r"of schema 1, got 7"):
        read_results(path)
    path.write_text(json.dumps({"schema": 1, "name": "x"}))
    with pytest.raises(ValueError, match=r"lacks retrieval, actions, config"):
        read_results(path)
    for name in ("../results.npz", None):
        path.write_text(json.dumps({**json.loads(good), "per_query": name}))
        with pytest.raises(ValueError, match=r"expected the name of a file beside it in per_query, got"):
            read_results(path)
    path.write_text(json.dumps({**json.loads(good), "config": []}))
    with pytest.raises(ValueError, match=r"not a results file \(.* are not what they were\)"):
        read_results(path)


def test_a_damaged_array_is_named(tmp_path: Path) -> None:
    path = write_results(made_up(), tmp_path)
    (arrays,) = tmp_path.glob("*.npz")
    whole, refused = arrays.read_bytes(), 0
    for at in range(30, len(whole) - 30, 7):
        arrays.write_bytes(whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
        try:
            read_results(path)
        except ValueError as error:
            refused += f"{arrays.name}: not the arrays of a test" in str(error)
    assert refused > 3


def test_plain_values() -> None:
    values = {1: np.float32(0.5), "a": (math.nan, np.arange(2), None, True), "b": CfgNode({"c": "d"})}
    assert plain(values) == {"1": 0.5, "a": [None, [0, 1], None, True], "b": {"c": "d"}}
    with pytest.raises(TypeError, match=r"config.x\[1\]: results hold plain values, got Tensor"):
        plain({"x": [1, torch.zeros(1)]}, "config")


def test_action_results_hold_the_papers_figure_under_its_real_name() -> None:
    likelihoods, labels = [[0.9, 0.9], [0.2, 0.8], [0.8, 0.7]], [[1, 0], [0, 1], [0, 1]]
    actions = action_results(evaluate_actions(likelihoods, labels, ["walking", "riding"]))
    assert actions[PAPER_MAP] == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert actions["micro"]["precision"] == pytest.approx(3 / 5)
    assert actions["mAP"] == pytest.approx((1 + (1 / 2 + 2 / 3) / 2) / 2)
    assert actions["per_action"]["riding"]["support"] == 2


def test_collect_takes_any_mapping() -> None:
    config: dict[str, Any] = {"a": {"b": 1}}
    assert collect_results("x", config=config).config == config
