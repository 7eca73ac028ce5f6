"""The bench with runs that only pretend: what is started, what is not repeated, what stops it."""

import signal
from pathlib import Path
from typing import Any

import pytest

from reidar_plugin.errors import ConfigError
from reidar_plugin.launch import bench as benches
from reidar_plugin.launch import subprocesses
from reidar_plugin.launch.bench import bench, run_all
from reidar_plugin.launch.bench_plan import Variants
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

    monkeypatch.setattr(benches.time, "sleep", interrupt)
    with pytest.raises(SystemExit, match="130"):
        run_all(runs_of(variants, tmp_path), at_once=2, threads=1)
    assert [each.stopped for each in pretended.all] == [signal.SIGINT] * 2


def test_the_whole_bench(
    variants: Variants,
    tmp_path: Path,
    pretended: type[Pretended],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(benches, "make", lambda *given, **named: asked.append((*given, named)))
    monkeypatch.setattr(benches, "cost_lines", lambda left, at_once: [f"{len(left)} left, {at_once} at once"])
    wrong = variants._replace(options={**variants.options, "joint": ["loss.name", "joined"]})
    with pytest.raises(ConfigError, match=r"loss\.name"):
        bench(wrong, [7], [1, 2], tmp_path, dry=True)
    assert not asked  # nothing was drawn for what cannot run
    assert bench(variants, [7], [1, 2], tmp_path, dry=True) == {}
    assert pretended.log == []
    record = bench(variants, [7], [1, 2], tmp_path, at_once=2)
    assert asked[0] == (tmp_path / "streets/town-7", "town", {"seed": 7, "folder": "synthped"})
    assert len(pretended.log) == 4
    said = capsys.readouterr().out
    assert said.index("4 runs, 0 of them done\n4 left, 2 at once") < said.index("4/4 town-7 joint seed 2")
    assert record["variants"]["joint"]["differences"]["mAP"]["mean"] > 0
    assert "alone" in (tmp_path / "bench.txt").read_text()
    again = bench(variants, [7], [1, 2], tmp_path)
    assert again == record
    assert len(pretended.log) == 4
