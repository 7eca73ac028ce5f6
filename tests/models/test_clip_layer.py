import copy

import pytest
import torch
from torch import Tensor, nn

from reidar_plugin.models.clip_layer import ClipLayer, maps_of_clips, tell_length


class Earlier(ClipLayer):
    """Each frame becomes the one before it, the first of a clip becomes 0."""

    def forward(self, maps: Tensor) -> Tensor:
        clips = self.by_clip(maps)
        return torch.cat([torch.zeros_like(clips[:, :1]), clips[:, :-1]], dim=1).flatten(0, 1)


def through(network: nn.Module, frames: Tensor) -> Tensor:
    return network(frames)


@pytest.mark.parametrize("length", [1, 2, 3])
def test_layers_deep_inside_see_the_frames_of_their_clip(length: int) -> None:
    network = nn.Sequential(nn.Identity(), nn.Sequential(Earlier(), nn.Identity()), Earlier())
    clips = torch.randn(4, length, 3, 2, 2)
    found = maps_of_clips(network, through, clips)
    expected = torch.zeros_like(clips)
    for b in range(4):
        for t in range(2, length):
            expected[b, t] = clips[b, t - 2]
    assert torch.equal(found, expected)


def test_a_copy_has_a_length_of_its_own() -> None:
    network = nn.Sequential(Earlier())
    tell_length(network, 3)
    twin = copy.deepcopy(network)
    tell_length(network, 2)
    assert (network[0].length, twin[0].length, Earlier().length) == (2, 3, 1)


def test_a_network_without_such_layers_gives_the_same_bits() -> None:
    network, clips = nn.Conv2d(3, 4, 3), torch.randn(2, 3, 3, 5, 5)
    found = maps_of_clips(network, through, clips)
    assert torch.equal(found, network(clips.flatten(0, 1)).unflatten(0, (2, 3)))
