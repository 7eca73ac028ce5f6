import math

import pytest
import torch
from torch import Tensor, nn

from reidar_plugin.models.clip_layer import tell_length
from reidar_plugin.models.tclnet.erasing import SaliencyErasing, erased_rows


def module(length: int = 4) -> SaliencyErasing:
    torch.manual_seed(0)
    stage = nn.Sequential(nn.Conv2d(4, 6, 1), nn.ReLU(), nn.Conv2d(6, 6, 3, padding=1))
    made = SaliencyErasing(stage, 4, 6).double().eval()
    tell_length(made, length)
    return made


def row_definition(likeness: list[list[float]]) -> list[bool]:
    means = [sum(row) / len(row) for row in likeness]
    sums = [sum(means[max(r - 1, 0) : r + 2]) for r in range(len(means))]
    middle = sums.index(max(sums))
    return [abs(r - middle) <= 1 for r in range(len(means))]


def test_rows_are_those_of_the_definition() -> None:
    likeness = torch.randn(50, 6, 3, generator=torch.Generator().manual_seed(0))
    found = erased_rows(likeness)
    assert found.tolist() == [row_definition(each) for each in likeness.tolist()]
    assert {int(count) for count in found.sum(dim=1)} == {2, 3}  # two where the middle is a border


def test_rows_by_hand() -> None:
    likeness = torch.zeros(1, 8, 2)
    likeness[0, 5] = torch.tensor([1.0, 3.0])
    likeness[0, 6] = 1.0
    assert erased_rows(likeness)[0].tolist() == [False] * 4 + [True] * 3 + [False]


@torch.no_grad()
def test_matches_the_definition() -> None:
    made, maps = module(), torch.randn(8, 4, 6, 2, dtype=torch.double)
    convolution, norm = made.project
    nn.init.normal_(norm.weight)
    made.branches[1].weight.mul_(2)  # else the branches say the same
    found = made(maps)

    def read(frame: Tensor, stays: list[bool], likeness: Tensor, branch: int) -> Tensor:
        places = [(y, x) for y in range(6) if stays[y] for x in range(2)]
        weights = [math.exp(float(likeness[y, x])) for y, x in places]
        seen = sum(w / sum(weights) * frame[:, y, x] for w, (y, x) in zip(weights, places, strict=True))
        said = (
            norm.weight * (convolution.weight[:, :, 0, 0] @ seen + convolution.bias) / math.sqrt(1 + norm.eps)
        )
        kept = frame * torch.tensor(stays, dtype=torch.double)[None, :, None]
        return made.branches[branch](made.shared((kept + said[:, None, None])[None]))[0]

    for pair in range(4):
        first, second = maps[2 * pair], maps[2 * pair + 1]
        one = read(first, [True] * 6, torch.ones(6, 2), 0)
        key = made.reduce.weight[:, :, 0, 0] @ one.mean(dim=(1, 2))
        likeness = torch.stack([torch.stack([key @ second[:, y, x] / 2 for x in range(2)]) for y in range(6)])
        gone = row_definition(likeness.tolist())
        two = read(second, [not row for row in gone], likeness, 1)
        torch.testing.assert_close(found[2 * pair], one)
        torch.testing.assert_close(found[2 * pair + 1], two)


def test_starts_with_erasing_alone() -> None:
    made, maps = module(2), torch.randn(2, 4, 6, 2, dtype=torch.double)
    one, two = made(maps)
    torch.testing.assert_close(one, made.branches[0](made.shared(maps[:1]))[0])
    plain = made.branches[1](made.shared(maps[1:]))[0]
    assert not torch.allclose(two, plain)


def test_likeness_learns_through_what_stays() -> None:
    made, maps = module(2).train(), torch.randn(8, 4, 6, 2, dtype=torch.double)
    made(maps)[1::2].square().sum().backward()
    assert not made.reduce.weight.grad.any()  # the projection says nothing yet
    nn.init.normal_(made.project[1].weight)
    made(maps)[1::2].square().sum().backward()
    assert made.reduce.weight.grad.abs().max() > 1e-9


@pytest.mark.parametrize("height", [1, 2, 3])
def test_maps_of_few_rows_stay_finite(height: int) -> None:
    assert module(2)(torch.randn(4, 4, height, 2, dtype=torch.double)).isfinite().all()
