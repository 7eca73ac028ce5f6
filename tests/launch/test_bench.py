"""The bench with runs that only pretend: what is started, what is not repeated, what stops it."""

import signal
from pathlib import Path
from typing import Any

import pytest

from reidar_plugin.errors import ConfigError
from reidar_plugin.launch import bench as benches
from reidar_plugin.launch import subprocesses
from reidar_plugin.launch.bench import (
    Run,
    Variants,
    bench,
    estimate,
    finished,
    planned,
    read_variants,
    run_all,
)
from reidar_plugin.report.results import collect_results, plain, read_results, write_results
from reidar_plugin.synthped import make
from tests.tools.test_compare import made_up

VARIANTS = """
config: base.yaml
variants:
  alone:
    reidar.model.num_actions: 0
    reidar.loss.terms: [smoothed_cross_entropy]
  joint: {reidar.loss.balance: 0.8}
"""
BASE = """
model: {name: reidar_osnet_x0_25, pretrained: False}
data: {type: video, sources: [synthped], targets: [synthped], height: 64, width: 32, workers: 0}
sampler: {train_sampler: identity_pass, num_instances: 2}
loss: {name: reidar}
train: {batch_size: 8, max_epoch: 3}
video: {seq_len: 2}
test: {batch_size: 8}
reidar: {model: {attention_width: 8, action_width: 8}}
"""


@pytest.fixture
def variants(tmp_path: Path) -> Variants:
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "variants.yml").write_text(VARIANTS)
    return read_variants(tmp_path / "variants.yml")


class Pretended:
    """Stands for a process: it writes the results of its run, or fails, when it is first looked at."""

    log: list[str]
    failing: str = ""

    def __init__(self, words: list[str], threads: int) -> None:
        self.words, self.threads, self.stopped = words, threads, None
        self.folder = Path(words[words.index("data.save_dir") + 1])
        self.log.append(self.name)
        Pretended.all.append(self)

    all: list["Pretended"]

    @property
    def name(self) -> str:
        return "/".join(self.folder.parts[-3:])

    def ended(self) -> bool:
        if self.stopped is None and self.name != self.failing:
            write(self.folder, self.words)
        return True

    def check(self) -> None:
        if self.name == self.failing:
            raise subprocesses.RunError(f"the run ended with status 1: {self.name}")

    def stop(self, sign: signal.Signals) -> None:
        self.stopped = sign


def write(folder: Path, words: list[str], epochs: int = 3) -> None:
    cfg = subprocesses.merged(words[words.index("--config-file") + 1], words[2:])
    seed, better = cfg.train.seed, cfg.reidar.model.num_actions
    made = made_up(1.2 - 0.2 * (better != 0) + 0.01 * seed)
    results = collect_results("run", (), config=plain(cfg), notes={"epochs": epochs})
    write_results(
        type(results)(**{**vars(results), "retrieval": made.retrieval, "per_query": made.per_query}), folder
    )


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> type[Pretended]:
    Pretended.log, Pretended.failing, Pretended.all = [], "", []
    monkeypatch.setattr(subprocesses, "Quiet", Pretended)
    return Pretended


def runs_of(variants: Variants, folder: Path, seeds: tuple[int, ...] = (1, 2)) -> list[Run]:
    return planned(variants, {"street": folder / "data"}, seeds, folder)


def test_reads_variants(variants: Variants, tmp_path: Path) -> None:
    assert variants.config == tmp_path / "base.yaml"
    assert variants.options["joint"] == ["reidar.loss.balance", "0.8"]
    assert variants.options["alone"][2:] == ["reidar.loss.terms", "['smoothed_cross_entropy']"]
    assert list(variants.only(["joint"]).options) == ["joint"]
    with pytest.raises(ConfigError, match=r"unknown variant 'joimt'; did you mean 'joint'\?"):
        variants.only(["joimt"])
    (tmp_path / "other.yml").write_text("config: base.yaml\n")
    with pytest.raises(ConfigError, match=r"other\.yml: expected config and variants"):
        read_variants(tmp_path / "other.yml")


def test_plans_seed_by_seed_and_checks_keys(variants: Variants, tmp_path: Path) -> None:
    runs = runs_of(variants, tmp_path)
    assert [(run.seed, run.variant) for run in runs] == [
        (1, "alone"),
        (1, "joint"),
        (2, "alone"),
        (2, "joint"),
    ]
    cfg = runs[3].cfg()
    assert (cfg.train.seed, cfg.reidar.loss.balance) == (2, 0.8)
    assert Path(cfg.data.save_dir) == tmp_path / "street" / "joint" / "seed-2"
    variants.options["joint"][0] = "reidar.loss.balamce"
    with pytest.raises(ConfigError, match=r"did you mean .reidar\.loss\.balance."):
        runs_of(variants, tmp_path)


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
    monkeypatch.setattr(benches, "estimate", lambda run: benches.Cost(100, 0.3, 10, 0.6))
    assert bench(variants, [7], [1, 2], tmp_path, dry=True) == {}
    assert pretended.log == []
    record = bench(variants, [7], [1, 2], tmp_path, at_once=2)
    assert asked[0] == (tmp_path / "streets/town-7", "town", {"seed": 7, "folder": "synthped"})
    assert len(pretended.log) == 4
    said = capsys.readouterr().out
    assert said.index("0.0 hours of a core") < said.index("4/4 town-7 joint seed 2")
    assert "100 steps of 0.30 s and a test of 10 batches of 0.60 s, 1 minutes a run" in said
    assert record["variants"]["joint"]["differences"]["mAP"]["mean"] > 0
    assert "alone" in (tmp_path / "bench.txt").read_text()
    again = bench(variants, [7], [1, 2], tmp_path)
    assert again == record
    assert len(pretended.log) == 4


def test_estimates_from_the_data_that_is_there(variants: Variants, tmp_path: Path) -> None:
    make(tmp_path / "data", "tiny", folder="synthped")
    cost = estimate(runs_of(variants, tmp_path)[1], steps=1)
    assert cost.steps == 3 * (10 // 4)
    assert cost.test_batches > 10
    assert cost.seconds == pytest.approx(
        cost.steps * cost.step_seconds + cost.test_batches * cost.batch_seconds
    )
    assert min(cost) > 0


def test_results_are_read_as_they_were_written(variants: Variants, tmp_path: Path) -> None:
    run = runs_of(variants, tmp_path)[0]
    assert finished(run) is None
    write(run.folder, run.words)
    assert finished(run).retrieval == read_results(run.folder).retrieval
