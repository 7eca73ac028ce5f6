"""That names and shapes of TCLNet's public checkpoints are all taken, and where they go."""

import pytest
import torch
from torch import Tensor

from reidar_plugin.models.joint import build_joint
from reidar_plugin.models.released import is_released, load_released
from reidar_plugin.models.weights import WeightsError

CLASSES = 5


def checkpoint() -> dict[str, Tensor]:
    """Names and shapes as the public code makes them, written down anew."""
    found: dict[str, Tensor] = {}

    def norm(name: str, width: int) -> None:
        for part in ("weight", "bias", "running_mean", "running_var"):
            found[f"{name}.{part}"] = torch.rand(width) + 0.5
        found[f"{name}.num_batches_tracked"] = torch.tensor(3)

    def block(name: str, inside: int, width: int, *, first: bool, flat: bool) -> None:
        time = () if flat else (1,)
        for number, (out, into, size) in enumerate(
            [(width, inside, 1), (width, width, 3), (4 * width, width, 1)], 1
        ):
            found[f"{name}.conv{number}.weight"] = torch.randn(out, into, *time, size, size)
            norm(f"{name}.bn{number}", out)
        if first:
            found[f"{name}.downsample.0.weight"] = torch.randn(4 * width, inside, *time, 1, 1)
            norm(f"{name}.downsample.1", 4 * width)

    found["conv1.weight"] = torch.randn(64, 3, 1, 7, 7)
    norm("bn1", 64)
    inside = 64
    for stage, (blocks, width) in enumerate([(3, 64), (4, 128), (6, 256)], 1):
        for number in range(blocks):
            block(f"layer{stage}.{number}", inside, width, first=number == 0, flat=False)
            inside = 4 * width
    found["layer2.4.W.0.weight"], found["layer2.4.W.0.bias"] = torch.randn(512, 512, 1, 1), torch.randn(512)
    norm("layer2.4.W.1", 512)
    block("TSE_Module.layer4.0", 1024, 512, first=True, flat=True)
    block("TSE_Module.layer4.1", 2048, 512, first=False, flat=True)
    found["TSE_Module.conv_reduce.weight"] = torch.randn(1024, 2048, 1, 1)
    found["TSE_Module.conv_erase.0.weight"] = torch.randn(1024, 1024, 1, 1)
    found["TSE_Module.conv_erase.0.bias"] = torch.randn(1024)
    norm("TSE_Module.conv_erase.1", 1024)
    for branch in (0, 1):
        block(f"TSE_Module.branch.{branch}", 2048, 512, first=False, flat=True)
        norm(f"bn.{branch}", 2048)
        found[f"classifier.{branch}.weight"] = torch.randn(CLASSES, 2048)
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
