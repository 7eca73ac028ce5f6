import math

import torch
from torch import Tensor, nn

from reidar_plugin.models.clip_layer import tell_length
from reidar_plugin.models.tclnet.boosting import SaliencyBoosting


def module(length: int = 3) -> SaliencyBoosting:
    torch.manual_seed(0)
    made = SaliencyBoosting(4).double().eval()
    tell_length(made, length)
    return made


def cosine(a: Tensor, b: Tensor) -> float:
    return float(a @ b) / math.sqrt(float(a @ a) * float(b @ b))


def test_starts_as_the_identity() -> None:
    maps = torch.randn(6, 4, 3, 2, dtype=torch.double)
    assert torch.equal(module()(maps), maps)


@torch.no_grad()
def test_matches_the_definition() -> None:
    """One frame at a time; a position is compared by the mean of itself and its upper left neighbours."""
    made, maps = module(), torch.randn(6, 4, 3, 2, dtype=torch.double)
    convolution, norm = made.project
    nn.init.normal_(norm.weight)
    found = made(maps)
    for clip in (0, 1):
        frames = maps[3 * clip : 3 * clip + 3]
        for t in range(3):
            query, seen, total = frames[t].mean(dim=(1, 2)), torch.zeros(4, dtype=torch.double), 0.0
            for frame in (frames[u] for u in range(3) if u != t):
                for y in range(3):
                    for x in range(2):
                        around = frame[:, max(y - 1, 0) : y + 1, max(x - 1, 0) : x + 1].sum(dim=(1, 2))
                        weight = math.exp(5 * cosine(query, around))
                        seen, total = seen + weight * frame[:, y, x], total + weight
            said = convolution.weight[:, :, 0, 0] @ (seen / total) + convolution.bias
            said = norm.weight * said / math.sqrt(1 + norm.eps)
            torch.testing.assert_close(found[3 * clip + t], frames[t] + said[:, None, None])


def test_every_parameter_learns() -> None:
    made, maps = module().train(), torch.randn(6, 4, 3, 2, dtype=torch.double)
    nn.init.normal_(made.project[1].weight)
    (made(maps) * torch.randn_like(maps)).sum().backward()
    idle = [name for name, p in made.named_parameters() if not p.grad.abs().max() > 1e-9]
    assert idle == ["project.0.bias"]  # a normalisation takes no offset of its input
