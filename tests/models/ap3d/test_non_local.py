import math

import torch
from torch import nn

from reidar_plugin.models.ap3d.non_local import NonLocal
from reidar_plugin.models.clip_layer import tell_length


def block() -> NonLocal:
    torch.manual_seed(0)
    made = NonLocal(4).double().eval()
    tell_length(made, 3)
    return made


def test_starts_as_the_identity() -> None:
    maps = torch.randn(6, 4, 4, 2, dtype=torch.double)
    assert torch.equal(block()(maps), maps)


@torch.no_grad()
def test_matches_the_definition() -> None:
    """One position at a time; keys and values are the largest of 2 x 2 positions of a frame."""
    made, maps = block(), torch.randn(6, 4, 4, 2, dtype=torch.double)
    nn.init.normal_(made.norm.weight)
    nn.init.normal_(made.norm.running_mean)
    found = made(maps)

    def project(conv: nn.Conv2d, pixel: torch.Tensor) -> torch.Tensor:
        return conv.weight[:, :, 0, 0] @ pixel + conv.bias

    for clip in range(2):
        frames = maps[3 * clip : 3 * clip + 3]
        keys, values = [], []
        for frame in frames:
            for y in (0, 2):
                pixels = [frame[:, y + dy, dx] for dy in range(2) for dx in range(2)]
                keys.append(torch.stack([project(made.key, p) for p in pixels]).amax(dim=0))
                values.append(torch.stack([project(made.value, p) for p in pixels]).amax(dim=0))
        for t in range(3):
            for y in range(4):
                for x in range(2):
                    query = project(made.query, frames[t, :, y, x])
                    weights = [math.exp(float(query @ key)) for key in keys]
                    seen = sum(w / sum(weights) * v for w, v in zip(weights, values, strict=True))
                    z = project(made.out, seen)
                    z = (z - made.norm.running_mean) / (made.norm.running_var + made.norm.eps).sqrt()
                    expected = frames[t, :, y, x] + made.norm.weight * z + made.norm.bias
                    torch.testing.assert_close(found[3 * clip + t, :, y, x], expected)


def test_every_parameter_learns() -> None:
    made, maps = block().train(), torch.randn(6, 4, 4, 2, dtype=torch.double)
    nn.init.normal_(made.norm.weight)
    (made(maps) * torch.randn_like(maps)).sum().backward()
    idle = [name for name, p in made.named_parameters() if not p.grad.abs().max() > 1e-9]
    # a softmax takes no offset of its keys, a normalisation none of its input
    assert idle == ["key.bias", "value.bias", "out.bias"]
