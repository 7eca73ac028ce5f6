import math

import pytest
import torch
from torch import Tensor, nn

from reidar_plugin.models.ap3d.alignment import Alignment


def alignment(channels: int = 32) -> Alignment:
    torch.manual_seed(0)
    module = Alignment(channels).double()
    nn.init.normal_(module.contrast.weight, std=0.05)
    return module


def unit(vector: Tensor) -> Tensor:
    return vector / math.sqrt(sum(v * v for v in vector.tolist()))


def drawn(module: Alignment, frame: Tensor, neighbour: Tensor) -> Tensor:
    """One neighbour ``(C, h, w)`` on the grid of a frame ``(C, h, w)``, a position at a time."""
    places = [(y, x) for y in range(frame.shape[1]) for x in range(frame.shape[2])]
    semantic, own, other = (
        layer.weight[:, :, 0, 0] for layer in (module.semantic, module.own, module.neighbour)
    )
    found = torch.zeros_like(frame)
    for y, x in places:
        here = unit(semantic @ frame[:, y, x])
        weights = [math.exp(4 * float(here @ unit(semantic @ neighbour[:, v, u]))) for v, u in places]
        seen = sum(w / sum(weights) * neighbour[:, v, u] for w, (v, u) in zip(weights, places, strict=True))
        score = module.contrast.weight.flatten() @ ((own @ frame[:, y, x]) * (other @ seen))
        found[:, y, x] = seen / (1 + math.exp(-float(score)))
    return found


@torch.no_grad()
def test_matches_the_definition() -> None:
    module, maps = alignment(), torch.randn(2, 3, 32, 3, 2, dtype=torch.double)
    before, after = module(maps)
    for b in range(2):
        for t in range(3):
            earlier = drawn(module, maps[b, t], maps[b, t - 1]) if t > 0 else torch.zeros(32, 3, 2)
            later = drawn(module, maps[b, t], maps[b, t + 1]) if t < 2 else torch.zeros(32, 3, 2)
            torch.testing.assert_close(before[b, t], earlier.double())
            torch.testing.assert_close(after[b, t], later.double())


@pytest.mark.parametrize("shift", [(1, 0), (0, 1), (2, 1)])
@torch.no_grad()
def test_finds_a_shifted_picture(shift: tuple[int, int]) -> None:
    """A picture that has moved is drawn where it was: closer to the frame than the neighbour itself is."""
    torch.manual_seed(0)
    module = alignment(512).float()
    frame = torch.randn(1, 1, 512, 6, 4) * 3
    moved = frame.roll(shift, dims=(3, 4))
    clip = torch.cat([frame, moved], dim=1)
    affinity = module._affinity(clip)[0, 0]  # (L, L)
    places = torch.arange(24).view(6, 4)
    assert torch.equal(affinity.argmax(dim=1).view(6, 4), places.roll([-s for s in shift], dims=(0, 1)))
    _, after = module(clip)
    near = torch.cosine_similarity(after[0, 0], frame[0, 0], dim=0).mean()
    far = torch.cosine_similarity(moved[0, 0], frame[0, 0], dim=0).mean()
    assert near > far + 0.5


@pytest.mark.parametrize("length", [1, 2, 32])
def test_any_number_of_frames(length: int) -> None:
    before, after = alignment()(torch.randn(2, length, 32, 2, 2, dtype=torch.double))
    assert before.shape == after.shape == (2, length, 32, 2, 2)
    assert not before[:, 0].any()
    assert not after[:, -1].any()
    assert bool(before[:, 1:].abs().sum() > 0) == (length > 1)


def test_gradients() -> None:
    module, maps = alignment(16), torch.randn(1, 3, 16, 2, 2, dtype=torch.double, requires_grad=True)
    before, after = module(maps)
    (before.square().sum() + after.sum()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in module.parameters())
    # contrast fades without a gradient of its own to the maps: with it held still, the gradient is that of the values
    module._faded = lambda own, warped: warped * 0.5  # type: ignore[method-assign]
    assert torch.autograd.gradcheck(lambda x: module(x), maps, fast_mode=True)


def test_contrast_sends_no_gradient_to_the_maps() -> None:
    module = alignment(16)
    own, warped = (torch.randn(1, 1, 1, 2, 2, dtype=torch.double) for _ in range(2))
    warped = torch.randn(1, 1, 16, 2, 2, dtype=torch.double, requires_grad=True)
    faded = module._faded(own, warped)
    faded.sum().backward()
    torch.testing.assert_close(warped.grad, (faded / warped).detach())
