import pytest
import torch

from reidar_plugin.errors import ConfigError
from reidar_plugin.models.backbones import build_backbone
from reidar_plugin.models.timm_networks import build_timm
from tests.models.timm_networks.small import NETWORKS

pytestmark = pytest.mark.usefixtures("small_networks")


@pytest.mark.parametrize("name", [name for name, known in NETWORKS.items() if known.last_stride])
def test_maps_are_twice_as_large(name: str) -> None:
    height, width = NETWORKS[name].map_size
    kept = build_timm(name, frame_size=(64, 32))
    assert kept.map_size == (2 * height, 2 * width)
    assert kept.channels == NETWORKS[name].channels


@torch.no_grad()
def test_a_resnet_is_torchreids() -> None:
    """The same network in both, under the same names of tensors, with its last stride at 1."""
    ours = build_timm("resnet18", frame_size=(64, 32))
    theirs = build_backbone("resnet18", frame_size=(64, 32))
    ours.network.load_state_dict(theirs.network.state_dict())
    frames = torch.randn(2, 3, 64, 32)
    maps = [made.maps(made.network.eval(), frames) for made in (ours, theirs)]
    assert maps[0].shape[2:] == (4, 2)
    torch.testing.assert_close(*maps)


@pytest.mark.parametrize("name", ["test_vit", "mixer_s32_224", "vit_tiny_r_s16_p8_224"])
def test_patches_of_one_size_have_no_last_stride(name: str) -> None:
    made = build_timm(name, frame_size=NETWORKS[name].frame_size, last_stride=1)
    assert made.map_size == NETWORKS[name].map_size


@pytest.mark.parametrize("name", ["test_convnext", "swin_tiny_patch4_window7_224"])
def test_another_halving_is_refused(name: str) -> None:
    with pytest.raises(
        ConfigError, match=f"timm's {name} halves its maps last with something else .*last_stride 2"
    ):
        build_timm(name, frame_size=(64, 32))


def test_neither_one_nor_two() -> None:
    with pytest.raises(ConfigError, match="the last stride must be 1 or 2, got 3"):
        build_timm("test_resnet", frame_size=(64, 32), last_stride=3)
