import math

import pytest
import torch
from torch import Tensor, nn

from reidar_plugin.models.temporal import POOLINGS, BranchPooling, Pooled, build_pooling


def maps(batch: int = 2, frames: int = 3, channels: int = 4, size: tuple[int, int] = (3, 2)) -> Tensor:
    return torch.rand(batch, frames, channels, *size, generator=torch.Generator().manual_seed(0)) * 2


def pooling(
    name: str, channels: int = 4, size: tuple[int, int] = (3, 2), width: int = 5, rectified: bool = True
) -> nn.Module:
    torch.manual_seed(0)
    return build_pooling(name, channels=channels, size=size, width=width, rectified=rectified)


def definition(
    x: list, hidden: list, temporal: list, shift: float, rectified: bool
) -> tuple[list, list, list]:
    """Scores, attention and feature of one clip; ``hidden[t]`` is what the first layer says of frame t."""
    count = len(x)
    scores = []
    for t in range(count):
        total = shift
        for k, offset in enumerate((-1, 0, 1)):
            if 0 <= t + offset < count:
                total += sum(w * max(0.0, h) for w, h in zip(temporal[k], hidden[t + offset], strict=True))
        scores.append(max(0.0, total) if rectified else total)
    weights = [math.exp(s) / sum(math.exp(v) for v in scores) for s in scores]
    feature = []
    for channel in range(len(x[0])):
        means = [
            sum(v for row in x[t][channel] for v in row) / len(x[t][channel]) / len(x[t][channel][0])
            for t in range(count)
        ]
        feature.append(sum(w * m for w, m in zip(weights, means, strict=True)))
    return scores, weights, feature


def check(module: nn.Module, x: Tensor, hidden: Tensor, rectified: bool = True) -> None:
    found = module(x)
    assert found.scores.std() > 1e-3  # else the softmax is uniform and the comparison proves nothing
    temporal = module.tconv.weight[0].T.tolist()  # (3, width)
    for b in range(len(x)):
        shift = module.tconv.bias.item()
        expected = definition(x[b].tolist(), hidden[b].tolist(), temporal, shift, rectified)
        for value, target in zip((found.scores, found.attention, found.pooled), expected, strict=True):
            torch.testing.assert_close(value[b].detach(), torch.tensor(target))


def test_attention_matches_the_definition() -> None:
    module, x = pooling("attention"), maps()
    module.tconv.bias.data.fill_(0.3)
    module.conv.bias.data.normal_()
    hidden = torch.zeros(2, 3, 5)
    for b in range(2):
        for t in range(3):
            for o in range(5):
                hidden[b, t, o] = (module.conv.weight[o] * x[b, t]).sum() + module.conv.bias[o]
    check(module, x, hidden.detach())


def test_light_attention_matches_the_definition() -> None:
    module, x = pooling("light"), maps()
    module.tconv.bias.data.fill_(4.0)  # else the ReLU cuts every score
    hidden = torch.stack([x[..., c, :, :].mean(dim=(2, 3)) for c in range(4)], dim=2) @ module.linear.weight.T
    check(module, x, hidden.detach())


@pytest.mark.parametrize("name", ["attention", "light"])
def test_without_the_relu_no_score_is_cut(name: str) -> None:
    module, x = pooling(name, rectified=False), maps()
    module.tconv.bias.data.fill_(-4.0)  # the ReLU would cut every score
    hidden = module.describe(x, x.mean(dim=(3, 4))).detach()
    check(module, x, hidden, rectified=False)
    assert (module(x).scores < 0).all()
    cut = pooling(name)
    cut.load_state_dict(module.state_dict())  # the option has no weights
    assert not cut(x).scores.any()
    cut(x).pooled.sum().backward()
    assert not cut.tconv.weight.grad.any()


@pytest.mark.parametrize("last", [True, False], ids=["channels_last", "contiguous"])
def test_attention_is_the_convolution_it_stands_for(last: bool) -> None:
    module, x = pooling("attention"), maps()
    by_convolution = module.conv(x.flatten(0, 1)).flatten(1).unflatten(0, (2, 3))
    if last:
        module.to(memory_format=torch.channels_last)
        x = x.flatten(0, 1).contiguous(memory_format=torch.channels_last).unflatten(0, (2, 3))
    torch.testing.assert_close(module.describe(x, x), by_convolution)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mean", [2.5, 3.0]),
        ("max", [4.0, 4.0]),
        ("gem", [32.5 ** (1 / 3), 36.0 ** (1 / 3)]),
        ("peak", [2.5, 3.0]),
    ],
)
def test_by_hand(name: str, expected: list[float]) -> None:
    frames = torch.tensor([[[1.0], [2.0]], [[4.0], [4.0]]])[None, :, :, None]  # (1, 2, 2, 1, 1)
    found = pooling(name, channels=2, size=(1, 1))(frames)
    torch.testing.assert_close(found.pooled.detach(), torch.tensor([expected]))
    torch.testing.assert_close(found.scores, torch.ones(1, 2))
    torch.testing.assert_close(found.attention, torch.full((1, 2), 0.5))


def test_max_is_over_time_of_the_means_over_space() -> None:
    x = maps()
    expected = torch.stack([x[b].mean(dim=(2, 3)).max(dim=0).values for b in range(2)])
    torch.testing.assert_close(pooling("max")(x).pooled, expected)


def test_peak_is_the_mean_over_time_of_the_largest_over_space() -> None:
    x = maps()
    expected = [
        [sum(max(v for row in frame[c] for v in row) for frame in clip) / 3 for c in range(4)]
        for clip in x.tolist()
    ]
    torch.testing.assert_close(pooling("peak")(x).pooled, torch.tensor(expected))


@pytest.mark.parametrize("name", ["light", "peak"])
def test_branches_are_pooled_apart(name: str) -> None:
    x = maps(2, 6)
    inner = pooling(name, rectified=False)
    found = BranchPooling(inner, 2)(x)
    even, odd = inner(x[:, 0::2]), inner(x[:, 1::2])
    assert not torch.equal(even.pooled, odd.pooled)
    assert torch.equal(found.pooled, torch.cat([even.pooled, odd.pooled], dim=1))
    assert torch.equal(found.scores[:, 1::2], odd.scores)
    assert torch.equal(found.attention[:, 0::2], even.attention / 2)
    torch.testing.assert_close(found.attention.sum(dim=1), torch.ones(2))


def test_generalised_mean_runs_from_mean_to_maximum() -> None:
    x, module = maps() + 0.1, pooling("gem")
    module.p.data.fill_(1.0)
    torch.testing.assert_close(module(x).pooled, x.mean(dim=(1, 3, 4)))
    module.p.data.fill_(200.0)
    x = x.double()
    torch.testing.assert_close(module.double()(x).pooled, x.amax(dim=(1, 3, 4)), rtol=0.02, atol=0)


def test_generalised_mean_cuts_what_is_not_positive_at_a_millionth() -> None:
    found = pooling("gem")(-maps().double())
    torch.testing.assert_close(found.pooled, torch.full((2, 4), 1e-6, dtype=torch.float64))


@pytest.mark.parametrize("name", sorted(POOLINGS))
def test_gradient(name: str) -> None:
    module = pooling(name, channels=2, size=(2, 1)).double()
    x = (maps(2, 3, 2, (2, 1)) + 0.1).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda clips: module(clips).pooled, (x,))
    module(x).pooled.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in module.parameters())


@pytest.mark.parametrize("name", sorted(POOLINGS))
@pytest.mark.parametrize("frames", [1, 2, 7])
def test_any_number_of_frames(name: str, frames: int) -> None:
    found = pooling(name)(maps(frames=frames))
    assert isinstance(found, Pooled)
    assert found.pooled.shape == (2, 4)
    assert found.scores.shape == found.attention.shape == (2, frames)
    torch.testing.assert_close(found.attention.sum(dim=1), torch.ones(2))


@pytest.mark.parametrize("name", sorted(POOLINGS))
def test_float32_under_autocast(name: str) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = pooling(name)(maps().bfloat16())
    assert {value.dtype for value in found} == {torch.float32}
    torch.testing.assert_close(found.pooled, pooling(name)(maps()).pooled, rtol=0.02, atol=0.02)


def test_most_parameters_of_the_papers_model_are_the_attention() -> None:
    full = sum(p.numel() for p in pooling("attention", 2048, (14, 7), 256).parameters())
    light = sum(p.numel() for p in pooling("light", 2048, (14, 7), 256).parameters())
    assert full == 2048 * 256 * 14 * 7 + 256 + 3 * 256 + 1
    assert light == 2048 * 256 + 256 + 3 * 256 + 1


def test_starts_as_the_papers_do() -> None:
    module = pooling("attention", 512, (4, 2), 256)
    assert module.conv.weight.std().item() == pytest.approx((2 / (512 * 8)) ** 0.5, rel=0.02)
    assert module.tconv.weight.std().item() == pytest.approx((2 / (256 * 3)) ** 0.5, rel=0.1)
    assert not module.conv.bias.any()
    assert not module.tconv.bias.any()


def test_unknown_name_lists_the_names() -> None:
    with pytest.raises(
        ValueError, match=r"unknown pooling 'atention'; choose one of .*'gem'.* did you mean 'attention'"
    ):
        build_pooling("atention", channels=4, size=(1, 1))
