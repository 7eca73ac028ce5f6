"""Attribute salient regions against equations 8 to 10 of ASA-Net, one pixel at a time."""

import math

import pytest
import torch
from torch import Tensor, nn

from reidar_plugin.errors import ConfigError
from reidar_plugin.models.asanet.salience import SalientRegions


def salience_by_hand(module: SalientRegions, identity: Tensor, attribute: Tensor) -> tuple[Tensor, Tensor]:
    """Equations 8 to 10 in evaluation, a pixel of a frame at a time."""

    def at(conv: nn.Conv2d, pixel: Tensor) -> Tensor:
        return conv.weight[:, :, 0, 0] @ pixel + conv.bias

    maps, masks = torch.empty_like(identity), torch.empty(len(identity), *identity.shape[2:])
    pixels = [(y, x) for y in range(identity.shape[2]) for x in range(identity.shape[3])]
    norm = module.norm
    for n in range(len(identity)):
        for y, x in pixels:
            asks = at(module.query, identity[n, :, y, x]).clamp(min=0)
            scores = [float(asks @ at(module.key, attribute[n, :, v, u]).clamp(min=0)) for v, u in pixels]
            powers = [math.exp(score / math.sqrt(len(asks))) for score in scores]
            answer = sum(
                power / sum(powers) * at(module.value, attribute[n, :, v, u])
                for power, (v, u) in zip(powers, pixels, strict=True)
            )
            answer = (answer - norm.running_mean) / (
                norm.running_var + norm.eps
            ).sqrt() * norm.weight + norm.bias
            masks[n, y, x] = at(module.mask, answer)[0]
            maps[n, :, y, x] = identity[n, :, y, x] * (1 + module.alpha * masks[n, y, x])
    return maps, masks


def made_salience(mask: str = "linear") -> tuple[SalientRegions, Tensor, Tensor]:
    torch.manual_seed(1)
    module = SalientRegions(4, 6, mask).double().eval()
    for parameter in module.parameters():
        nn.init.normal_(parameter)
    nn.init.normal_(module.norm.running_mean)
    nn.init.uniform_(module.norm.running_var, 0.5, 2.0)
    return module, torch.randn(2, 4, 3, 2).double(), torch.randn(2, 6, 3, 2).double()


def test_salience_is_equations_8_to_10() -> None:
    module, identity, attribute = made_salience()
    with torch.no_grad():
        maps, masks = salience_by_hand(module, identity, attribute)
        found = module(identity, attribute)
    assert (maps - identity).abs().max() > 0.1  # else the mask does nothing
    torch.testing.assert_close(found.maps, maps)
    torch.testing.assert_close(found.mask.float(), masks)


def test_a_bounded_mask_and_no_alpha() -> None:
    module, identity, attribute = made_salience("sigmoid")
    with torch.no_grad():
        found = module(identity, attribute)
        assert 0 < found.mask.min() < found.mask.max() < 1
        module.alpha.zero_()
        torch.testing.assert_close(module(identity, attribute).maps, identity)
    assert SalientRegions(4, 6).alpha.item() == 1.0  # as the paper starts
    with pytest.raises(ConfigError, match="unknown mask 'relu'; choose one of linear, sigmoid"):
        SalientRegions(4, 6, "relu")


def test_gradients_are_those_of_the_values() -> None:
    module, identity, attribute = made_salience()
    inputs = identity.requires_grad_(), attribute.requires_grad_()
    assert torch.autograd.gradcheck(lambda *maps: tuple(module(*maps)), inputs)


def test_every_parameter_learns() -> None:
    module, identity, attribute = made_salience()
    found = module.train()(identity, attribute)
    found.maps.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in module.parameters())
    assert found.mask.shape == (2, 3, 2)
