"""Runs that only pretend: which are done, what is started and in which order, what is not repeated, what stops all."""

import signal
from dataclasses import replace
from pathlib import Path

import pytest

from reidar_plugin.errors import ConfigError
from reidar_plugin.launch import chains, subprocesses
from reidar_plugin.launch import runs as launched
from reidar_plugin.launch.bench_plan import Variants
from reidar_plugin.launch.runs import Run, finished, run_all
from reidar_plugin.report.results import read_results
from tests.launch.bench_rig import Pretended, pretended, runs_of, variants, write

__all__ = ["pretended", "variants"]


def test_goes_on_where_it_stopped(variants: Variants, tmp_path: Path, pretended: type[Pretended]) -> None:
    runs = runs_of(variants, tmp_path)
    write(runs[1].folder, runs[1].words)
    write(runs[2].folder, runs[2].words, epochs=2)  # stopped after a test in the middle
    run_all(runs, at_once=2, threads=3, pause=0)
    assert pretended.log == ["street/alone/seed-1", "street/alone/seed-2", "street/joint/seed-2"]
    assert {each.threads for each in pretended.all} == {3}
    pretended.log.clear()
    run_all(runs, at_once=2, threads=1, pause=0)
    assert pretended.log == []
    run_all(runs_of(variants, tmp_path, (1, 2, 3)), at_once=1, threads=1, pause=0)
    assert pretended.log == ["street/alone/seed-3", "street/joint/seed-3"]


def test_runs_may_be_started_elsewhere(
    variants: Variants, tmp_path: Path, pretended: type[Pretended], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocesses, "Quiet", None)
    run_all(runs_of(variants, tmp_path), at_once=4, threads=2, pause=0, launch=pretended)
    assert len(pretended.log) == 4


def test_a_failure_stops_the_others(variants: Variants, tmp_path: Path, pretended: type[Pretended]) -> None:
    pretended.failing = "street/alone/seed-1"
    with pytest.raises(subprocesses.RunError, match="street/alone/seed-1"):
        run_all(runs_of(variants, tmp_path), at_once=2, threads=1, pause=0)
    assert [each.stopped for each in pretended.all] == [None, signal.SIGTERM]


def test_ctrl_c_lets_all_runs_save(
    variants: Variants, tmp_path: Path, pretended: type[Pretended], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(launched.time, "sleep", interrupt)
    with pytest.raises(SystemExit, match="130"):
        run_all(runs_of(variants, tmp_path), at_once=2, threads=1)
    assert [each.stopped for each in pretended.all] == [signal.SIGINT] * 2
    assert [each.told for each in pretended.all] == [
        [True, True]
    ] * 2  # all are told before one is waited for


def test_a_folder_with_another_config_is_refused(variants: Variants, tmp_path: Path) -> None:
    run = runs_of(variants, tmp_path)[1]
    write(run.folder, run.words)
    assert finished(run) is not None
    variants.options["joint"][1] = "0.7"
    with pytest.raises(ConfigError, match=r"another config \(reidar\.loss\.balance 0\.8, now 0\.7\)"):
        finished(runs_of(variants, tmp_path)[1])


def test_a_bench_may_be_moved(variants: Variants, tmp_path: Path) -> None:
    run = runs_of(variants, tmp_path / "here")[1]
    write(run.folder, run.words)
    (tmp_path / "here").rename(tmp_path / "there")
    assert finished(runs_of(variants, tmp_path / "there")[1]) is not None


def test_results_are_read_as_they_were_written(variants: Variants, tmp_path: Path) -> None:
    run = runs_of(variants, tmp_path)[0]
    assert finished(run) is None
    write(run.folder, run.words)
    assert finished(run).retrieval == read_results(run.folder).retrieval


def test_a_run_waits_for_the_one_that_it_follows(
    variants: Variants, tmp_path: Path, pretended: type[Pretended], monkeypatch: pytest.MonkeyPatch
) -> None:
    carried: list[tuple[Path, Path]] = []
    monkeypatch.setattr(chains, "carry_over", lambda *folders: carried.append(folders))
    first, second = runs_of(variants, tmp_path, (1,))

    def following(run: Run, name: str, *options: str) -> Run:
        words = [name if word == str(run.folder) else word for word in run.options]
        return replace(run, folder=Path(name), options=(*words, *options), after=run)

    tested = following(second, f"{tmp_path}/joint/tested", "test.evaluate", "True")
    follower = following(first, f"{tmp_path}/alone/carried")
    run_all([tested, follower, second, first], at_once=3, threads=1, pause=0)
    assert [each.folder.name for each in pretended.all] == ["seed-1", "seed-1", "tested", "carried"]
    assert carried == [(first.folder, follower.folder)]  # a test reads its weights where they are
    assert finished(tested) is not None  # its notes tell no epochs
