"""The action network over maps, against M networks of one action, a position at a time."""

import math

import pytest
import torch
from torch import Tensor, nn

from reidar_plugin.errors import ConfigError
from reidar_plugin.models.action_maps import MapActionNetwork, first_seen
from reidar_plugin.models.instances import INSTANCE_POOLINGS, pool_instances
from tools.benchmarks.kernels import KernelCalls

POOLINGS = ["clip", *INSTANCE_POOLINGS]
B, T, C, H, W = 3, 4, 5, 3, 2


def network(num_actions: int = 3, pooling: str = "clip", **settings: object) -> MapActionNetwork:
    torch.manual_seed(0)
    made = MapActionNetwork(C, num_actions, pooling=pooling, width=6, dropout=0.0, **settings).double()
    for parameter in made.parameters():
        nn.init.normal_(parameter)
    for buffer in made.buffers():
        if buffer.is_floating_point():
            nn.init.uniform_(buffer, 0.5, 1.5)
    return made


def maps(frames: int = T) -> Tensor:
    return torch.randn(B, frames, C, H, W, generator=torch.Generator().manual_seed(1)).double()


def block(made: MapActionNetwork, m: int, feature: list[float]) -> float:
    """Logit of one action for one feature, in evaluation."""
    blocks, rows = made.blocks, range(m * made.width, (m + 1) * made.width)
    logit = blocks.bias[m].item()
    for e, row in enumerate(rows):
        value = sum(w * f for w, f in zip(blocks.project.weight[row].tolist(), feature, strict=True))
        value += blocks.project.bias[row].item()
        norm = blocks.norm
        value = (value - norm.running_mean[row].item()) / math.sqrt(norm.running_var[row].item() + norm.eps)
        value = value * norm.weight[row].item() + norm.bias[row].item()
        logit += blocks.weight[m, e].item() * max(0.0, value)
    return logit


def definition(made: MapActionNetwork, clip: Tensor, m: int, frames: list[int]) -> tuple[float, dict]:
    """Logit of action m and attention by (t, y, x) of one clip (T, C, h, w), over the frames that count."""
    norm = made.normalise
    places = [(t, y, x) for t in frames for y in range(H) for x in range(W)]
    values = {}
    for t, y, x in places:
        row = []
        for c in range(C):
            value = (clip[t, c, y, x] - norm.running_mean[c]) / math.sqrt(norm.running_var[c] + norm.eps)
            row.append((value * norm.weight[c] + norm.bias[c]).item())
        values[t, y, x] = row
    query = made.queries[m].tolist()
    scores = {at: sum(v * q for v, q in zip(values[at], query, strict=True)) for at in places}
    groups = [places] if made.pooling == "clip" else [[at for at in places if at[0] == t] for t in frames]
    attention, logits, means = {}, [], []
    for group in groups:
        total = sum(math.exp(scores[at]) for at in group)
        attention.update({at: math.exp(scores[at]) / total for at in group})
        logits.append(block(made, m, [sum(attention[at] * values[at][c] for at in group) for c in range(C)]))
        means.append(math.log(total))
    if made.pooling == "clip":
        return logits[0], attention
    count = torch.ones(1, len(frames), dtype=torch.bool)
    rows = (torch.tensor(each).double().view(1, -1, 1) for each in (logits, means))
    pooled, shares = pool_instances(made.pooling, *rows, count)
    share = dict(zip(frames, shares.flatten().tolist(), strict=True))
    return pooled.item(), {at: value * share[at[0]] for at, value in attention.items()}


@pytest.mark.parametrize("pooling", POOLINGS)
def test_matches_the_definition(pooling: str) -> None:
    made, x = network(pooling=pooling).eval(), maps()
    counts = torch.tensor([[True] * 4, [True, True, True, False], [True, False, False, False]])
    logits, hidden, attention = made(x, counts)
    assert hidden.shape == (B, 3, 6)
    assert attention.shape == (B, 3, T, H, W)
    for b in range(B):
        frames = counts[b].nonzero().flatten().tolist()
        for m in range(3):
            logit, weights = definition(made, x[b], m, frames)
            assert logits[b, m].item() == pytest.approx(logit)
            expected = torch.zeros(T, H, W).double()
            for at, weight in weights.items():
                expected[at] = weight
            torch.testing.assert_close(attention[b, m], expected)
    assert attention.std() > 0.01  # the queries matter


@pytest.mark.parametrize("pooling", POOLINGS)
def test_attention_sums_to_one_and_what_does_not_count_weighs_nothing(pooling: str) -> None:
    made, x = network(pooling=pooling).eval(), maps()
    counts = torch.tensor([[True, True, False, False]] * B)
    logits, hidden, attention = made(x, counts)
    torch.testing.assert_close(attention.sum(dim=(2, 3, 4)), torch.ones(B, 3).double())
    assert attention[:, :, 2:].abs().max() == 0
    other = x.clone()
    other[:, 2:] = 100.0
    for found, expected in zip(made(other, counts), (logits, hidden, attention), strict=True):
        torch.testing.assert_close(found, expected)
    for found, expected in zip(made(x[:, :2]), (logits, hidden, attention[:, :, :2]), strict=True):
        torch.testing.assert_close(found, expected)
    assert not torch.allclose(made(x).logits, logits)  # the others count when nobody says otherwise


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_equals_networks_of_one_action(pooling: str, training: bool) -> None:
    made, x = network(pooling=pooling, layers=(7,)).train(training), maps()
    found = made(x)
    for m in range(3):
        alone = network(1, pooling, layers=(7,)).train(training)
        alone.trunk, alone.normalise = made.trunk, made.normalise
        rows = slice(m * made.width, (m + 1) * made.width)
        with torch.no_grad():
            alone.queries.copy_(made.queries[m : m + 1])
            for name in ("project.weight", "project.bias", "norm.weight", "norm.bias"):
                alone.blocks.get_parameter(name).copy_(made.blocks.get_parameter(name)[rows])
            alone.blocks.weight.copy_(made.blocks.weight[m : m + 1])
            alone.blocks.bias.copy_(made.blocks.bias[m : m + 1])
            if not training:
                for name in ("running_mean", "running_var"):
                    alone.blocks.norm.get_buffer(name).copy_(made.blocks.norm.get_buffer(name)[rows])
        saved = {name: buffer.clone() for name, buffer in made.named_buffers()}
        for ours, theirs in zip(found, alone(x), strict=True):
            torch.testing.assert_close(ours[:, m : m + 1], theirs)
        made.load_state_dict(saved, strict=False)  # the shared trunk counted the batch twice


@pytest.mark.parametrize("pooling", POOLINGS)
def test_gradcheck(pooling: str) -> None:
    made, x = network(2, pooling).eval(), maps(2)[:2].requires_grad_()
    assert torch.autograd.gradcheck(lambda given: made(given)[:2], (x,))


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_clip_of_one_frame(pooling: str) -> None:
    made, x = network(pooling=pooling).eval(), maps(1)
    found = made(x)
    torch.testing.assert_close(found.attention.sum(dim=(2, 3, 4)), torch.ones(B, 3).double())
    torch.testing.assert_close(found.logits, network().eval()(x).logits)  # all poolings agree then


def test_attention_starts_even() -> None:
    made = MapActionNetwork(C, 2, width=4)
    assert made(maps().float()).attention.unique().tolist() == pytest.approx([1 / (T * H * W)])


@pytest.mark.parametrize("gradient", [True, False])
def test_with_or_without_gradient_into_the_maps(gradient: bool) -> None:
    made, x = network(gradient=gradient, layers=(8,)), maps().requires_grad_()
    made(x).logits.square().sum().backward()
    assert (x.grad is not None and bool(x.grad.abs().sum() > 0)) == gradient
    assert all(p.grad is not None for p in made.parameters())


def test_a_wider_layer_halves_the_maps() -> None:
    made = network(layers=(8, 8, 12))
    assert [layer[0].stride for layer in made.trunk] == [(2, 2), (1, 1), (2, 2)]
    assert made(maps()).attention.shape == (B, 3, T, 1, 1)


@pytest.mark.parametrize("pooling", ["clip", "noisy_or"])
def test_kernels_do_not_grow_with_the_actions(pooling: str) -> None:
    counts = []
    for actions in (2, 12):
        made, x = network(actions, pooling, layers=(8,)), maps()
        with KernelCalls() as calls:
            made(x).logits.sum().backward()
        counts.append(calls.computing)
    assert counts[0] == counts[1] > 0


def test_which_frames_are_no_copies() -> None:
    clips = torch.randn(3, 4, 3, 8, 4)
    clips[1, 2:] = clips[1, :2]
    clips[2] = clips[2, :1]
    assert first_seen(clips).tolist() == [[True] * 4, [True, True, False, False], [True, False, False, False]]
    assert first_seen(clips[:, :1]).tolist() == [[True]] * 3


def test_errors() -> None:
    with pytest.raises(ConfigError, match="unknown action_pooling 'sum'"):
        MapActionNetwork(C, 2, pooling="sum")
    with pytest.raises(ConfigError, match=r"widths >= 1, got \[8, 0\]"):
        MapActionNetwork(C, 2, layers=(8, 0))
