"""TCLNet's public network, written down a second time on a dict of tensors, and where these go."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from reidar_plugin.models.joint import build_joint
from reidar_plugin.models.released import from_released, is_released, load_released
from reidar_plugin.models.weights import WeightsError

pytestmark = pytest.mark.usefixtures("quick_weights")

CLASSES = 5


def checkpoint() -> dict[str, Tensor]:
    """Names and shapes as the public code makes them, written down anew."""
    found: dict[str, Tensor] = {}

    def kernel(*shape: int) -> Tensor:
        return torch.randn(shape) * (2 / torch.Size(shape[1:]).numel()) ** 0.5

    def norm(name: str, width: int) -> None:
        for part in ("weight", "bias", "running_mean", "running_var"):
            found[f"{name}.{part}"] = torch.rand(width) + 0.5
        found[f"{name}.num_batches_tracked"] = torch.tensor(3)

    def block(name: str, inside: int, width: int, *, first: bool, flat: bool) -> None:
        time = () if flat else (1,)
        for number, (out, into, size) in enumerate(
            [(width, inside, 1), (width, width, 3), (4 * width, width, 1)], 1
        ):
            found[f"{name}.conv{number}.weight"] = kernel(out, into, *time, size, size)
            norm(f"{name}.bn{number}", out)
        if first:
            found[f"{name}.downsample.0.weight"] = kernel(4 * width, inside, *time, 1, 1)
            norm(f"{name}.downsample.1", 4 * width)

    found["conv1.weight"] = kernel(64, 3, 1, 7, 7)
    norm("bn1", 64)
    inside = 64
    for stage, (blocks, width) in enumerate([(3, 64), (4, 128), (6, 256)], 1):
        for number in range(blocks):
            block(f"layer{stage}.{number}", inside, width, first=number == 0, flat=False)
            inside = 4 * width
    found["layer2.4.W.0.weight"], found["layer2.4.W.0.bias"] = kernel(512, 512, 1, 1), torch.randn(512)
    norm("layer2.4.W.1", 512)
    block("TSE_Module.layer4.0", 1024, 512, first=True, flat=True)
    block("TSE_Module.layer4.1", 2048, 512, first=False, flat=True)
    found["TSE_Module.conv_reduce.weight"] = kernel(1024, 2048, 1, 1)
    found["TSE_Module.conv_erase.0.weight"] = kernel(1024, 1024, 1, 1)
    found["TSE_Module.conv_erase.0.bias"] = torch.randn(1024)
    norm("TSE_Module.conv_erase.1", 1024)
    for branch in (0, 1):
        block(f"TSE_Module.branch.{branch}", 2048, 512, first=False, flat=True)
        norm(f"bn.{branch}", 2048)
        found[f"classifier.{branch}.weight"] = kernel(CLASSES, 2048)
        found[f"classifier.{branch}.bias"] = torch.randn(CLASSES)
    return found


def test_every_tensor_finds_its_place() -> None:
    tensors = checkpoint()
    public = sum(
        value.numel() for name, value in tensors.items() if "running" not in name and "num_" not in name
    )
    assert (
        public == 33_952_546 - 620 * 2 * 2049
    )  # that is the number of the public code's parameters for 625 people
    assert is_released(tensors)
    model = build_joint("tclnet_resnet50", CLASSES, pooling="peak", frame_size=(64, 32))
    load_released(model, tensors)
    assert torch.equal(model.base.layer3[2].conv2.weight, tensors["layer3.2.conv2.weight"][:, :, 0])
    assert torch.equal(model.base.layer4.shared[1].conv1.weight, tensors["TSE_Module.layer4.1.conv1.weight"])
    for branch, part in enumerate((slice(0, 2048), slice(2048, 4096))):
        kernel = tensors[f"TSE_Module.branch.{branch}.conv3.weight"]
        assert torch.equal(model.base.layer4.branches[branch].conv3.weight, kernel)
        assert torch.equal(model.bottleneck.bias[part], tensors[f"bn.{branch}.bias"])
        assert torch.equal(model.bottleneck.running_var[part], tensors[f"bn.{branch}.running_var"])
        assert torch.equal(model.classifier.weight[:, part], tensors[f"classifier.{branch}.weight"])
    del tensors["TSE_Module.conv_reduce.weight"]
    with pytest.raises(WeightsError, match=r"1 tensors \(base.layer4.reduce.weight: checkpoint nothing"):
        load_released(model, tensors)


@pytest.mark.parametrize("name", ["classifier.1.weight", "bn.0.running_mean"])
def test_both_branches_must_be_whole(name: str) -> None:
    tensors = checkpoint()
    del tensors[name]
    with pytest.raises(WeightsError, match=f"lacks {name}: both branches"):
        from_released(tensors)


@pytest.mark.parametrize("name", ["bn.2.weight", "classifier.0.more"])
def test_what_has_no_place_is_told(name: str) -> None:
    with pytest.raises(WeightsError, match=rf"1 tensors \({name}: checkpoint \(2,\), model nothing"):
        load_released(
            build_joint("tclnet_resnet50", CLASSES, pooling="peak", frame_size=(64, 32)),
            {**checkpoint(), name: torch.ones(2)},
        )


def definition(w: dict[str, Tensor], clip: Tensor) -> Tensor:
    """Of one clip ``(T, 3, H, W)`` the feature of branch 0, then that of branch 1, at test."""

    def conv(name: str, x: Tensor, stride: int = 1) -> Tensor:
        kernel = w[f"{name}.weight"].reshape(*w[f"{name}.weight"].shape[:2], *w[f"{name}.weight"].shape[-2:])
        return F.conv2d(x, kernel, w.get(f"{name}.bias"), stride, kernel.shape[-1] // 2)

    def norm(name: str, x: Tensor) -> Tensor:
        return F.batch_norm(x, *(w[f"{name}.{p}"] for p in ("running_mean", "running_var", "weight", "bias")))

    def block(name: str, x: Tensor, stride: int = 1) -> Tensor:
        y = norm(f"{name}.bn1", conv(f"{name}.conv1", x)).relu()
        y = norm(f"{name}.bn2", conv(f"{name}.conv2", y, stride)).relu()
        y = norm(f"{name}.bn3", conv(f"{name}.conv3", y))
        if f"{name}.downsample.0.weight" in w:
            x = norm(f"{name}.downsample.1", conv(f"{name}.downsample.0", x, stride))
        return (x + y).relu()

    def mean(frame: Tensor) -> Tensor:
        return frame.mean(dim=(-2, -1))

    def boosted(frames: Tensor) -> Tensor:
        name, (length, _, height, width) = "layer2.4.W", frames.shape
        found = []
        for t in range(length):
            scores, places = [], []
            for u, i, j in (
                (u, i, j) for u in range(length) for i in range(height) for j in range(width) if u != t
            ):
                around = frames[u, :, max(i - 1, 0) : i + 1, max(j - 1, 0) : j + 1].sum(dim=(1, 2)) / 4
                scores.append(5 * F.cosine_similarity(mean(frames[t]), around, dim=0))
                places.append(frames[u, :, i, j])
            seen = torch.stack(scores).softmax(dim=0) @ torch.stack(places)
            found.append(frames[t] + norm(f"{name}.1", conv(f"{name}.0", seen[None, :, None, None]))[0])
        return torch.stack(found)

    def erased(frame: Tensor, stays: Tensor, likeness: Tensor) -> Tensor:
        weights = likeness[stays].softmax(dim=0)
        seen = (frame[:, stays] @ weights)[None, :, None, None]
        said = norm("TSE_Module.conv_erase.1", conv("TSE_Module.conv_erase.0", seen))
        shown = (frame * stays)[None] + said
        return block("TSE_Module.layer4.1", block("TSE_Module.layer4.0", shown))

    x = F.max_pool2d(norm("bn1", conv("conv1", clip, 2)).relu(), 3, 2, 1)
    for stage, blocks in ((1, 3), (2, 4), (3, 6)):
        for number in range(blocks):
            x = block(f"layer{stage}.{number}", x, 2 if stage > 1 and number == 0 else 1)
        if stage == 2:
            x = boosted(x)
    height = x.shape[2]
    branches: tuple[list[Tensor], list[Tensor]] = ([], [])
    for first, second in zip(x[0::2], x[1::2], strict=True):
        everywhere = torch.ones(x.shape[2:], dtype=torch.bool)
        one = block("TSE_Module.branch.0", erased(first, everywhere, x.new_zeros(x.shape[2:])))
        key = conv("TSE_Module.conv_reduce", mean(one)[..., None, None]).flatten()
        likeness = torch.einsum("c,chw->hw", key, second) / key.numel() ** 0.5
        rows = likeness.mean(dim=1)
        sums = [rows[max(r - 1, 0) : r + 2].sum() for r in range(height)]
        best = max(range(height), key=lambda r: float(sums[r]))
        stays = everywhere.clone()
        stays[max(best - 1, 0) : best + 2] = False
        two = block("TSE_Module.branch.1", erased(second, stays, likeness))
        for found, maps in zip(branches, (one, two), strict=True):
            found.append(maps[0].amax(dim=(1, 2)))
    return torch.cat([norm(f"bn.{b}", torch.stack(branches[b]).mean(dim=0)[None])[0] for b in (0, 1)])


@torch.no_grad()
def test_a_public_checkpoint_gives_its_outputs() -> None:
    tensors = {
        name: value.double() if value.is_floating_point() else value for name, value in checkpoint().items()
    }
    assert is_released(tensors)
    model = build_joint("tclnet_resnet50", CLASSES, pooling="peak", frame_size=(64, 32)).double().eval()
    load_released(model, tensors)
    clips = torch.randn(1, 4, 3, 64, 32, dtype=torch.float64)
    expected = definition(tensors, clips[0])
    output = model(clips)
    assert expected.std() > 0.1
    swapped = torch.cat(expected.chunk(2)[::-1])
    assert (expected - swapped).abs().max() > 0.1 * expected.abs().max()
    torch.testing.assert_close(
        output.feature[0], expected, rtol=1e-8, atol=1e-8 * float(expected.abs().max())
    )
    kernels = [tensors[f"classifier.{branch}.weight"] for branch in (0, 1)]  # their shifts are left out
    logits = sum(kernel @ part for kernel, part in zip(kernels, expected.chunk(2), strict=True))
    torch.testing.assert_close(output.logits[0], logits, rtol=1e-7, atol=1e-7 * float(logits.abs().max()))
