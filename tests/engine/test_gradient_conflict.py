"""The pull of the two sides at the backbone, against gradients taken one at a time."""

from pathlib import Path

import pytest
import torch

from reidar_plugin.engine.gradient_conflict import GradientConflict
from reidar_plugin.errors import ConfigError
from reidar_plugin.inference.precision import Precision
from reidar_plugin.structures import Targets
from tests.engine_rig import build, config


def test_measures_norms_and_cosine(mars: Path, tmp_path: Path) -> None:
    engine = build(config(mars, tmp_path, reidar__loss__diagnose=2))
    engine.set_model_mode("train")
    batch = next(iter(engine.train_loader))
    frames, erased = engine.datamanager.augment(batch.frames, 0, 0)
    targets = Targets(batch.pids, batch.labels, batch.attributes, erased)
    output = engine.model(frames)
    scaler = Precision("float32", torch.device("cpu")).scaler()
    found = engine.step.conflict(output, targets, scaler)
    expected = []
    for names in (
        ("smoothed_cross_entropy", "ranked_list", "identity_centre", "erasing"),
        ("weighted_binary_cross_entropy", "action_centre"),
    ):
        total = sum(engine.objective._weighted(output, targets)[0][name] for name in names)
        for parameter in engine.model.parameters():
            parameter.grad = None
        total.backward(retain_graph=True)
        grads = [
            p.grad if p.grad is not None else torch.zeros_like(p) for p in engine.model.base.parameters()
        ]
        expected.append(torch.cat([grad.flatten() for grad in grads]))
    first, second = expected
    assert first.norm() > 0
    assert second.norm() > 0
    torch.testing.assert_close(found[:2], torch.stack([first.norm(), second.norm()]))
    torch.testing.assert_close(found[2], first @ second / (first.norm() * second.norm()))
    engine.model.base.requires_grad_(False)  # as train.fixbase_epoch does
    frozen = GradientConflict(engine.model, engine.objective)
    assert frozen(output, targets, scaler).tolist() == [0, 0, 0]


def test_is_measured_every_so_many_steps_and_logged(mars: Path, tmp_path: Path) -> None:
    engine = build(config(mars, tmp_path, reidar__loss__diagnose=2))
    engine.set_model_mode("train")
    engine.epoch = 0
    rows = []
    for step, batch in enumerate(engine.train_loader):
        engine.batch_idx = step
        values = engine.forward_backward(batch)
        rows.append([float(values[name]) for name in GradientConflict.names])
    assert len(rows) == 3
    assert rows[0] == rows[1] != rows[2]
    assert all(-1 <= row[2] <= 1 for row in rows)


def test_off_by_default_and_where_there_is_one_side(mars: Path, tmp_path: Path) -> None:
    assert build(config(mars, tmp_path / "a")).step.conflict is None
    one = {"reidar__loss__diagnose": 1, "reidar__loss__terms": ["smoothed_cross_entropy"]}
    assert build(config(mars, tmp_path / "b", **one)).step.conflict is None


def test_changes_nothing_of_the_training(mars: Path, tmp_path: Path) -> None:
    losses = []
    for steps in (0, 1):
        torch.manual_seed(0)
        engine = build(config(mars, tmp_path / str(steps), reidar__loss__diagnose=steps))
        engine.set_model_mode("train")
        engine.epoch = 0
        torch.manual_seed(1)
        for step, batch in enumerate(engine.train_loader):
            engine.batch_idx = step
            losses.append(float(engine.forward_backward(batch)["loss"]))
    assert losses[:3] == losses[3:]


def test_errors(mars: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"reidar\.train\.compile False"):
        build(config(mars, tmp_path, reidar__loss__diagnose=1, reidar__train__compile=True))
    with pytest.raises(ConfigError, match=r"number of steps .* got -1"):
        build(config(mars, tmp_path, reidar__loss__diagnose=-1))
