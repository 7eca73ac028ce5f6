"""AP3D's public network, written down a second time with plain functions on a dict of tensors."""

import zlib

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from reidar_plugin.models.joint import build_joint
from reidar_plugin.models.released import from_released, is_released, load_released
from reidar_plugin.models.weights import WeightsError

pytestmark = pytest.mark.usefixtures("quick_weights")

CLASSES = 5
#: stage -> blocks, width, stride of the first block, blocks with APP3DC, blocks before a non-local block
STAGES = {
    1: (3, 64, 1, (), ()),
    2: (4, 128, 2, (0, 2), (1, 3)),
    3: (6, 256, 2, (0, 2, 4), (1, 3, 5)),
    4: (3, 512, 1, (), ()),
}


def layout(non_local: bool) -> dict[int, list[tuple[str, str]]]:
    """Of each stage, the name and the kind of every layer: plain, aligned or non-local."""
    found: dict[int, list[tuple[str, str]]] = {}
    for stage, (blocks, _, _, aligned, before) in STAGES.items():
        kinds = []
        for block in range(blocks):
            kinds.append("aligned" if block in aligned else "plain")
            if non_local and block in before:
                kinds.append("non-local")
        found[stage] = [(f"layer{stage}.{number}", kind) for number, kind in enumerate(kinds)]
    return found


def shapes(non_local: bool) -> dict[str, tuple[int, ...]]:
    """Names and shapes in a public checkpoint."""
    found: dict[str, tuple[int, ...]] = {}

    def norm(name: str, width: int) -> None:
        for part in ("weight", "bias", "running_mean", "running_var"):
            found[f"{name}.{part}"] = (width,)
        found[f"{name}.num_batches_tracked"] = ()

    def kernel(name: str, out: int, inside: int, size: tuple[int, int, int] = (1, 1, 1)) -> None:
        found[f"{name}.weight"] = (out, inside, *size)

    kernel("conv1", 64, 3, (1, 7, 7))
    norm("bn1", 64)
    inside = 64
    for stage, layers in layout(non_local).items():
        width = STAGES[stage][1]
        for number, (name, kind) in enumerate(layers):
            if kind == "non-local":
                for part in ("g.0", "theta", "phi.0"):
                    kernel(f"{name}.{part}", 2 * width, 4 * width)
                    found[f"{name}.{part}.bias"] = (2 * width,)
                kernel(f"{name}.W.0", 4 * width, 2 * width)
                found[f"{name}.W.0.bias"] = (4 * width,)
                norm(f"{name}.W.1", 4 * width)
                continue
            kernel(f"{name}.conv1", width, inside)
            norm(f"{name}.bn1", width)
            if kind == "aligned":
                kernel(f"{name}.conv2.spatial_conv3d", width, width, (1, 3, 3))
                kernel(f"{name}.conv2.temporal_conv3d", width, width, (3, 1, 1))
                for part in ("semantic_mapping", "x_mapping", "n_mapping"):
                    kernel(f"{name}.conv2.APM.{part}", width // 16, width)
                kernel(f"{name}.conv2.APM.contrastive_att_net.0", 1, width // 16)
            else:
                kernel(f"{name}.conv2", width, width, (1, 3, 3))
            norm(f"{name}.bn2", width)
            kernel(f"{name}.conv3", 4 * width, width)
            norm(f"{name}.bn3", 4 * width)
            if number == 0:
                kernel(f"{name}.downsample.0", 4 * width, inside)
                norm(f"{name}.downsample.1", 4 * width)
            inside = 4 * width
    norm("bn", 2048)
    found["classifier.weight"], found["classifier.bias"] = (CLASSES, 2048), (CLASSES,)
    return found


def checkpoint(non_local: bool) -> dict[str, Tensor]:
    """Values by a fixed rule: each tensor is drawn from a generator that its name seeds."""
    drawn = {}
    for name, shape in shapes(non_local).items():
        values = torch.randn(shape, generator=torch.Generator().manual_seed(zlib.crc32(name.encode())))
        if name.endswith("num_batches_tracked"):
            values = torch.tensor(3)
        elif name.endswith("running_var"):
            values = 0.5 + values.abs()
        elif len(shape) > 1:
            values = values * (2 / values[0].numel()) ** 0.5
        else:
            values = 0.1 * values + (1 if name.endswith("weight") else 0)
        drawn[name] = values
    return drawn


def definition(w: dict[str, Tensor], x: Tensor, non_local: bool) -> Tensor:
    """The feature ``(B, 2048)`` of clips ``(B, 3, T, H, W)`` at test."""

    def conv(name: str, x: Tensor, stride: int = 1) -> Tensor:
        kernel = w[f"{name}.weight"]
        pad = (0, kernel.shape[3] // 2, kernel.shape[4] // 2)
        return F.conv3d(x, kernel, w.get(f"{name}.bias"), (1, stride, stride), pad)

    def norm(name: str, x: Tensor) -> Tensor:
        return F.batch_norm(x, *(w[f"{name}.{p}"] for p in ("running_mean", "running_var", "weight", "bias")))

    def redrawn(name: str, here: Tensor, there: Tensor) -> Tensor:
        semantic = [F.normalize(conv(f"{name}.semantic_mapping", f), dim=1).flatten(2) for f in (here, there)]
        weights = (4 * torch.einsum("bci,bcj->bij", *semantic)).softmax(dim=2)
        seen = torch.einsum("bij,bcj->bci", weights, there.flatten(2)).view_as(there)
        both = conv(f"{name}.x_mapping", here) * conv(f"{name}.n_mapping", seen)
        return seen * conv(f"{name}.contrastive_att_net.0", both).sigmoid()

    def app3dc(name: str, x: Tensor, stride: int) -> Tensor:
        x = conv(f"{name}.spatial_conv3d", x, stride)
        frames = x.split(1, dim=2)
        mixed = []
        for t, frame in enumerate(frames):
            near = [frames[t + d] if 0 <= t + d < len(frames) else None for d in (-1, 1)]
            one, two = (
                torch.zeros_like(frame) if f is None else redrawn(f"{name}.APM", frame, f) for f in near
            )
            mixed.append(F.conv3d(torch.cat([one, frame, two], dim=2), w[f"{name}.temporal_conv3d.weight"]))
        return x + torch.cat(mixed, dim=2)

    def far(name: str, x: Tensor) -> Tensor:
        key, value = (F.max_pool3d(conv(f"{name}.{p}", x), (1, 2, 2)).flatten(2) for p in ("phi.0", "g.0"))
        weights = torch.einsum("bci,bcj->bij", conv(f"{name}.theta", x).flatten(2), key).softmax(dim=2)
        seen = torch.einsum("bij,bcj->bci", weights, value)
        return x + norm(f"{name}.W.1", conv(f"{name}.W.0", seen.unflatten(2, x.shape[2:])))

    x = F.max_pool3d(norm("bn1", conv("conv1", x, 2)).relu(), (1, 3, 3), (1, 2, 2), (0, 1, 1))
    for stage, layers in layout(non_local).items():
        for number, (name, kind) in enumerate(layers):
            if kind == "non-local":
                x = far(name, x)
                continue
            stride = STAGES[stage][2] if number == 0 else 1
            y = norm(f"{name}.bn1", conv(f"{name}.conv1", x)).relu()
            middle = app3dc if kind == "aligned" else conv
            y = norm(f"{name}.bn2", middle(f"{name}.conv2", y, stride)).relu()
            y = norm(f"{name}.bn3", conv(f"{name}.conv3", y))
            if number == 0:
                x = norm(f"{name}.downsample.1", conv(f"{name}.downsample.0", x, stride))
            x = (x + y).relu()
    return norm("bn", x.amax(dim=(3, 4)).mean(dim=2))


@pytest.mark.parametrize(("name", "non_local"), [("ap3d_resnet50", False), ("ap3d_nl_resnet50", True)])
@torch.no_grad()
def test_a_public_checkpoint_gives_its_outputs(name: str, non_local: bool) -> None:
    tensors = checkpoint(non_local)
    assert is_released(tensors)
    model = build_joint(name, CLASSES, pooling="peak", frame_size=(64, 32)).eval()
    load_released(model, tensors)
    clips = torch.randn(1, 3, 3, 64, 32, generator=torch.Generator().manual_seed(0))
    output = model(clips)
    feature = definition(tensors, clips.transpose(1, 2), non_local)
    assert feature.std() > 0.1
    torch.testing.assert_close(output.feature, feature, rtol=1e-3, atol=1e-3 * float(feature.abs().max()))
    logits = F.linear(feature, tensors["classifier.weight"])  # its shift is left out
    torch.testing.assert_close(output.logits, logits, rtol=1e-3, atol=1e-3 * float(logits.abs().max()))


def test_every_tensor_must_have_its_place() -> None:
    tensors = checkpoint(non_local=False)
    assert "base.layer2.0.conv2.align.own.weight" in from_released(tensors)
    del tensors["layer2.0.conv2.APM.x_mapping.weight"]
    model = build_joint("ap3d_resnet50", CLASSES, pooling="peak", frame_size=(64, 32))
    with pytest.raises(
        WeightsError, match=r"not fit .* 1 tensors \(base.layer2.0.conv2.align.own.weight: checkpoint nothing"
    ):
        load_released(model, tensors)
