from pathlib import Path

import pytest
import torch

from reidar_plugin.engine.train_step import TrainStep, centre_optimizers
from reidar_plugin.errors import ConfigError
from reidar_plugin.inference.precision import Precision
from tests.engine_rig import build, config, first_step, tiny
from tests.versions import TORCH

CPU = torch.device("cpu")


def test_centres_are_stepped_by_their_own_sgd(mars: Path, tmp_path: Path) -> None:
    """The centre of a person moves by 0.5 times the gradient of the plain mean of squares, whatever the loss weighs it."""
    engine = build(config(mars, tmp_path))
    losses = engine.objective.losses
    before = {name: losses[name].centres.detach().clone() for name in ("identity_centre", "action_centre")}
    engine.set_model_mode("train")
    engine.epoch = engine.batch_idx = 0
    batch = next(iter(engine.train_loader))
    frames, _ = engine.datamanager.augment(batch.frames, 0, 0)
    torch.manual_seed(5)
    with torch.no_grad():
        twin = tiny(6, "reidar", False, False)
        twin.load_state_dict(engine.model.state_dict())
        twin.train()
        feature = twin(frames).feature
    torch.manual_seed(5)
    engine.forward_backward(batch)
    expected = before["identity_centre"].clone()
    for row, pid in zip(feature, batch.pids.tolist(), strict=True):
        expected[pid] += 0.5 * 2 / len(feature) * (row - before["identity_centre"][pid])
    torch.testing.assert_close(losses["identity_centre"].centres.detach(), expected)
    assert not torch.equal(losses["action_centre"].centres, before["action_centre"])


def test_a_rate_of_zero_leaves_centres_where_they_are(mars: Path, tmp_path: Path) -> None:
    engine = build(config(mars, tmp_path, reidar__train__action_centre_lr=0.0))
    before = engine.objective.losses["action_centre"].centres.detach().clone()
    first_step(engine)
    assert torch.equal(engine.objective.losses["action_centre"].centres, before)


def test_optimisers_of_the_centres(mars: Path, tmp_path: Path) -> None:
    engine = build(config(mars, tmp_path))
    assert [each.param_groups[0]["lr"] for each in engine.centre_optimizers] == [0.5, 0.1]
    assert isinstance(engine.optimizer, torch.optim.Adam)
    trained = {id(p) for group in engine.optimizer.param_groups for p in group["params"]}
    assert not trained & {id(p) for p in engine.objective.parameters()}
    with pytest.raises(ConfigError, match=r"must be >= 0, got -1.0 and 0.1"):
        centre_optimizers(engine.objective, identity_lr=-1.0)


def test_clips_the_gradient(mars: Path, tmp_path: Path) -> None:
    engine = build(config(mars, tmp_path, reidar__train__clip=0.01))
    values = first_step(engine)
    assert values["gradient_norm"] > 0.02  # what it was before
    squares = sum(float(p.grad.square().sum()) for p in engine.model.parameters() if p.grad is not None)
    assert squares**0.5 == pytest.approx(0.01, rel=1e-3)
    with pytest.raises(ConfigError, match=r"got -1"):
        TrainStep(engine.model, engine.objective, [engine.optimizer], Precision("float32", CPU), clip=-1)


def test_without_clipping_the_norm_is_the_gradients(mars: Path, tmp_path: Path) -> None:
    engine = build(config(mars, tmp_path))
    values = first_step(engine)
    squares = sum(float(p.grad.square().sum()) for p in engine.model.parameters() if p.grad is not None)
    assert values["gradient_norm"] == pytest.approx(squares**0.5, rel=1e-5)


@pytest.mark.parametrize("name", ["bfloat16", "float16"])
def test_only_the_convolutions_are_lowered(mars: Path, tmp_path: Path, name: str) -> None:
    seen = {}
    full = first_step(build(config(mars, tmp_path)))
    engine = build(config(mars, tmp_path, reidar__train__precision=name))
    engine.model.base.register_forward_hook(lambda net, given, maps: seen.update(maps=maps.dtype))
    engine.model.register_forward_hook(lambda net, given, output: seen.update(output._asdict()))
    low = first_step(engine)
    assert seen.pop("maps") is getattr(torch, name)
    assert {part.dtype for part in seen.values() if part is not None} == {torch.float32}
    assert seen["action_logits"] is not None
    assert low["loss"] == pytest.approx(full["loss"], rel=0.05)
    assert low != full
    assert engine.step.scaler.is_enabled() is (name == "float16")
    assert {p.dtype for p in engine.model.parameters()} == {torch.float32}


def test_scaled_gradients_move_the_weights_as_plain_ones(mars: Path, tmp_path: Path) -> None:
    """The scaler's factor must be taken out again before Adam and both SGD see the gradient."""
    moved, norms = [], []
    for name in ("float32", "float16"):
        engine = build(config(mars, tmp_path, reidar__train__precision=name))
        engine.step.precision = Precision("float32", CPU)  # same forward, only the scaler differs
        norms.append(first_step(engine)["gradient_norm"])
        moved.append(
            [p.detach().clone() for p in [*engine.model.parameters(), *engine.objective.parameters()]]
        )
    assert engine.step.scaler.get_scale() > 1
    torch.testing.assert_close(*moved)
    assert norms[1] == pytest.approx(norms[0], rel=1e-4)  # else clipping would clip the factor too


def test_layout_of_the_maps(mars: Path, tmp_path: Path) -> None:
    inner, outer = (build(config(mars, tmp_path, reidar__train__channels_last=on)) for on in (True, False))
    kernels = [next(p for p in engine.model.parameters() if p.dim() == 4) for engine in (inner, outer)]
    assert kernels[0].is_contiguous(memory_format=torch.channels_last)
    assert not kernels[0].is_contiguous()
    assert kernels[1].is_contiguous()
    close = 1e-4 if TORCH >= (2, 5) else 5e-4  # sums in another order, which torch 2.4 rounds more coarsely
    assert first_step(inner)["loss"] == pytest.approx(
        first_step(outer)["loss"], rel=close
    )  # sums in another order
