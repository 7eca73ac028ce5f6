"""The table of a bench, against figures taken from the results by hand."""

import statistics
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reidar_plugin.metrics.actions import evaluate_actions
from reidar_plugin.report.bench_table import bench_record, bench_table, write_bench
from reidar_plugin.report.results import Results, action_results
from tests.tools.test_compare import made_up


def acting(noise: float, ap: float = 0.0) -> Results:
    scores = np.array([[0.9, 0.2], [0.8 - ap, 0.3], [0.3, 0.7], [0.6, 0.1]])
    labels = np.array([[1, 0], [1, 0], [0, 1], [0, 1]])
    return replace(
        made_up(noise), actions=action_results(evaluate_actions(scores, labels, ("walking", "riding")))
    )


def outcomes() -> dict:
    alone = {"a": {1: made_up(1.2), 2: made_up(1.1)}, "b": {1: made_up(1.3)}}
    joint = {"a": {1: acting(0.9), 2: acting(1.0, 0.4), 3: acting(0.8)}, "b": {1: acting(1.0)}}
    return {"alone": alone, "joint": joint}


def test_figures_and_differences() -> None:
    given = outcomes()
    record = bench_record(given, resamples=200)
    row = record["variants"]["joint"]
    maps = {
        name: {s: [r.retrieval[0]["metrics"]["mAP"] for r in runs.values()] for s, runs in streets.items()}
        for name, streets in given.items()
    }
    every = [value for runs in maps["joint"].values() for value in runs]
    assert row["figures"]["mAP"]["mean"] == pytest.approx(statistics.fmean(every))
    assert row["figures"]["mAP"]["deviation"] == pytest.approx(statistics.stdev(maps["joint"]["a"]))
    a = [maps["joint"]["a"][n] - maps["alone"]["a"][n] for n in (0, 1)]  # seed 3 has no partner
    b = maps["joint"]["b"][0] - maps["alone"]["b"][0]
    difference = row["differences"]["mAP"]
    assert difference["mean"] == pytest.approx((statistics.fmean(a) + b) / 2)
    assert difference["low"] < difference["mean"] < difference["high"]
    assert "differences" not in record["variants"]["alone"]
    assert row["runs"] == {"a": [1, 2, 3], "b": [1]}


def test_actions() -> None:
    record = bench_record(outcomes(), resamples=50)
    said = record["variants"]["joint"]["actions"]
    assert said["per_action"]["walking"]["share"] == 0.5
    perfect, worse = 1.0, (1 + 2 / 3) / 2  # walking 0.9, then using hands at 0.6, then walking at 0.4
    assert said["per_action"]["walking"]["AP"]["mean"] == pytest.approx((3 * perfect + worse) / 4)
    assert said["per_action"]["riding"]["recall"]["mean"] == pytest.approx(0.5)
    apart = statistics.stdev([perfect, worse, perfect])  # of street a's seeds; street b has one
    assert said["per_action"]["walking"]["AP"]["deviation"] == pytest.approx(apart)
    assert record["variants"]["alone"]["actions"] == {}


def test_says_it_in_a_table(tmp_path: Path) -> None:
    record = bench_record(outcomes(), resamples=50)
    text = bench_table(record)
    lines = {line.split("  ")[0].strip(): line for line in text.splitlines()}
    mean = 100 * record["variants"]["joint"]["figures"]["mAP"]["mean"]
    assert f"{mean:.1f} ± " in lines["mAP"]
    gap = record["variants"]["joint"]["differences"]["mAP"]
    assert (
        f"{100 * gap['mean']:+.1f} [{100 * gap['low']:+.1f}, {100 * gap['high']:+.1f}]"
        in lines["mAP - alone"]
    )
    assert "(50.0)" in lines["AP riding (share)"]
    assert "MARS usual" in text
    assert write_bench(record, tmp_path).name == "bench.json"
    assert (tmp_path / "bench.txt").read_text() == text + "\n"


def test_runs_on_other_tests_are_refused() -> None:
    given = outcomes()
    given["joint"]["b"][1] = made_up(1.0, people=30)
    with pytest.raises(ValueError, match="b: runs were tested on other queries"):
        bench_record(given)


def test_actions_counted_in_the_distances() -> None:
    """The rows hold the test with actions, and its difference to the test without in the same runs."""
    given = outcomes()
    for runs in given["joint"].values():
        for seed, results in runs.items():
            better = made_up(0.5)
            acting = tuple({**test, "action_weight": 0.1} for test in better.retrieval)
            moved = {
                f"{int(key.split('/')[0]) + 3}/{key.split('/')[1]}": values
                for key, values in better.per_query.items()
            }
            runs[seed] = replace(
                results, retrieval=results.retrieval + acting, per_query={**results.per_query, **moved}
            )
    record = bench_record(given, resamples=50)
    assert record["variants"]["alone"]["with actions"] == {}
    said = record["variants"]["joint"]["with actions"]["mAP"]
    with_actions = made_up(0.5).retrieval[0]["metrics"]["mAP"]
    assert said["figure"]["mean"] == pytest.approx(with_actions)
    plain = {
        s: [r.retrieval[0]["metrics"]["mAP"] for r in runs.values()] for s, runs in given["joint"].items()
    }
    gaps = [with_actions - statistics.fmean(each) for each in plain.values()]
    assert said["difference"]["mean"] == pytest.approx(statistics.fmean(gaps))
    assert said["difference"]["mean"] > 0.05  # else nothing is shown
    lines = [line for line in bench_table(record).splitlines() if line.startswith("mAP, ")]
    assert [line.split("  ")[0] for line in lines] == ["mAP, actions counted", "mAP, counted - not"]
    assert f"{100 * with_actions:.1f} ± 0.0" in lines[0]
