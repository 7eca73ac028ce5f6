import pytest
import torch
from torch import nn

from reidar_plugin.errors import ConfigError
from reidar_plugin.models.ap3d.convolution import AlignedConvolution
from reidar_plugin.models.ap3d.non_local import NonLocal
from reidar_plugin.models.ap3d.trunk import align_frames
from reidar_plugin.models.backbones import build_backbone
from reidar_plugin.models.clip_layer import maps_of_clips
from reidar_plugin.models.trunks import build_trunk

pytestmark = pytest.mark.usefixtures("quick_weights")


def places(network: nn.Module, kind: type[nn.Module]) -> list[str]:
    return [name for name, layer in network.named_modules() if isinstance(layer, kind)]


def test_stands_where_the_paper_puts_it() -> None:
    network = build_trunk("ap3d_nl_resnet50", frame_size=(64, 32)).network
    assert places(network, AlignedConvolution) == [
        *("layer2.0.conv2", "layer2.3.conv2"),  # block 2 stands behind a non-local block
        *("layer3.0.conv2", "layer3.3.conv2", "layer3.6.conv2"),
    ]
    assert places(network, NonLocal) == ["layer2.2", "layer2.5", "layer3.2", "layer3.5", "layer3.8"]
    plain = build_trunk("ap3d_resnet50", frame_size=(64, 32)).network
    assert places(plain, AlignedConvolution)[-1] == "layer3.4.conv2"
    assert not places(plain, NonLocal)


#: parameters of the public code's networks, which also have a shift of the neck and one of the classifier
@pytest.mark.parametrize(
    ("name", "public"), [("ap3d_resnet50", 25_523_953), ("ap3d_nl_resnet50", 32_882_417)]
)
def test_parameters_are_those_of_the_public_code(name: str, public: int) -> None:
    network = build_trunk(name, frame_size=(64, 32)).network
    head = 2 * 2048 + (2048 + 1) * 625
    assert sum(p.numel() for p in network.parameters()) + head == public


@pytest.mark.parametrize(
    "name", ["ap3d_resnet18", "ap3d_nl_resnet18", "ap3d_nl_resnet50_ibn_a", "ap3d_se_resnet50"]
)
@pytest.mark.parametrize("length", [1, 3])
@torch.no_grad()
def test_starts_as_the_plain_network(name: str, length: int) -> None:
    torch.manual_seed(0)
    plain = build_backbone(name.removeprefix("ap3d_").removeprefix("nl_"), frame_size=(64, 32))
    torch.manual_seed(0)
    made = build_trunk(name, frame_size=(64, 32))
    assert (made.name, made.channels, made.map_size) == (name, plain.channels, plain.map_size)
    clips = torch.randn(2, length, 3, 64, 32)
    expected = plain.maps(plain.network.eval(), clips.flatten(0, 1)).unflatten(0, (2, length))
    torch.testing.assert_close(maps_of_clips(made.network.eval(), made.maps, clips), expected)


@torch.no_grad()
def test_frames_then_see_their_neighbours() -> None:
    made = build_trunk("ap3d_resnet18", frame_size=(64, 32))
    for name in places(made.network, AlignedConvolution):
        nn.init.normal_(made.network.get_submodule(name).temporal.weight, std=0.02)
    clips = torch.randn(2, 5, 3, 64, 32)
    other = clips.clone()
    other[1, 0] += 1
    one, two = (maps_of_clips(made.network.eval(), made.maps, each) for each in (clips, other))
    changed = (one != two).flatten(2).any(dim=2)
    # two such convolutions reach two frames far, and into no other clip
    assert changed.tolist() == [[False] * 5, [True, True, True, False, False]]


def test_non_local_blocks_pool_once_more() -> None:
    with pytest.raises(ConfigError, match=r"AP3D-NL on resnet18 gives no feature maps for frames of 32 x 16"):
        build_trunk("ap3d_nl_resnet18", frame_size=(32, 16))
    assert build_trunk("ap3d_nl_resnet18", frame_size=(32, 32)).map_size == (2, 2)


def test_needs_a_resnet() -> None:
    with pytest.raises(ValueError, match="AP3D takes the stages of a ResNet, and osnet_x0_25 has none"):
        align_frames(build_backbone("osnet_x0_25", frame_size=(64, 32)))
