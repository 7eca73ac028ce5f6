import pytest
import torch
from torch import nn
from torch.nn import functional as F

from reidar_plugin.models.ap3d.convolution import AlignedConvolution
from reidar_plugin.models.clip_layer import tell_length


def layer(groups: int = 1) -> AlignedConvolution:
    torch.manual_seed(0)
    return AlignedConvolution(nn.Conv2d(16, 32, 3, stride=2, padding=1, groups=groups, bias=False)).double()


@pytest.mark.parametrize("length", [1, 4])
def test_starts_as_the_spatial_convolution(length: int) -> None:
    made, maps = layer(groups=4), torch.randn(8, 16, 6, 4, dtype=torch.double)
    tell_length(made, length)
    assert torch.equal(made(maps), made.spatial(maps))


@torch.no_grad()
def test_matches_a_convolution_over_time_of_aligned_frames() -> None:
    made, maps = layer(), torch.randn(6, 16, 6, 4, dtype=torch.double)
    nn.init.normal_(made.temporal.weight)
    tell_length(made, 3)
    spatial = made.spatial(maps).unflatten(0, (2, 3))
    before, after = made.align(spatial)
    kernel = made.temporal.weight.view(32, 3, 32).transpose(1, 2)[..., None, None]  # (32, 32, 3, 1, 1)
    found = made(maps).unflatten(0, (2, 3))
    for t in range(3):
        clip = torch.stack([before[:, t], spatial[:, t], after[:, t]], dim=2)  # (2, 32, 3, 3, 2)
        expected = spatial[:, t] + F.conv3d(clip, kernel)[:, :, 0]
        torch.testing.assert_close(found[:, t], expected)


def test_every_parameter_learns() -> None:
    made, maps = layer(), torch.randn(4, 16, 6, 4, dtype=torch.double)
    tell_length(made, 2)
    nn.init.normal_(made.temporal.weight)
    made(maps).square().sum().backward()
    assert all(bool(p.grad.abs().sum() > 0) for p in made.parameters())
