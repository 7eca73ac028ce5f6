"""Maps from inside a backbone, beside the ones that its own forward pass makes."""

import copy
import pickle

import pytest
import torch

from reidar_plugin.errors import ConfigError
from reidar_plugin.models.backbones import Backbone, build_backbone
from reidar_plugin.models.stages import keep_maps, stage_channels, stage_names, take_maps

pytestmark = pytest.mark.usefixtures("quick_weights")


def backbone(name: str) -> Backbone:
    torch.manual_seed(0)
    return build_backbone(name, frame_size=(64, 32))


@pytest.mark.parametrize(
    ("name", "stages"),
    [
        ("resnet50_ibn_a", ["conv1", "bn1", "layer1", "layer2", "layer3", "layer4"]),
        ("osnet_x0_25", ["conv1", "conv2", "conv3", "conv4", "conv5"]),
        ("shufflenet", ["conv1", "stage2", "stage3", "stage4"]),
    ],
)
def test_names_of_the_stages(name: str, stages: list[str]) -> None:
    assert stage_names(backbone(name)) == stages


def test_the_maps_are_those_that_the_next_stage_reads() -> None:
    made = backbone("osnet_x0_25")
    assert keep_maps(made, "conv3.1") == 96
    network, x = made.network.eval(), torch.randn(2, 3, 64, 32)
    made.maps(network, x)
    found = take_maps(network, "conv3.1")
    expected = network.conv3[1](network.conv3[0](network.conv2(network.maxpool(network.conv1(x)))))
    torch.testing.assert_close(found, expected)


def test_nothing_is_kept_once_it_was_taken() -> None:
    made = backbone("osnet_x0_25")
    keep_maps(made, "conv2")
    made.maps(made.network, torch.randn(2, 3, 64, 32))
    take_maps(made.network, "conv2")
    twins = copy.deepcopy(made.network), pickle.loads(pickle.dumps(made.network))
    for network in twins:
        made.maps(network, torch.randn(1, 3, 64, 32))
        assert len(take_maps(network, "conv2")) == 1
    with pytest.raises(KeyError):
        take_maps(made.network, "conv2")


def test_measuring_leaves_the_network_as_it_was() -> None:
    made = backbone("osnet_x0_25")
    before = {name: value.clone() for name, value in made.network.state_dict().items()}
    stage_channels(made)
    assert made.network.training
    assert not any(module._forward_hooks for module in made.network.modules())
    for name, value in made.network.state_dict().items():
        assert torch.equal(value, before[name])


def test_an_unknown_stage_lists_the_stages() -> None:
    with pytest.raises(
        ConfigError, match=r"'layer9'.*resnet18 has no such stage; did you mean 'layer\d'.*layer1, layer2"
    ):
        keep_maps(backbone("resnet18"), "layer9")
