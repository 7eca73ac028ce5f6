import json
import math
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from reidar_plugin.checkpoint.compatibility import check_weights
from reidar_plugin.checkpoint.store import CheckpointError
from reidar_plugin.engine.evaluator import Evaluator
from reidar_plugin.engine.joint import JointEngine
from reidar_plugin.engine.train_log import NonFiniteLossError
from reidar_plugin.engine.train_step import TrainStep
from reidar_plugin.errors import ConfigError
from reidar_plugin.host import defaults, reid
from reidar_plugin.launch import runner
from tests import fakes
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


def scalars(save_dir: Path) -> dict[str, list[tuple[int, float]]]:
    events = EventAccumulator(str(save_dir))
    events.Reload()
    return {
        tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]
    }


@pytest.mark.slow
def test_launched_as_a_user_would(mars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The smallest backbone of the host, from the command line to results.json, two workers reading."""
    command = f"""-s mars_actions -t mars_actions --root {mars} data.type video data.save_dir {tmp_path} data.height 64
        data.width 32 data.workers 2 video.seq_len 2 model.name {OSNET} model.pretrained False loss.name reidar
        sampler.train_sampler RandomIdentitySampler sampler.num_instances 2 train.batch_size 4 train.max_epoch 1
        train.print_freq 1 test.batch_size 4 reidar.model.attention_width 8 reidar.model.action_width 8"""
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


def test_learns(mars: Path, tmp_path: Path) -> None:
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

    def noting(frames: torch.Tensor, epoch: int, step: int) -> Any:
        places.append((epoch, step))
        return original(frames, epoch, step)

    monkeypatch.setattr(engine.datamanager, "augment", noting)
    engine.run(**defaults.engine_arguments(cfg))
    assert places == [(epoch, step) for epoch in range(2) for step in range(3)]


def test_writes_every_term_for_tensorboard(mars: Path, tmp_path: Path) -> None:
    engine = run(config(mars, tmp_path, train__print_freq=2))
    found = scalars(tmp_path)
    terms = {f"Train/{name}" for name in engine.step.names}
    assert terms | {"Train/lr", "Train/time", "Train/data"} == {
        tag for tag in found if tag.startswith("Train/")
    }
    assert [step for step, _ in found["Train/ranked_list"]] == list(
        range(6)
    )  # every step, also unprinted ones
    assert found["Test/mars_actions/rank1"] == [(1, pytest.approx(engine.history.rank1))]
    assert {"Test/mars_actions/mAP", "Test/MARS mixing/mINP", "Test/actions/mAP"} <= found.keys()


def test_going_on_does_not_write_a_step_twice(
    mars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps 3 and 4 were written before the run broke off at step 5, and are made again."""
    original, count = TrainStep.__call__, iter(range(100))

    def breaking(self: TrainStep, *args: Any) -> torch.Tensor:
        if next(count) == 5:
            raise InterruptedError
        return original(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(TrainStep, "__call__", breaking)
        with pytest.raises(InterruptedError):
            run(config(mars, tmp_path, train__max_epoch=2))
    assert [step for step, _ in scalars(tmp_path)["Train/loss"]] == list(range(5))
    run(config(mars, tmp_path, train__max_epoch=2))
    assert [step for step, _ in scalars(tmp_path)["Train/loss"]] == list(range(6))


# Options of the host's run.


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


def test_the_hosts_schedule(mars: Path, tmp_path: Path) -> None:
    options = {"train__lr_scheduler": "multi_step", "train__stepsize": [1], "train__max_epoch": 2}
    engine = run(config(mars, tmp_path, reidar__train__schedule="host", **options))
    assert [row["lr"] for row in engine.history.epochs] == pytest.approx([3e-4, 3e-5])
    options["train__max_epoch"] = 3
    again = run(config(mars, tmp_path, reidar__train__schedule="host", **options))
    assert [row["lr"] for row in again.history.epochs] == pytest.approx([3e-4, 3e-5, 3e-5])
    with pytest.raises(
        ConfigError, match=r"reidar.train.schedule: unknown 'papers'; choose one of paper, host"
    ):
        build(config(mars, tmp_path, reidar__train__schedule="papers"))


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


@pytest.mark.parametrize(
    ("options", "distance"),
    [
        ({}, "squared Euclidean"),
        ({"test__dist_metric": "cosine"}, "cosine"),
        ({"test__normalize_feature": True}, "squared Euclidean of unit vectors"),
    ],
)
def test_distances(mars: Path, tmp_path: Path, options: dict[str, Any], distance: str) -> None:
    engine = run(config(mars, tmp_path, test__evaluate=True, test__ranks=[1, 3], **options))
    assert {record["distance"] for record in engine.results.retrieval} == {distance}
    assert set(engine.results.retrieval[0]["metrics"]) == {"rank-1", "rank-3", "mAP", "mINP"}
    assert not (tmp_path / "model").exists()


def test_an_unknown_distance(mars: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"unknown metric 'manhattan'"):
        run(config(mars, tmp_path, test__dist_metric="manhattan"))
    assert not list(tmp_path.iterdir())


def test_re_ranks_only_when_only_testing(mars: Path, tmp_path: Path) -> None:
    trained = run(config(mars, tmp_path / "a", train__max_epoch=1, test__rerank=True))
    assert len(trained.results.retrieval) == 3
    tested_only = run(config(mars, tmp_path / "b", test__evaluate=True, test__rerank=True))
    words = [record["distance"] for record in tested_only.results.retrieval]
    assert words[3:] == ["squared Euclidean, re-ranked (k1 20, k2 6, lambda 0.3)"] * 3


def test_visrank_draws_tracklets_and_actions(
    mars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(config(mars, tmp_path, test__evaluate=True, test__visrank=True, test__visrank_topk=3))
    names = sorted(path.name.split("_", 2)[-1] for path in (tmp_path / "visrank_mars_actions").iterdir())
    assert names == ["attention.png", "attention.png", "ranked.png", "ranked.png"]
    assert sorted(path.name for path in (tmp_path / "actions").iterdir()) == [
        "confusion.png",
        "f1.png",
        "precision_recall.png",
    ]
    assert "7 pictures in" in capsys.readouterr().out
    with pytest.raises(
        ConfigError, match=r"test.visrank shows what a test ranks: it needs test.evaluate True"
    ):
        run(config(mars, tmp_path, test__visrank=True))


def test_refuses_the_protocol_of_cuhk03(mars: Path, tmp_path: Path) -> None:
    cfg = config(mars, tmp_path, test__evaluate=True)
    cfg.cuhk03.use_metric_cuhk03 = True
    with pytest.raises(ConfigError, match=r"use_metric_cuhk03 is a protocol of the pictures of CUHK03"):
        run(cfg)


def test_zero_epochs_do_nothing(mars: Path, tmp_path: Path, tested: list[int]) -> None:
    engine = build(config(mars, tmp_path))
    engine.run(save_dir=str(tmp_path), max_epoch=0)
    assert tested == []


# Testing.


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


def other_width(tensors: dict[str, Any]) -> dict[str, Any]:
    return {**tensors, "bottleneck.weight": torch.ones(9)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda tensors: {"classifier.weight": tensors["classifier.weight"]},
            r"no base.0.weight; .*, and \d+ more",
        ),
        (
            lambda tensors: {k: v for k, v in tensors.items() if k != "actions.weight"},
            "nothing: no actions.weight;",
        ),
        (other_width, r"bottleneck.weight is \(9,\), here \(8,\)"),
        (lambda tensors: {f"net.{name}": value for name, value in tensors.items()}, "no base.0.weight"),
    ],
    ids=["classifier alone", "without the actions", "another width", "other names"],
)
def test_refuses_to_test_a_model_that_the_file_does_not_fill(
    mars: Path, tmp_path: Path, change: Callable[[dict[str, Any]], dict[str, Any]], message: str
) -> None:
    file = tmp_path / "weights.pth"
    engine = build(config(mars, tmp_path / "log", test__evaluate=True, model__load_weights=str(file)))
    torch.save(change(dict(engine.model.state_dict())), file)
    with pytest.raises(CheckpointError, match=message) as refusal:
        engine.run(save_dir=str(tmp_path / "log"), test_only=True)
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "log").exists()


def of_other_people(tensors: dict[str, Any]) -> dict[str, Any]:
    table = {"identity": {"model": "tiny", "identities": 99, "training": "others"}}
    return {"state_dict": {**tensors, "classifier.weight": torch.zeros(99, 8)}, "reidar": table}


def of_the_host(tensors: dict[str, Any]) -> dict[str, Any]:
    return {"state_dict": tensors, "epoch": 3, "rank1": np.float32(0.5)}


def without_counts(tensors: dict[str, Any]) -> dict[str, Any]:
    """As torch wrote weights before 0.4.1; nothing reads the counts at test."""
    left = {name: value for name, value in tensors.items() if not name.endswith("num_batches_tracked")}
    assert left.keys() < tensors.keys()
    return left


@pytest.mark.parametrize(
    "change",
    [
        dict,
        lambda tensors: {f"module.{name}": value for name, value in tensors.items()},
        of_other_people,
        of_the_host,
        without_counts,
    ],
    ids=["state dict", "of DataParallel", "of other people", "of the host", "without counts of batches"],
)
@pytest.mark.parametrize("old", [False, True], ids=["new format", "old format"])
def test_tests_any_plain_file_that_fills_the_model(
    mars: Path, tmp_path: Path, change: Callable[[dict[str, Any]], dict[str, Any]], old: bool
) -> None:
    file = tmp_path / "weights.pth"
    cfg = config(mars, tmp_path / "log", test__evaluate=True, model__load_weights=str(file))
    engine = build(cfg)
    torch.save(change(dict(engine.model.state_dict())), file, _use_new_zipfile_serialization=not old)
    check_weights(file, engine.model, engine.fingerprint, cfg.dump())


def test_says_that_nothing_was_loaded(mars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(config(mars, tmp_path, test__evaluate=True))
    assert "testing the network as it was built" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model__name": OSNET}, "model: tiny, here reidar_osnet_x0_25"),
        (
            {"reidar__labels__space": "own", "reidar__labels__names": [f"a{n}" for n in range(8)]},
            "actions: .*, here .*'a7'",
        ),
        (
            {"reidar__model__attention_relu": False},
            "was trained with reidar.model.attention_relu: True, here False, .*: take those values",
        ),
    ],
    ids=["model", "actions", "a switch without weights"],
)
def test_refuses_to_test_weights_of_another_model(
    mars: Path, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    run(config(mars, tmp_path / "a", train__max_epoch=1))
    file = str(tmp_path / "a/model/model-best.pth.tar")
    options |= {"reidar__labels__required": False, "data__sources": ["mars"], "data__targets": ["mars"]}
    with pytest.raises(CheckpointError, match=message):
        run(config(mars, tmp_path / "b", test__evaluate=True, model__load_weights=file, **options))


def test_packed_clips_say_what_single_tracklets_say(mars: Path, tmp_path: Path) -> None:
    """Each tracklet alone, clip by clip, averaged by hand."""
    engine = build(config(mars, tmp_path, reidar__test__thresholds="half"))
    target = engine.evaluator.extract_target("mars_actions")
    engine.model.eval()
    for part, side in (("query", target.query), ("gallery", target.gallery)):
        source: Any = engine.datamanager.test_loader["mars_actions"][part].dataset
        assert len(side.outputs.features) == len(source.table)
        for place in (0, len(source.table) - 1):
            rows, likelihoods = [], []
            for clip in [n for n, owner in enumerate(source.plan.tracklets) if owner == place]:
                frames = engine.datamanager.normalise(source[clip].frames)
                with torch.no_grad():
                    output = engine.model(frames)
                rows.append(output.feature[0])
                likelihoods.append(1 / (1 + torch.exp(-output.action_logits[0])))
            assert len(rows) >= 2
            torch.testing.assert_close(side.outputs.features[place], torch.stack(rows).mean(dim=0))
            torch.testing.assert_close(side.outputs.likelihoods[place], torch.stack(likelihoods).mean(dim=0))


def test_low_precision_features_are_float32(mars: Path, tmp_path: Path) -> None:
    full = build(config(mars, tmp_path)).evaluator.extract_target("mars_actions").query.outputs
    low = (
        build(config(mars, tmp_path, reidar__train__precision="bfloat16"))
        .evaluator.extract_target("mars_actions")
        .query.outputs
    )
    assert low.features.dtype is torch.float32
    torch.testing.assert_close(low.features, full.features, rtol=0.1, atol=0.1)
    assert not torch.equal(low.features, full.features)


def test_a_test_draws_no_chance(mars: Path, tmp_path: Path) -> None:
    engine = build(config(mars, tmp_path, reidar__test__thresholds="train"))
    before = torch.get_rng_state()
    engine.test()
    assert torch.equal(before, torch.get_rng_state())


def test_thresholds_from_the_training_people(mars: Path, tmp_path: Path) -> None:
    half = build(config(mars, tmp_path)).evaluator()
    chosen = build(config(mars, tmp_path, reidar__test__thresholds="train")).evaluator()
    assert set(half.actions.thresholds) == {0.5}
    assert set(chosen.actions.thresholds) != {0.5}


def test_a_model_of_the_host_is_refused(mars: Path, tmp_path: Path) -> None:
    engine = build(config(mars, tmp_path))
    evaluator = Evaluator(torch.nn.Flatten(), engine.datamanager, engine.precision)
    with pytest.raises(TypeError, match=r"needs a model that returns a JointOutput, got Tensor"):
        evaluator.extract_target("mars_actions")
    cfg = config(mars, tmp_path)
    with pytest.raises(ConfigError, match=r"has a feature_dim .*, and Linear has none"):
        JointEngine.from_config(cfg, engine.datamanager, torch.nn.Linear(1, 1), engine.optimizer, None)


def test_finds_out_before_training_that_no_query_can_be_answered(tmp_path: Path) -> None:
    fakes.write_mars(tmp_path, train_people=6, test_people=3, cameras=1, frames=2)
    with pytest.raises(
        ConfigError,
        match=r"mars_actions: none of 3 queries has its person in another camera .* \(5 t",
    ):
        run(config(tmp_path, tmp_path / "log"))
    assert not list((tmp_path / "log").glob("model/model*"))


# Labels.


def test_trains_on_a_plain_data_set_with_unknown_actions(mars: Path, tmp_path: Path) -> None:
    engine = run(config(mars, tmp_path, data__sources=["mars"], data__targets=["mars"], train__max_epoch=1))
    row = engine.history.epochs[0]
    assert row["weighted_binary_cross_entropy"] == row["action_centre"] == 0
    assert row["ranked_list"] > 0
    assert engine.results.actions is None
    assert len(engine.results.retrieval) == 3


def test_trains_without_an_action_network(mars: Path, tmp_path: Path) -> None:
    terms = ["smoothed_cross_entropy", "ranked_list", "identity_centre", "erasing"]
    engine = run(
        config(mars, tmp_path, reidar__model__num_actions=0, reidar__loss__terms=terms, train__max_epoch=1)
    )
    assert engine.fingerprint.actions == ()
    assert engine.results.actions is None
    assert len(engine.centre_optimizers) == 1


def test_refuses_another_number_of_action_blocks(mars: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"the model has 3 action blocks .* 'actions8' has 8"):
        build(config(mars, tmp_path, reidar__model__num_actions=3))


def test_class_weights_are_counted_on_the_training_people(mars: Path, tmp_path: Path) -> None:
    """Six people, 4 tracklets each; person n does the (n mod 8)-th action, n = 2, 4, ..., 12."""
    ratios = build(config(mars, tmp_path)).objective.losses["weighted_binary_cross_entropy"].ratios
    expected = [4 / 24 if action % 2 == 0 else 0.0 for action in range(8)]
    for person in (10, 12):
        expected[person % 8] += 4 / 24
    assert torch.as_tensor(ratios).tolist() == pytest.approx([min(e, 1.0) for e in expected])


# A loss that is not finite.


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


# The best.


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


@pytest.mark.parametrize("text", ["map", "rank-0", "rank-", "rank-x", ""])
def test_refuses_an_unknown_best_metric(mars: Path, tmp_path: Path, text: str) -> None:
    with pytest.raises(
        ConfigError, match=f"one of mAP, mINP, rank-<k>, with or without @protocol, got '{text}'"
    ):
        build(config(mars, tmp_path, reidar__train__best=text))


def test_names_the_protocols_there_are(mars: Path, tmp_path: Path) -> None:
    engine = build(config(mars, tmp_path, reidar__train__best="mAP@unusual"))
    with pytest.raises(
        ConfigError, match=r"names the protocol 'unusual'; the test has usual, no-distractors, mixing"
    ):
        engine.run(save_dir=str(tmp_path), max_epoch=1)
    assert engine.batch_idx == 0


# More than one data set.


def test_two_sources_and_three_targets_at_once(tmp_path: Path) -> None:
    fakes.write_mars(tmp_path, train_people=4, test_people=3, frames=2)
    fakes.write_lpw(tmp_path, frames=2)
    fakes.write_ilidsvid(tmp_path, people=8, frames=2)
    names = ["mars_actions", "lpw_actions"]
    engine = run(
        config(
            tmp_path,
            tmp_path / "log",
            data__sources=names,
            data__targets=[*names, "ilidsvid"],
            train__max_epoch=1,
        )
    )
    protocols = [record["protocol"] for record in engine.results.retrieval]
    assert protocols == [
        "MARS usual",
        "MARS no-distractors",
        "MARS mixing",
        "LPW scene-1",
        "iLIDS-VID split-0",
    ]
    assert engine.history.epochs[0]["weighted_binary_cross_entropy"] > 0
    last = engine.results.retrieval[-1]["metrics"]["rank-1"]
    assert engine.history.rank1 == pytest.approx(last)  # of the last target, as the host has it
    assert engine.history.best.what == "mAP of MARS usual (squared Euclidean)"


def test_ctrl_c_is_the_main_threads(mars: Path, tmp_path: Path) -> None:
    """Signals cannot be taken over elsewhere; training works there all the same."""
    engine = build(config(mars, tmp_path))
    thread = threading.Thread(target=engine.run, kwargs={"save_dir": str(tmp_path), "max_epoch": 1})
    thread.start()
    thread.join()
    assert engine.position.epoch == 1


@pytest.mark.filterwarnings("ignore:.*replaced by")
def test_counts_broken_frames(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = fakes.write_mars(tmp_path, train_people=6, test_people=3, frames=3)
    broken = [
        *home.glob("bbox_train/0002/*F002.jpg"),
        *sorted(home.glob("bbox_test/0001/*F002.jpg"))[:1],
    ]
    for path in broken:
        path.write_bytes(b"no picture")
    options = {"train__max_epoch": 1, "reidar__data__train_clips": "consecutive", "video__seq_len": 3}
    run(config(tmp_path, tmp_path / "log", reidar__data__on_broken="skip", **options))
    output = capsys.readouterr().out
    assert "mars_actions query: broken frames that a neighbour in their tracklet replaced so far: 1" in output
    assert "training: broken frames" in output
    with pytest.raises(OSError, match=r"F002.jpg"):
        run(config(tmp_path, tmp_path / "other", **options))
