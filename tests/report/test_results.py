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
from reidar_plugin.metrics.protocol_results import Reranking, evaluate_retrieval
from reidar_plugin.metrics.protocols import protocols_of
from reidar_plugin.metrics.tracklets import TrackletFeatures
from reidar_plugin.report.results import (
    Results,
    collect_results,
    installed_versions,
    plain,
    read_results,
    write_atomically,
    write_results,
)
from reidar_plugin.report.tables import action_table, comparison_table, retrieval_table


def made_up(name: str = "joint", seed: int = 0, people: int = 6) -> Results:
    draw = torch.Generator().manual_seed(seed)
    pids = torch.arange(1, people + 1)
    query = TrackletFeatures(torch.randn(people, 4, generator=draw), pids, torch.zeros(people).long())
    gallery = TrackletFeatures(
        torch.randn(people + 2, 4, generator=draw),
        torch.cat((pids, torch.tensor([0, 0]))),
        torch.ones(people + 2).long(),
    )
    actions = evaluate_actions(
        [[0.9, 0.2], [0.3, 0.6], [0.8, 0.1]], [[1, 0], [0, 1], [math.nan] * 2], ["walking", "riding"]
    )
    return collect_results(
        name,
        evaluate_retrieval(query, gallery, protocols_of("mars")),
        actions,
        config=CfgNode({"model": {"name": "reidar_resnet50"}, "steps": (40, 70)}),
        seeds={"train": 1},
        notes={"checkpoint": "model.pth.tar-120"},
        resamples=200,
    )


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
    assert set(again.per_query) == {f"{p}/{f}" for p in range(3) for f in ("rank-1", "mAP", "mINP", "pid")}
    for name, values in results.per_query.items():
        assert np.array_equal(again.per_query[name], values)
    assert read_results(path.parent).name == "joint"


def test_every_figure_has_its_protocol_and_counts() -> None:
    record = made_up().retrieval[0]
    assert record["protocol"] == "MARS usual"
    assert record["counts"] == {"queries": 6, "valid": 6, "gallery": 8, "distractors": 2}
    assert list(record["metrics"]) == ["rank-1", "rank-5", "rank-10", "rank-20", "mAP", "mINP"]
    low, high = record["intervals"]["mAP"]
    assert low < record["metrics"]["mAP"] < high


def test_means_are_those_of_the_queries(tmp_path: Path) -> None:
    results = read_results(write_results(made_up(), tmp_path))
    for place, record in enumerate(results.retrieval):
        for figure in ("rank-1", "mAP", "mINP"):
            assert results.per_query[f"{place}/{figure}"].mean() == pytest.approx(record["metrics"][figure])


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
        OSError, match=r"No space left on device; what was there before is untouched: .*results\."
    ):
        write_results(made_up(seed=1), tmp_path)
    assert read_results(tmp_path).retrieval == made_up(seed=0).retrieval
    assert not list(tmp_path.glob(".*"))


def test_atomic_write_replaces(tmp_path: Path) -> None:
    for content in (b"first", b"second"):
        write_atomically(tmp_path / "file", content)
        assert (tmp_path / "file").read_bytes() == content
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644


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


def test_plain_values() -> None:
    values = {1: np.float32(0.5), "a": (math.nan, np.arange(2), None, True), "b": CfgNode({"c": "d"})}
    assert plain(values) == {"1": 0.5, "a": [None, [0, 1], None, True], "b": {"c": "d"}}
    with pytest.raises(TypeError, match=r"config.x\[1\]: results hold plain values, got Tensor"):
        plain({"x": [1, torch.zeros(1)]}, "config")


def test_tables_print_what_the_file_holds() -> None:
    results = made_up()
    table = retrieval_table(results)
    for record in results.retrieval:
        line = next(line for line in table.splitlines() if line.startswith(record["protocol"]))
        for value in record["metrics"].values():
            assert f"{100 * value:.2f}" in line
        assert record["summary"] in table
    assert "6 of 6 x 8" in table
    assert "95% bootstrap" in table


def test_re_ranked_rows_say_so() -> None:
    draw = torch.Generator().manual_seed(0)
    pids = torch.arange(8)
    sides = [
        TrackletFeatures(torch.randn(8, 4, generator=draw), pids, torch.full((8,), camera))
        for camera in (0, 1)
    ]
    protocols = protocols_of("prid2011")
    tests = [evaluate_retrieval(*sides, protocols, reranking=choice)[0] for choice in (None, Reranking())]
    results = collect_results("x", tests, resamples=20)
    assert [record["reranked"] for record in results.retrieval] == [False, True]
    assert [line.split("  ")[0] for line in retrieval_table(results).splitlines()[2:4]] == [
        "PRID2011 split-0",
        "PRID2011 split-0 (re-ranked)",
    ]
    assert "k1 20, k2 6, lambda 0.3" in retrieval_table(results)


def test_action_table_calls_things_by_their_names() -> None:
    results = made_up()
    assert results.actions is not None
    assert results.actions[PAPER_MAP] == results.actions["macro"]["precision"]
    table = action_table(results)
    assert "macro precision (the papers' 'mAP') 100.00" in table
    assert "2 tracklets; 1 more of unknown actions are left out" in table
    assert action_table(collect_results("x")) == "No action was judged."
    assert retrieval_table(collect_results("x")) == "No retrieval was tested."


def test_comparison_needs_the_same_protocol() -> None:
    table = comparison_table({"untrained": made_up(seed=1), "joint": made_up()}, "MARS mixing")
    assert [line.split()[0] for line in table.splitlines()[2:]] == ["untrained", "joint"]
    with pytest.raises(
        ValueError, match=r"joint was not tested under 'LPW scene-1'; its protocols are MARS usual, "
    ):
        comparison_table({"joint": made_up()}, "LPW scene-1")


def test_collect_takes_any_mapping() -> None:
    config: dict[str, Any] = {"a": {"b": 1}}
    assert collect_results("x", config=config).config == config
