import pytest
import torch
from torch import nn

from reidar_plugin.models.clip_layer import tell_length
from reidar_plugin.models.tea.mixing import TemporalMixing


def module(length: int, *, shifted: bool = False) -> TemporalMixing:
    made = TemporalMixing(6, shifted=shifted).double()
    tell_length(made, length)
    return made


@pytest.mark.parametrize("length", [1, 2, 5])
@torch.no_grad()
def test_matches_the_definition(length: int) -> None:
    made, maps = module(length), torch.randn(2 * length, 6, 3, 2, dtype=torch.double)
    nn.init.normal_(made.kernel)
    found = made(maps)
    for clip in range(2):
        for t in range(length):
            for channel in range(6):
                expected = torch.zeros(3, 2, dtype=torch.double)
                for number, frame in enumerate((t - 1, t, t + 1)):
                    if 0 <= frame < length:
                        expected += made.kernel[number, channel] * maps[clip * length + frame, channel]
                torch.testing.assert_close(found[clip * length + t, channel], expected)


def test_starts_as_the_identity_or_as_a_shift() -> None:
    maps = torch.randn(8, 6, 3, 2, dtype=torch.double)
    assert torch.equal(module(4)(maps), maps)
    shifted = module(4, shifted=True)(maps).unflatten(0, (2, 4))
    clips, none = maps.unflatten(0, (2, 4)), torch.zeros(2, 3, 3, 2, dtype=torch.double)
    for t in range(4):
        assert torch.equal(shifted[:, t, :3], clips[:, t + 1, :3] if t < 3 else none)
        assert torch.equal(shifted[:, t, 3:], clips[:, t - 1, 3:] if t else none)
    assert not module(1, shifted=True)(maps).any()  # a frame alone has no neighbour


def test_gradients() -> None:
    made, maps = module(3, shifted=True), torch.randn(3, 6, 2, 1, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(made, maps)
    made(maps).square().sum().backward()
    assert (made.kernel.grad.abs() > 1e-9).any(dim=1).all()


def test_keeps_channels_last_and_the_precision_of_its_input() -> None:
    maps = torch.randn(4, 6, 3, 2).to(torch.bfloat16).to(memory_format=torch.channels_last)
    made = TemporalMixing(6)
    tell_length(made, 2)
    assert made(maps).is_contiguous(memory_format=torch.channels_last)
    assert made(maps).dtype == torch.bfloat16
