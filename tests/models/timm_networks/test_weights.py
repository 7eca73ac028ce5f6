"""Weights of files, and what is said where none can be fetched; nothing here goes to a network."""

import hashlib
from pathlib import Path

import pytest
import torch
from torch import Tensor

from reidar_plugin.errors import ConfigError
from reidar_plugin.models.timm_networks import build_timm
from reidar_plugin.models.weights import WeightsError, WeightsMissingError
from tests.models.timm_networks.small import timm

SQUARE = {"img_size": (64, 64)}


def published(name: str = "test_vit", **size: object) -> dict[str, Tensor]:
    """What timm would publish: with its classifier."""
    torch.manual_seed(3)
    return timm.create_model(name, pretrained=False, **size).state_dict()


def test_a_file_fills_the_trunk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tensors = published("test_resnet")
    torch.save(
        {"state_dict": {f"module.{key}": value for key, value in tensors.items()}}, file := tmp_path / "w.pth"
    )
    made = build_timm("test_resnet", pretrained=True, frame_size=(64, 32), weights=str(file))
    assert all(torch.equal(value, tensors[key]) for key, value in made.network.state_dict().items())
    assert f"timm_test_resnet: {len(tensors) - 2} tensors loaded from {file}" in capsys.readouterr().out
    assert "state_dict" not in made.network.pretrained_cfg


def test_position_embeddings_are_interpolated(tmp_path: Path) -> None:
    """Those of a square picture that rise from row to row do so in a person's frame, whose rows are more."""
    tensors = published(**SQUARE)
    rows = torch.arange(4.0)[:, None].expand(4, 4).reshape(1, 16, 1)
    tensors["pos_embed"] = torch.cat([torch.full((1, 1, 64), 9.0), rows.expand(1, 16, 64)], dim=1)
    torch.save(tensors, file := tmp_path / "w.pth")
    made = build_timm("test_vit", pretrained=True, frame_size=(128, 64), weights=str(file))
    position = made.network.pos_embed
    assert position.shape == (1, 1 + 8 * 4, 64)
    assert torch.equal(position[:, 0], tensors["pos_embed"][:, 0])
    found = position[0, 1:, 0].unflatten(0, (8, 4))
    torch.testing.assert_close(found[:, 0], found[:, 3])
    square = rows.reshape(1, 1, 4, 4)
    expected = torch.nn.functional.interpolate(square, (8, 4), mode="bicubic", antialias=True)
    assert (found[1:] > found[:-1]).all()
    torch.testing.assert_close(found, expected[0, 0])
    assert torch.equal(made.network.blocks[0].attn.qkv.weight, tensors["blocks.0.attn.qkv.weight"])


def test_as_many_patches_that_lie_otherwise_are_refused(tmp_path: Path) -> None:
    torch.save(published(), file := tmp_path / "w.pth")  # of 160 x 160 pixels, 10 x 10 patches
    with pytest.raises(
        ConfigError, match=r"of 10 x 10 patches and cannot serve as many in 20 x 5: set data.height"
    ):
        build_timm("test_vit", pretrained=True, frame_size=(320, 80), weights=str(file))
    assert build_timm("test_vit", frame_size=(320, 80)).map_size == (20, 5)


def test_safetensors(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    tensors = published("test_resnet")
    save_file(tensors, file := tmp_path / "w.safetensors")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    made = build_timm("test_resnet", pretrained=True, frame_size=(64, 32), weights=str(file), sha256=digest)
    assert torch.equal(made.network.conv1[0].weight, tensors["conv1.0.weight"])
    with pytest.raises(WeightsError, match="has the SHA-256"):
        build_timm("test_resnet", pretrained=True, frame_size=(64, 32), weights=str(file), sha256="0" * 64)


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissingError, match=r"no file of weights at .*nothing.safetensors"):
        build_timm("test_vit", pretrained=True, weights=str(tmp_path / "nothing.safetensors"))
    tensors = published("test_resnet")
    del tensors["layer2.0.bn1.weight"]
    torch.save(tensors, file := tmp_path / "w.pth")
    with pytest.raises(
        WeightsError, match=r"does not fit timm's test_resnet: .*layer2\.0\.bn1\.weight.*"
    ) as caught:
        build_timm("test_resnet", pretrained=True, frame_size=(64, 32), weights=str(file))
    assert "\n" not in str(caught.value)
    with pytest.raises(WeightsError, match="has the SHA-256"):
        build_timm("test_resnet", pretrained=True, weights=str(file), sha256="0" * 64)


def test_what_cannot_be_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def offline(name: str, **options: object) -> None:
        asked.append((name, options))
        raise OSError("no route to the hub. A long story")

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(
        WeightsMissingError, match=r"timm could not fetch its weights of test_vit \(OSError: no route"
    ):
        build_timm("test_vit", pretrained=True, frame_size=(64, 32))
    assert asked == [("test_vit", {"pretrained": True, "num_classes": 0, "img_size": (64, 32)})]
    without = next(name for name in timm.list_models("resnetv2*") if not timm.list_pretrained(f"{name}.*"))
    with pytest.raises(
        WeightsMissingError, match=f"timm has no pretrained weights of {without}; name a file in"
    ):
        build_timm(without, pretrained=True)
    assert len(asked) == 1
