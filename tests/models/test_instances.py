"""Multiple-instance pooling against its definitions, a frame at a time."""

import math

import pytest
import torch

from reidar_plugin.errors import ConfigError
from reidar_plugin.models.instances import INSTANCE_POOLINGS, check_pooling, pool_instances


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def definition(name: str, logits: list[float], scores: list[float]) -> tuple[float, list[float]]:
    """One clip, one action, the frames that count."""
    n = len(logits)
    if name == "mean":
        return sum(logits) / n, [1 / n] * n
    if name == "max":
        first = logits.index(max(logits))
        return max(logits), [float(t == first) for t in range(n)]
    if name == "log_sum_exp":
        powers = [math.exp(z) for z in logits]
        return math.log(sum(powers) / n), [power / sum(powers) for power in powers]
    if name == "noisy_or":
        never = math.prod(1 - sigmoid(z) for z in logits)
        likely = [sigmoid(z) for z in logits]
        return math.log((1 - never) / never), [one / sum(likely) for one in likely]
    powers = [math.exp(score) for score in scores]
    shares = [power / sum(powers) for power in powers]
    return sum(share * z for share, z in zip(shares, logits, strict=True)), shares


def drawn(batch: int = 3, frames: int = 4, actions: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    logits, scores = torch.randn(
        2, batch, frames, actions, generator=torch.Generator().manual_seed(0)
    ).double()
    return logits, scores


@pytest.mark.parametrize("name", INSTANCE_POOLINGS)
def test_matches_the_definition_and_leaves_out_what_does_not_count(name: str) -> None:
    logits, scores = drawn()
    counts = torch.tensor([[True] * 4, [True, True, False, False], [True, False, False, False]])
    pooled, shares = pool_instances(name, logits, scores, counts)
    for b in range(3):
        for m in range(2):
            n = int(counts[b].sum())
            z, parts = definition(name, logits[b, :n, m].tolist(), scores[b, :n, m].tolist())
            assert pooled[b, m].item() == pytest.approx(z)
            assert shares[b, :, m].tolist() == pytest.approx(parts + [0.0] * (4 - n))
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(3, 2).double())


@pytest.mark.parametrize("name", INSTANCE_POOLINGS)
def test_gradcheck_and_frames_that_do_not_count(name: str) -> None:
    logits, scores = (each.requires_grad_() for each in drawn(2, 3, 2))
    counts = torch.tensor([[True, True, True], [True, True, False]])
    assert torch.autograd.gradcheck(
        lambda z, s: pool_instances(name, z, s, counts).logits, (logits, scores), atol=1e-4
    )
    pool_instances(name, logits, scores, counts).logits.sum().backward()
    assert logits.grad[1, 2].tolist() == [0.0, 0.0]
    assert logits.grad[1, :2].abs().sum() > 0


@pytest.mark.parametrize("name", INSTANCE_POOLINGS)
@pytest.mark.parametrize("size", [-60.0, 60.0])
def test_is_finite_for_sure_frames(name: str, size: float) -> None:
    logits = torch.full((1, 3, 1), size, requires_grad=True)
    pooled, shares = pool_instances(name, logits, torch.zeros(1, 3, 1), torch.ones(1, 3, dtype=torch.bool))
    pooled.sum().backward()
    assert pooled.isfinite().all()
    assert logits.grad.isfinite().all()
    assert shares.sum().item() == pytest.approx(1)


@pytest.mark.parametrize("name", [name for name in INSTANCE_POOLINGS if name != "noisy_or"])
def test_frames_that_say_the_same_say_it_together(name: str) -> None:
    logits = torch.full((1, 5, 1), 0.7)
    pooled, _ = pool_instances(name, logits, torch.randn(1, 5, 1), torch.ones(1, 5, dtype=torch.bool))
    assert pooled.item() == pytest.approx(0.7)


def test_an_unknown_name() -> None:
    with pytest.raises(ConfigError, match=r"'noisy-or'.* did you mean 'noisy_or'\?.*clip, mean"):
        check_pooling("noisy-or", ("clip",))
