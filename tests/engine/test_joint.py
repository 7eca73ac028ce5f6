"""The engine as a whole: a launch, the loop, and the host's arguments."""

import json
import math
import multiprocessing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reidar_plugin.engine.joint import JointEngine
from reidar_plugin.engine.train_log import NonFiniteLossError
from reidar_plugin.engine.train_step import TrainStep
from reidar_plugin.host import defaults, reid
from reidar_plugin.launch import runner
from reidar_plugin.ranks.job import Job
from tests.engine_rig import OSNET, build, config, run, weights


@pytest.fixture
def tested(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """After how many epochs a test was made."""
    epochs: list[int] = []
    original = JointEngine.test

    def noting(self: JointEngine, **given: Any) -> float:
        epochs.append(self.position.epoch)
        return original(self, **given)

    monkeypatch.setattr(JointEngine, "test", noting)
    return epochs


@pytest.mark.slow
def test_launched_as_a_user_would(mars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The smallest backbone of the host, from the command line to results.json, two workers reading."""
    command = f"""-s mars_actions -t mars_actions --root {mars} data.type video data.save_dir {tmp_path} data.height 64
        data.width 32 data.workers 2 video.seq_len 2 model.name {OSNET} model.pretrained False loss.name reidar
        sampler.train_sampler RandomIdentitySampler sampler.num_instances 2 train.batch_size 4 train.max_epoch 1
        train.print_freq 1 test.batch_size 4 reidar.model.attention_width 8 reidar.model.action_width 8"""
    before = set(multiprocessing.active_children())
    runner.main(command.split())
    output = capsys.readouterr().out
    assert "epoch: [1/1][1/" in output
    assert all(f"MARS {protocol}" in output for protocol in ("usual", "no-distractors", "mixing"))
    results = json.loads((tmp_path / "results.json").read_text())
    assert [
        (r["protocol"], r["counts"]["queries"], r["counts"]["gallery"]) for r in results["retrieval"]
    ] == [
        ("MARS usual", 6, 8),
        ("MARS no-distractors", 6, 6),
        ("MARS mixing", 6, 14),
    ]
    assert results["config"]["loss"]["name"] == "reidar"
    assert results["actions"]["counts"] == {"known": 12, "unknown": 2, "confused": 12}
    assert results["seeds"] == {"train": 1}
    assert weights(tmp_path, "model.pth.tar-1")["reidar"]["identity"]["model"] == OSNET
    assert set(multiprocessing.active_children()) <= before  # else the collector waits ten seconds for each


def test_learns(mars: Path, tmp_path: Path, chart: None) -> None:
    """Loss falls; the history holds every term of every epoch and the papers' learning rate."""
    engine = run(config(mars, tmp_path, train__max_epoch=12, train__lr=0.01, reidar__train__warmup=3))
    history = engine.history.epochs
    assert [row["epoch"] for row in history] == list(range(1, 13))
    assert [row["lr"] for row in history[:3]] == pytest.approx(
        [0.01 * (0.01 * 2 / 3 + 1 / 3), 0.01 * (0.01 / 3 + 2 / 3), 0.01]
    )
    assert set(history[0]) == {"epoch", "lr", "loss", "gradient_norm", *engine.objective.losses}
    assert history[-1]["loss"] < 0.9 * history[0]["loss"]
    assert (tmp_path / "training.png").stat().st_size > 1000


def test_every_batch_is_augmented_anew(mars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places: list[tuple[int, int]] = []
    cfg = config(mars, tmp_path)
    engine = build(cfg)
    original = engine.datamanager.augment

    def noting(frames: torch.Tensor, epoch: int, step: int, job: Job) -> Any:
        places.append((epoch, step))
        return original(frames, epoch, step, job)

    monkeypatch.setattr(engine.datamanager, "augment", noting)
    engine.run(**defaults.engine_arguments(cfg))
    assert places == [(epoch, step) for epoch in range(2) for step in range(3)]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [4]),
        ({"test__eval_freq": 2}, [2, 4]),
        ({"test__eval_freq": 1, "test__start_eval": 3}, [3, 4]),
        ({"test__eval_freq": 3}, [3, 4]),
    ],
)
def test_tests_when_the_host_would(
    mars: Path, tmp_path: Path, tested: list[int], options: dict[str, Any], expected: list[int]
) -> None:
    run(config(mars, tmp_path, train__max_epoch=4, **options))
    assert tested == expected


def test_start_epoch(mars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    engine = run(config(mars, tmp_path, train__start_epoch=3, train__max_epoch=4))
    output = capsys.readouterr().out
    assert "epoch: [4/4][1/3]" in output
    assert "epoch: [3/4]" not in output
    assert engine.history.epochs[0]["lr"] == pytest.approx(3e-4 * (0.01 * 0.6 + 0.4))  # as in epoch 4


def test_fixbase_trains_the_open_layers_only(
    mars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cfg = config(
        mars, tmp_path, train__max_epoch=1, train__fixbase_epoch=1, train__open_layers=["classifier"]
    )
    engine = build(cfg)
    before = {name: value.clone() for name, value in engine.model.state_dict().items()}
    engine.run(**defaults.engine_arguments(cfg))
    after = engine.model.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"classifier.weight"}
    assert "Only train ['classifier'] (epoch: 1/1)" in capsys.readouterr().out


def test_re_ranks_only_when_only_testing(mars: Path, tmp_path: Path) -> None:
    trained = run(config(mars, tmp_path / "a", train__max_epoch=1, test__rerank=True))
    assert len(trained.results.retrieval) == 3
    tested_only = run(config(mars, tmp_path / "b", test__evaluate=True, test__rerank=True))
    words = [record["distance"] for record in tested_only.results.retrieval]
    assert words[3:] == ["squared Euclidean, re-ranked (k1 20, k2 6, lambda 0.3)"] * 3


def test_zero_epochs_do_nothing(mars: Path, tmp_path: Path, tested: list[int]) -> None:
    engine = build(config(mars, tmp_path))
    engine.run(save_dir=str(tmp_path), max_epoch=0)
    assert tested == []


def test_tests_a_checkpoint_to_the_same_figures(
    mars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained = run(config(mars, tmp_path / "a", train__max_epoch=1))
    file = str(tmp_path / "a/model/model-best.pth.tar")
    capsys.readouterr()
    cfg = config(mars, tmp_path / "b", test__evaluate=True, model__load_weights=file)
    engine = build(cfg)
    reid.utils.load_pretrained_weights(engine.model, file)  # as the launch script does
    engine.run(**defaults.engine_arguments(cfg))
    assert engine.results.retrieval == trained.results.retrieval
    assert engine.results.actions == trained.results.actions
    assert engine.results.notes == {"weights": file}
    assert trained.results.notes["epochs"] == 1
    assert "chosen on the test set" in trained.results.notes["best checkpoint"]
    assert "as it was built" not in capsys.readouterr().out


@pytest.mark.parametrize("device", ["read at every step", "read when printed"])
def test_stops_at_a_loss_that_is_not_finite(
    mars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    """In epoch 2, step 2. On a GPU it is noticed when something is printed, and told all the same."""
    cfg = config(mars, tmp_path, train__max_epoch=3, train__print_freq=3)
    engine = build(cfg)
    original, count, seen = TrainStep.__call__, iter(range(100)), {}

    def poisoned(self: TrainStep, frames: torch.Tensor, targets: Any) -> torch.Tensor:
        values, place = original(self, frames, targets), next(count)
        if place == 4:
            values[1] = math.nan
        return values

    monkeypatch.setattr(TrainStep, "__call__", poisoned)
    if device == "read when printed":
        engine._after_step = lambda print_freq: seen.update(steps=engine.batch_idx + 1)  # type: ignore[method-assign]
    with pytest.raises(NonFiniteLossError) as stop:
        engine.run(**defaults.engine_arguments(cfg))
    message = str(stop.value)
    assert message.startswith("epoch 2: ranked_list is nan at step 2; tracklets 00")
    named = message.split("tracklets ")[1].split(";")[0].split(", ")
    assert all(key in {frames.key for frames in engine.datamanager.train_table.paths} for key in named)
    assert 2 <= len(named) <= 4
    assert f"last good checkpoint: {tmp_path}/model/model.pth.tar-1;" in message
    assert "\n" not in message
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["model.pth.tar-1"]
    assert seen.get("steps", 3) == 3


def test_says_so_when_there_is_no_checkpoint_yet(mars: Path, tmp_path: Path) -> None:
    cfg = config(mars, tmp_path, train__lr=1e30, reidar__train__warmup=0)
    with pytest.raises(NonFiniteLossError, match=r"epoch 1: .* last good checkpoint: none yet"):
        run(cfg)


def test_keeps_the_best_by_a_named_metric_and_says_which_set_chose_it(
    mars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    values = iter([0.2, 0.7, 0.7, 0.4])
    cfg = config(
        mars, tmp_path, train__max_epoch=4, test__eval_freq=1, reidar__train__best="rank-1@no-distractors"
    )
    engine = build(cfg)
    original = engine.best_metric.figure_of
    monkeypatch.setattr(
        engine.best_metric, "figure_of", lambda results: original(results)._replace(value=next(values))
    )
    engine.run(**defaults.engine_arguments(cfg))
    assert (engine.history.best.value, engine.history.best.epoch) == (0.7, 2)
    assert weights(tmp_path, "model-best.pth.tar")["epoch"] == 2
    assert json.loads((tmp_path / "best/results.json").read_text())["notes"]["epochs"] == 2
    assert json.loads((tmp_path / "results.json").read_text())["notes"]["epochs"] == 4
    output = capsys.readouterr().out
    assert "best so far: rank-1 of MARS no-distractors (squared Euclidean) 70.00%, after 2 epochs" in output
    assert "chosen on the test set" in output


def test_a_second_start_of_a_finished_run_trains_nothing(
    mars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cfg = config(mars, tmp_path, train__max_epoch=1)
    run(cfg)
    before = (tmp_path / "model/model.pth.tar-1").read_bytes()
    capsys.readouterr()
    run(cfg)
    output = capsys.readouterr().out
    assert "nothing to train: 1 epoch of 1 done" in output
    assert "epoch: [" not in output
    assert "MARS usual" in output  # but tests, as the host does
    assert (tmp_path / "model/model.pth.tar-1").read_bytes() == before


def test_save_model_is_the_hosts(mars: Path, tmp_path: Path) -> None:
    engine = build(config(mars, tmp_path))
    engine.save_model(4, np.float32(0.5), str(tmp_path), is_best=True)
    state = weights(tmp_path, "model.pth.tar-5")
    assert (state["epoch"], state["rank1"], state["reidar"]["step"]) == (5, 0.5, 0)
    assert (tmp_path / "model/model-best.pth.tar").exists()
