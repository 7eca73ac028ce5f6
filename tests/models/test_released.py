"""The released model, written down a second time with plain functions on a dict of tensors."""

import copy
import zlib
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from reidar_plugin.models.joint import JointModel, build_joint
from reidar_plugin.models.released import from_released, is_released, load_released

pytestmark = pytest.mark.usefixtures("quick_weights")

CLASSES, ACTIONS = 7, 8
LAYERS = {"layer1": (3, 64, 1), "layer2": (4, 128, 2), "layer3": (6, 256, 2), "layer4": (3, 512, 1)}


def shapes(map_size: tuple[int, int], ibn: bool = True) -> dict[str, tuple[int, ...]]:
    """Names and shapes in a checkpoint of the released code."""
    found: dict[str, tuple[int, ...]] = {}

    def norm(name: str, width: int) -> None:
        for part in ("weight", "bias", "running_mean", "running_var"):
            found[f"{name}.{part}"] = (width,)
        found[f"{name}.num_batches_tracked"] = ()

    found["base.conv1.weight"] = (64, 3, 7, 7)
    norm("base.bn1", 64)
    inside = 64
    for layer, (count, width, _) in LAYERS.items():
        for index in range(count):
            block = f"base.{layer}.{index}"
            found[f"{block}.conv1.weight"] = (width, inside, 1, 1)
            if ibn and layer != "layer4":
                found[f"{block}.bn1.IN.weight"] = found[f"{block}.bn1.IN.bias"] = (width // 2,)
                norm(f"{block}.bn1.BN", width // 2)
            else:
                norm(f"{block}.bn1", width)
            found[f"{block}.conv2.weight"] = (width, width, 3, 3)
            norm(f"{block}.bn2", width)
            found[f"{block}.conv3.weight"] = (4 * width, width, 1, 1)
            norm(f"{block}.bn3", 4 * width)
            if index == 0:
                found[f"{block}.downsample.0.weight"] = (4 * width, inside, 1, 1)
                norm(f"{block}.downsample.1", 4 * width)
            inside = 4 * width
    norm("bottleneck", 2048)
    found["classifier.weight"] = (CLASSES, 2048)
    for action in range(ACTIONS):
        found[f"class_{action}.add_block.0.weight"] = (512, 2048)
        found[f"class_{action}.add_block.0.bias"] = (512,)
        norm(f"class_{action}.add_block.1", 512)
        found[f"class_{action}.classifier.0.weight"] = (1, 512)
        found[f"class_{action}.classifier.0.bias"] = (1,)
    found["attention_conv.weight"] = (256, 2048, *map_size)
    found["attention_conv.bias"] = (256,)
    found["attention_tconv.weight"] = (1, 256, 3)
    found["attention_tconv.bias"] = (1,)
    return found


def tensors(map_size: tuple[int, int], ibn: bool = True) -> dict[str, Tensor]:
    """Values by a fixed rule: each tensor is drawn from a generator that its name seeds, once for all tests."""
    return dict(_drawn(map_size, ibn))


@cache
def _drawn(map_size: tuple[int, int], ibn: bool) -> dict[str, Tensor]:
    drawn = {}
    for name, shape in shapes(map_size, ibn).items():
        values = torch.randn(shape, generator=torch.Generator().manual_seed(zlib.crc32(name.encode())))
        if name.endswith("num_batches_tracked"):
            values = torch.tensor(3)
        elif name.endswith("running_var"):
            values = 0.5 + values.abs()
        elif len(shape) > 1:
            values = values * (2 / values[0].numel()) ** 0.5
        elif name.endswith("weight"):
            values = 1 + 0.2 * values
        else:
            values = 0.1 * values
        drawn[name] = values
    drawn["attention_tconv.weight"] *= 0.05
    drawn["attention_tconv.bias"] += 2  # else the ReLU may cut every score
    return drawn


def batch_norm(x: Tensor, state: dict[str, Tensor], name: str, training: bool) -> Tensor:
    mean, var, weight, bias = (
        state[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
    )
    if training:
        over = [dim for dim in range(x.dim()) if dim != 1]
        mean, var = x.mean(dim=over), x.var(dim=over, correction=0)
    shape = (1, -1) + (1,) * (x.dim() - 2)
    return (x - mean.view(shape)) / (var.view(shape) + 1e-5).sqrt() * weight.view(shape) + bias.view(shape)


def first_norm(x: Tensor, state: dict[str, Tensor], name: str, training: bool) -> Tensor:
    if f"{name}.IN.weight" not in state:
        return batch_norm(x, state, name, training)
    half = x.shape[1] // 2
    low, high = x[:, :half], x[:, half:]
    low = (low - low.mean(dim=(2, 3), keepdim=True)) / (
        low.var(dim=(2, 3), correction=0, keepdim=True) + 1e-5
    ).sqrt()
    low = low * state[f"{name}.IN.weight"].view(1, -1, 1, 1) + state[f"{name}.IN.bias"].view(1, -1, 1, 1)
    return torch.cat((low, batch_norm(high, state, f"{name}.BN", training)), dim=1)


def released_forward(state: dict[str, Tensor], clips: Tensor, training: bool) -> dict[str, Tensor]:
    x = F.conv2d(clips.flatten(0, 1), state["base.conv1.weight"], stride=2, padding=3)
    x = F.max_pool2d(F.relu(batch_norm(x, state, "base.bn1", training)), 3, stride=2, padding=1)
    for layer, (count, _, first_stride) in LAYERS.items():
        for index in range(count):
            block, stride = f"base.{layer}.{index}", first_stride if index == 0 else 1
            shortcut = x
            y = F.conv2d(x, state[f"{block}.conv1.weight"])
            y = F.relu(first_norm(y, state, f"{block}.bn1", training))
            y = F.conv2d(y, state[f"{block}.conv2.weight"], stride=stride, padding=1)
            y = F.relu(batch_norm(y, state, f"{block}.bn2", training))
            y = batch_norm(F.conv2d(y, state[f"{block}.conv3.weight"]), state, f"{block}.bn3", training)
            if index == 0:
                shortcut = F.conv2d(x, state[f"{block}.downsample.0.weight"], stride=stride)
                shortcut = batch_norm(shortcut, state, f"{block}.downsample.1", training)
            x = F.relu(y + shortcut)
    batch, length = clips.shape[:2]
    hidden = F.relu(F.conv2d(x, state["attention_conv.weight"], state["attention_conv.bias"]))
    hidden = hidden.view(batch, length, 256).transpose(1, 2)
    scores = F.relu(
        F.conv1d(hidden, state["attention_tconv.weight"], state["attention_tconv.bias"], padding=1)
    )
    scores = scores.view(batch, length)
    weights = scores.softmax(dim=1)
    means = x.mean(dim=(2, 3)).view(batch, length, 2048)
    pooled = sum(weights[:, t, None] * means[:, t] for t in range(length))
    feature = batch_norm(pooled, state, "bottleneck", training)
    probabilities, inner = [], []
    for action in range(ACTIONS):
        name = f"class_{action}"
        h = F.linear(feature, state[f"{name}.add_block.0.weight"], state[f"{name}.add_block.0.bias"])
        h = F.leaky_relu(batch_norm(h, state, f"{name}.add_block.1", training), 0.1)  # dropout is off
        z = F.linear(h, state[f"{name}.classifier.0.weight"], state[f"{name}.classifier.0.bias"])
        probabilities.append(z.sigmoid())
        inner.append(h)
    return {
        "logits": F.linear(feature, state["classifier.weight"]),
        "feature": feature,
        "pooled": pooled,
        "scores": scores,
        "probabilities": torch.cat(probabilities, dim=1),
        "hidden": torch.stack(inner, dim=1),
    }


def model(
    frame_size: tuple[int, int], name: str = "resnet50_ibn_a", num_actions: int = ACTIONS
) -> JointModel:
    """A copy of its own of what is built once: the tests load weights into it."""
    built = copy.deepcopy(_built(name, frame_size, num_actions))
    if built.actions is not None:
        built.actions.dropout.p = 0.0
    return built


@cache
def _built(name: str, frame_size: tuple[int, int], num_actions: int) -> JointModel:
    return build_joint(
        name, CLASSES, frame_size=frame_size, num_actions=num_actions, action_activation="leaky_relu"
    )


def clips(batch: int, length: int, frame_size: tuple[int, int]) -> Tensor:
    return torch.randn(batch, length, 3, *frame_size, generator=torch.Generator().manual_seed(5))


def compare(
    frame_size: tuple[int, int], batch: int, training: bool, dtype: torch.dtype, names: list[str]
) -> None:
    state = tensors((frame_size[0] // 16, frame_size[1] // 16))
    assert len(state) == 426
    state = {
        name: tensor.to(dtype) if tensor.is_floating_point() else tensor for name, tensor in state.items()
    }
    x = clips(batch, 4 if batch > 1 else 2, frame_size).to(dtype)
    ours = model(frame_size).train(training).to(dtype)
    load_released(ours, state)
    with torch.no_grad():
        expected, output = released_forward(state, x, training), ours(x)
    assert expected["scores"].std() > 0.01
    found = {
        **output._asdict(),
        "probabilities": output.action_logits.sigmoid(),
        "hidden": output.action_hidden,
    }
    for name in names:
        scale = expected[name].abs().max().item()
        torch.testing.assert_close(found[name], expected[name], rtol=1e-4, atol=1e-4 * scale, msg=name)


ALL = ["logits", "feature", "pooled", "scores", "probabilities", "hidden"]


def test_gives_the_released_outputs_in_evaluation() -> None:
    compare((64, 32), 4, training=False, dtype=torch.float32, names=ALL)


@pytest.mark.slow
def test_gives_the_released_outputs_at_the_papers_size() -> None:
    compare((224, 112), 1, training=False, dtype=torch.float32, names=ALL)


@pytest.mark.slow
def test_gives_the_released_outputs_in_training() -> None:
    compare((64, 32), 4, training=True, dtype=torch.float64, names=ALL)


def test_gives_the_released_outputs_in_training_in_single_precision() -> None:
    # behind the BN neck the rounding of either side is blown up by the small differences between 4 clips
    compare((64, 32), 4, training=True, dtype=torch.float32, names=["pooled", "scores"])


def test_every_tensor_arrives() -> None:
    state = tensors((4, 2))
    ours = model((64, 32))
    for tensor in ours.state_dict().values():
        tensor.fill_(-7)
    load_released(ours, {f"{name}": tensor for name, tensor in state.items()})
    assert not [name for name, tensor in ours.state_dict().items() if (tensor == -7).any()]
    assert sum(t.numel() for n, t in ours.state_dict().items() if "num_batches" not in n) == sum(
        t.numel() for n, t in state.items() if "num_batches" not in n
    )


def test_from_a_file_of_data_parallel(tmp_path: Path) -> None:
    state = tensors((4, 2))
    torch.save({f"module.{name}": tensor for name, tensor in state.items()}, tmp_path / "released.pth")
    ours = model((64, 32))
    load_released(ours, tmp_path / "released.pth")
    torch.testing.assert_close(ours.classifier.weight, state["classifier.weight"])


def test_plain_resnet_of_the_released_code() -> None:
    """There the backbone is a torchvision network cut into a sequence, so that its parts are numbered."""
    numbers = {"conv1": 0, "bn1": 1, "layer1": 4, "layer2": 5, "layer3": 6, "layer4": 7}
    state = {}
    for name, tensor in tensors((4, 2), ibn=False).items():
        parts = name.split(".")
        if parts[0] == "base":
            parts[1] = str(numbers[parts[1]])
        state[".".join(parts)] = tensor
    ours = model((64, 32), "resnet50")
    load_released(ours, state)
    torch.testing.assert_close(ours.base.layer3[2].conv2.weight, state["base.6.2.conv2.weight"])


def test_without_actions() -> None:
    """Checkpoints of the same authors' earlier system have no action blocks."""
    state = {name: tensor for name, tensor in tensors((4, 2)).items() if not name.startswith("class_")}
    ours = model((64, 32), num_actions=0)
    load_released(ours, state)
    torch.testing.assert_close(ours.temporal.tconv.weight, state["attention_tconv.weight"])


def test_errors_name_what_differs() -> None:
    state = tensors((4, 2))
    ours = model((64, 32))
    with pytest.raises(ValueError, match="no checkpoint of a released code that is known"):
        load_released(ours, {"classifier.weight": state["classifier.weight"]})
    cut = {**state, "classifier.weight": torch.zeros(625, 2048)}
    message = r"in 1 tensors \(classifier.weight: checkpoint \(625, 2048\), model \(7, 2048\)\); build the model with"
    with pytest.raises(ValueError, match=message):
        load_released(ours, cut)
    without_actions = {name: tensor for name, tensor in state.items() if not name.startswith("class_")}
    with pytest.raises(ValueError, match=r"in 8 tensors \(actions\.bias: checkpoint nothing, model \(8,\)"):
        load_released(ours, without_actions)
    with pytest.raises(ValueError, match=r"in 1 tensors \(base\.conv9: checkpoint \(3,\), model nothing\)"):
        load_released(ours, {**state, "base.conv9": torch.zeros(3)})
    del cut["class_3.add_block.1.bias"]
    with pytest.raises(ValueError, match=r"lacks class_3\.add_block\.1\.bias"):
        from_released(cut)


def test_recognises_itself() -> None:
    state = tensors((4, 2))
    assert is_released(state)
    assert not is_released(from_released(state))
