import copy
import pickle
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from reidar_plugin.errors import ConfigError
from reidar_plugin.models.joint import JointModel, build_joint
from reidar_plugin.structures import JointOutput
from tests.engine_rig import tiny
from tests.inference.onnx_files import small as two_convolutions
from tests.versions import TORCH

SMALL = "osnet_x0_25"


def clips(batch: int = 2, length: int = 2, size: tuple[int, int] = (64, 32)) -> Tensor:
    return torch.randn(batch, length, 3, *size, generator=torch.Generator().manual_seed(0))


def small(**settings: object) -> JointModel:
    torch.manual_seed(0)
    given = {
        "num_classes": 5,
        "num_actions": 3,
        "frame_size": (64, 32),
        "attention_width": 8,
        "action_width": 8,
    }
    return build_joint(SMALL, **{**given, **settings})


def total(output: JointOutput) -> Tensor:
    """A number that depends on everything the model says."""
    return sum(part.float().square().mean() for part in output if part is not None)


@pytest.mark.parametrize("pooling", ["attention", "light", "mean", "max", "gem"])
def test_the_pieces_are_those_of_the_drawing(pooling: str) -> None:
    model = small(pooling=pooling).eval()
    nn.init.normal_(model.bottleneck.running_mean)  # so that the feature is not the pooled one
    nn.init.uniform_(model.bottleneck.running_var, 0.5, 2)
    x = clips(3, 4)
    with torch.no_grad():
        output = model(x)
        maps = torch.stack([model.base.featuremaps(frame) for frame in x.unbind(dim=1)], dim=1)
        pooled, scores, attention = model.temporal(maps)
        feature = model.bottleneck(pooled)
        logits = feature @ model.classifier.weight.T
    assert output.feature.std() > 0
    for found, expected in zip(output, (logits, feature, pooled, scores, attention), strict=False):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(output.action_logits, model.actions(feature).logits, rtol=1e-4, atol=1e-5)


def test_what_comes_out_follows_the_loss() -> None:
    x = clips()
    joint, softmax, triplet = (small(loss=loss, num_actions=0) for loss in ("reidar", "softmax", "triplet"))
    assert isinstance(joint(x), JointOutput)
    logits = softmax(x)
    assert logits.shape == (2, 5)
    again, feature = triplet(x)
    assert again.shape == (2, 5)
    assert feature.shape == (2, softmax.feature_dim)
    for model in (joint, softmax, triplet):
        model.eval()
    assert isinstance(joint(x), JointOutput)
    torch.testing.assert_close(softmax(x), joint(x).feature)
    torch.testing.assert_close(triplet(x), joint(x).feature)


@pytest.mark.parametrize("loss", ["softmax", "triplet"])
def test_no_parameter_is_idle_under_the_hosts_losses(loss: str) -> None:
    model = small(loss=loss)
    assert model.actions is None
    output = model(clips())
    (output if loss == "softmax" else output[0].square().sum() + output[1].square().sum()).sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_a_frame_is_a_clip_of_one() -> None:
    model = small().eval()
    x = clips(3, 1)
    torch.testing.assert_close(model(x[:, 0]).feature, model(x).feature)


def test_without_an_action_network() -> None:
    output = small(num_actions=0)(clips())
    assert output.action_logits is None
    assert output.action_hidden is None


def test_clips_do_not_see_each_other_in_evaluation() -> None:
    model, x = small().eval(), clips(3, 4)
    together = model(x)
    for b in range(3):
        torch.testing.assert_close(model(x[b : b + 1]).feature[0], together.feature[b], rtol=1e-4, atol=1e-5)


def test_memory_format_of_the_frames_does_not_matter() -> None:
    model, x = small().eval(), clips()
    strided = (
        x.permute(0, 1, 3, 4, 2).contiguous().permute(0, 1, 4, 2, 3)
    )  # as a loader of (B, T, H, W, 3) makes it
    assert strided.stride() != x.stride()
    torch.testing.assert_close(model(strided).feature, model(x).feature)


@pytest.mark.parametrize("last", [True, False], ids=["channels_last", "contiguous"])
def test_follows_the_memory_format_of_its_weights(last: bool) -> None:
    model, x = small(), clips(3, 2)
    expected = copy.deepcopy(model)(x)
    if last:
        model.to(memory_format=torch.channels_last)
    maps = model.maps(x).flatten(0, 1)
    assert maps.is_contiguous(memory_format=torch.channels_last) == last
    assert maps.is_contiguous() != last
    strided = x.permute(0, 1, 3, 4, 2).contiguous().permute(0, 1, 4, 2, 3)
    assert model.maps(strided).flatten(0, 1).stride() == maps.stride()
    torch.testing.assert_close(copy.deepcopy(model)(x).pooled, expected.pooled, rtol=1e-4, atol=1e-4)


def test_bf16_autocast_keeps_the_heads_in_float32() -> None:
    model, x = small().eval(), clips(4, 4)
    with torch.no_grad():
        expected = model(x)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = model(x)
            assert model.maps(x).dtype == torch.bfloat16
    assert {part.dtype for part in found if part is not None} == {torch.float32}
    similarity = torch.cosine_similarity(found.feature, expected.feature)
    assert similarity.min() > 0.99
    model.train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = total(model(x))
    loss.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_saves_and_loads(tmp_path: Path) -> None:
    model, x = small().eval(), clips()
    expected = model(x).feature
    torch.save(model.state_dict(), tmp_path / "state.pt")
    other = small()
    nn.init.normal_(other.bottleneck.weight)
    other.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    torch.testing.assert_close(other.eval()(x).feature, expected)
    torch.save(model, tmp_path / "model.pt")
    whole = torch.load(tmp_path / "model.pt", weights_only=False)
    torch.testing.assert_close(whole(x).feature, expected)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), nn.DataParallel(model)):
        torch.testing.assert_close(twin(x).feature, expected)


def replica(module: nn.Module) -> nn.Module:
    """What DataParallel runs on each device: a tree whose parameters are plain attributes."""
    copied = module._replicate_for_data_parallel()
    for name, child in module.named_children():
        copied._modules[name] = replica(child)
    for name, parameter in module._parameters.items():
        setattr(copied, name, None if parameter is None else parameter.clone())
    return copied


@pytest.mark.parametrize("name", [SMALL, "resnet50_ibn_a"])
def test_runs_as_a_replica_of_data_parallel(name: str) -> None:
    torch.manual_seed(0)
    model = build_joint(name, 5, num_actions=3, frame_size=(64, 32), attention_width=8, action_width=8).eval()
    copied = replica(model)
    assert not list(copied.parameters())
    torch.testing.assert_close(copied(clips()).feature, model(clips()).feature)
    total(copied.train()(clips())).backward()
    assert all(p.grad is not None for p in model.parameters())


def test_a_small_one_learns_on_a_cpu() -> None:
    torch.manual_seed(0)
    model, x = small(num_classes=2), clips(4, 2)
    pids, actions = torch.tensor([0, 0, 1, 1]), torch.eye(4)[:, :3]
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(15):
        output = model(x)
        loss = nn.functional.cross_entropy(output.logits, pids)
        loss = loss + nn.functional.binary_cross_entropy_with_logits(output.action_logits, actions)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.slow
@pytest.mark.usefixtures("quick_weights")
def test_the_papers_model_is_one_graph() -> None:
    """Forward and backward trace without a break, and give what the eager model gives."""
    torch.manual_seed(0)
    model = build_joint(
        "resnet50_ibn_a", 5, num_actions=3, frame_size=(64, 32), attention_width=8, action_width=8
    )
    for stage in ("layer1", "layer2", "layer3", "layer4"):  # the other blocks of a stage only repeat this one
        setattr(model.base, stage, getattr(model.base, stage)[:1])
    model.actions.dropout.p = 0.0  # its mask would differ
    twin, x = copy.deepcopy(model), clips()
    traced = torch.compile(twin, fullgraph=True, backend="aot_eager")
    expected, found = model(x), traced(x)
    for theirs, ours in zip(expected[:7], found[:7], strict=True):
        torch.testing.assert_close(ours, theirs)
    total(expected).backward()
    total(found).backward()
    for theirs, ours in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad)
    for theirs, ours in zip(model.buffers(), twin.buffers(), strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="the compiler of the CPU needs g++")
@torch.no_grad()
def test_compiles_on_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is ours; a network of the host would add minutes of g++ to its one convolution."""
    from torch._inductor import config as inductor

    torch.manual_seed(0)
    model, x = tiny(5, loss="reidar", pretrained=False, use_gpu=False, actions=3).eval(), clips(size=(32, 16))
    # vector instructions would double the time of the compiler, and a process for each kind, which imports torch, would
    # look for them; torch 2.4 takes no such option
    plain = {"cpp.vec_isa_ok": False} if TORCH >= (2, 5) else None
    monkeypatch.setattr(
        sys, "setrecursionlimit", lambda limit: None
    )  # it would stay for all tests that follow
    monkeypatch.setattr(inductor, "compile_threads", 1)  # else a process that compiles imports torch as well
    found = torch.compile(model, fullgraph=True, options=plain)(x)
    for theirs, ours in zip(model(x)[:7], found[:7], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_attention_refuses_frames_of_another_size() -> None:
    message = r"osnet_x0_25 was built for frames of 64 x 32 \(maps 4 x 2\), got frames of 96 x 32 \(maps 6 x 2\): set data"
    with pytest.raises(ValueError, match=message):
        small()(clips(size=(96, 32)))
    assert small(pooling="light")(clips(size=(96, 32))).feature.shape == (2, 128)


def test_errors_name_what_came() -> None:
    with pytest.raises(ValueError, match=r"unknown loss 'tripled' .* \['reidar', 'softmax', 'triplet'\]"):
        small(loss="tripled")
    with pytest.raises(ValueError, match=r"expected frames .* got \(2, 2, 64, 32, 3\)"):
        small()(torch.zeros(2, 2, 64, 32, 3))
    with pytest.raises(TypeError, match=r"normalised floating point frames, got torch.uint8"):
        small()(torch.zeros(2, 2, 3, 64, 32, dtype=torch.uint8))
    with pytest.raises(ValueError, match="at least 2 clips in a training batch, got 1"):
        small()(clips(1))


def test_soft_mining_reaches_the_classifier_through_the_output() -> None:
    model = small()
    vectors = model(clips()).class_vectors
    assert vectors is model.classifier.weight  # the parameter itself: its gradient is not lost


STAGES = [("osnet_x0_25", "conv3"), ("resnet18", "layer2"), ("densenet121", "features.denseblock2")]


@pytest.mark.usefixtures("quick_weights")
@pytest.mark.parametrize(("name", "stage"), STAGES)
def test_actions_may_read_a_stage(name: str, stage: str) -> None:
    torch.manual_seed(0)
    settings = {"num_actions": 3, "frame_size": (64, 32), "attention_width": 8, "action_width": 8}
    model = build_joint(name, 5, action_source=stage, **settings)
    output = model(clips(3, 2))
    assert output.action_logits.shape == (3, 3)
    assert output.action_hidden.shape == (3, 3, 8)
    torch.testing.assert_close(output.action_attention.sum(dim=(2, 3, 4)), torch.ones(3, 3))
    total(output).backward()
    assert all(p.grad is not None for key, p in model.named_parameters() if key != "actions.queries")
    model.eval()
    assert model(clips(1, 1)[:, 0]).action_attention.shape[:3] == (1, 3, 1)
    for twin in (replica(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        torch.testing.assert_close(twin(clips()).action_logits, model(clips()).action_logits)


def test_the_action_network_reads_the_stage_and_nothing_else() -> None:
    model, x = small(action_source="conv3").eval(), clips(3, 4)
    output = model(x)
    base = model.base
    maps = base.conv3(base.conv2(base.maxpool(base.conv1(x.flatten(0, 1))))).unflatten(0, (3, 4))
    torch.testing.assert_close(output.action_logits, model.actions(maps).logits, rtol=1e-4, atol=1e-5)


def test_the_action_network_may_read_frames_alone() -> None:
    model, x = small(action_source="frames", action_layers=(8, 24)).eval(), clips(3, 4)
    output = model(x)
    torch.testing.assert_close(output.action_logits, model.actions(x).logits, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(output.action_attention.sum(dim=(2, 3, 4)), torch.ones(3, 3))
    nn.init.normal_(model.actions.blocks.weight)
    model(x).action_logits.square().sum().backward()
    touched = {
        key for key, p in model.named_parameters() if p.grad is not None and bool(p.grad.abs().sum() > 0)
    }
    assert {key.split(".")[0] for key in touched} == {"actions"}
    assert "actions.trunk.0.0.weight" in touched


def test_frames_want_a_trunk() -> None:
    with pytest.raises(ConfigError, match=r"give widths of a trunk in reidar\.model\.action_layers"):
        small(action_source="frames")


@pytest.mark.parametrize("source", ["feature", "conv2"])
@pytest.mark.parametrize("gradient", [True, False])
def test_actions_train_the_backbone_or_do_not(source: str, gradient: bool) -> None:
    model = small(action_source=source, action_gradient=gradient)
    nn.init.normal_(model.actions.weight if source == "feature" else model.actions.blocks.weight)
    model(clips(4, 2)).action_logits.square().sum().backward()
    shared = [p.grad for key, p in model.named_parameters() if not key.startswith("actions.")]
    assert any(grad is not None and bool(grad.abs().sum() > 0) for grad in shared) == gradient


def test_copies_of_a_frame_change_no_action() -> None:
    model, x = small(action_source="conv3").eval(), clips(2, 2)
    nn.init.normal_(model.actions.queries)
    filled = torch.cat([x, x], dim=1)
    output = model(filled)
    torch.testing.assert_close(output.action_logits, model(x).action_logits, rtol=1e-4, atol=1e-5)
    assert output.action_attention[:, :, 2:].abs().max() == 0


def test_bf16_autocast_keeps_an_action_network_over_maps_in_float32() -> None:
    model, x = small(action_source="conv2", action_layers=(24,)), clips(4, 2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = model(x)
    assert {part.dtype for part in output if part is not None} == {torch.float32}
    torch.testing.assert_close(output.action_attention.sum(dim=(2, 3, 4)), torch.ones(4, 3))


@pytest.mark.skipif(TORCH < (2, 5), reason="torch 2.4 compiles no hook that keeps maps")
def test_one_graph_with_an_action_network_over_maps() -> None:
    """Of a network of two convolutions: those of the host take the longer to trace the deeper they are."""
    torch.manual_seed(0)
    model, x = two_convolutions(source="0", layers=[24]).network.eval(), clips(size=(32, 16))
    traced = torch.compile(copy.deepcopy(model), fullgraph=True, backend="eager")
    torch.testing.assert_close(traced(x).action_logits, model(x).action_logits)
    assert traced(x).action_attention.shape == (2, 3, 2, 4, 2)  # it reads maps


def test_the_hosts_losses_keep_no_maps() -> None:
    model = small(loss="softmax", action_source="conv3")
    assert model.actions is None
    model(clips())
    pickle.dumps(model)


@pytest.mark.parametrize("source", ["conv1", "frames"])
def test_identity_starts_as_it_does_without_actions(source: str) -> None:
    alone, acting = small(num_actions=0), small(action_source=source, action_layers=(24,))
    following = []
    for settings in ({"num_actions": 0}, {"action_source": source, "action_layers": (24,)}):
        small(**settings)
        following.append(torch.randn(3))
    assert torch.equal(*following)  # centres of the losses come next
    shared = {key: value for key, value in acting.state_dict().items() if not key.startswith("actions.")}
    expected = alone.state_dict()
    assert shared.keys() == expected.keys()
    assert all(torch.equal(value, expected[key]) for key, value in shared.items())


@pytest.mark.parametrize("apart", [{"source": "conv1", "gradient": False}, {"source": "frames"}])
def test_actions_apart_change_no_bit_of_identity(apart: dict[str, Any]) -> None:
    x, pids = clips(6, 2), torch.arange(6) % 3
    states = []
    for settings in (
        {"num_actions": 0},
        {"action_layers": (24,), **{f"action_{key}": value for key, value in apart.items()}},
    ):
        model = small(**settings)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-4)
        for _ in range(3):
            output = model(x)
            loss = nn.functional.cross_entropy(output.logits, pids)
            if output.action_logits is not None:
                loss = loss + output.action_logits.square().sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        states.append({k: v for k, v in model.state_dict().items() if not k.startswith("actions.")})
    assert all(torch.equal(value, states[1][key]) for key, value in states[0].items())
