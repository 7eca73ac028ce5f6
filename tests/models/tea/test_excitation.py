import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from reidar_plugin.models.clip_layer import tell_length
from reidar_plugin.models.tea.excitation import MotionExcitation


def module(length: int) -> MotionExcitation:
    torch.manual_seed(0)
    made = MotionExcitation(32).double().eval()
    for norm in (made.squeeze_norm, made.expand_norm):
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    tell_length(made, length)
    return made


@pytest.mark.parametrize("length", [1, 2, 4])
@torch.no_grad()
def test_matches_the_definition(length: int) -> None:
    """One frame and one channel at a time, with the difference taken at every place."""
    made, maps = module(length), torch.randn(2 * length, 32, 3, 2, dtype=torch.double)
    found = made(maps)
    squeeze, expand = made.squeeze.weight[:, :, 0, 0], made.expand.weight[:, :, 0, 0]
    scale = 1 / math.sqrt(1 + made.squeeze_norm.eps)

    def semantic(frame: torch.Tensor) -> torch.Tensor:
        values = torch.einsum("oc,chw->ohw", squeeze, frame) * scale
        return values * made.squeeze_norm.weight[:, None, None] + made.squeeze_norm.bias[:, None, None]

    gates = []
    for clip in range(2):
        for t in range(length):
            here = clip * length + t
            motion = torch.zeros(2, dtype=torch.double)
            if t + 1 < length:
                now, then = semantic(maps[here]), semantic(maps[here + 1])
                for channel in range(2):
                    kernel = made.transform.weight[channel : channel + 1]
                    moved = F.conv2d(then[None, channel : channel + 1], kernel, padding=1)[0, 0]
                    motion[channel] = (moved - now[channel]).sum() / 6
            gate = (expand @ motion) * scale * made.expand_norm.weight + made.expand_norm.bias
            gates.append(1 / (1 + torch.exp(-gate)) - 0.5)
            torch.testing.assert_close(found[here], maps[here] * (1 + gates[-1][:, None, None]))
    assert torch.stack(gates).abs().max() > 0.1


@torch.no_grad()
def test_a_frame_alone_stays_as_it_is_at_the_start() -> None:
    made, maps = MotionExcitation(32).eval(), torch.randn(3, 32, 3, 2)
    assert torch.equal(made(maps), maps)  # no motion, and no offset yet
    tell_length(made, 3)
    assert not torch.allclose(made(maps)[:2], maps[:2])
    assert torch.equal(made(maps)[2], maps[2])


def test_every_parameter_learns() -> None:
    made, maps = module(4).train(), torch.randn(8, 32, 3, 2, dtype=torch.double)
    (made(maps) * torch.randn_like(maps)).sum().backward()
    assert all(p.grad.abs().max() > 1e-9 for p in made.parameters())
