import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from reidar_plugin.models.vtn.attention import WindowAttention, window


def module(reach: int) -> WindowAttention:
    torch.manual_seed(0)
    return WindowAttention(128, reach, dropout=0.5).double().eval()


def read(query: Tensor, keys: list[Tensor], values: list[Tensor]) -> Tensor:
    """What one token reads, head by head."""
    heads = []
    for head in (slice(0, 64), slice(64, 128)):
        weights = [math.exp(float(query[head] @ key[head]) / 8) for key in keys]
        heads.append(sum(w / sum(weights) * v[head] for w, v in zip(weights, values, strict=True)))
    return torch.cat(heads)


@pytest.mark.parametrize(("length", "reach"), [(1, 2), (6, 1), (6, 3)])
@torch.no_grad()
def test_matches_the_definition(length: int, reach: int) -> None:
    made, tokens = module(reach), 3 * torch.randn(2, 1 + length, 128, dtype=torch.double)
    found = made(tokens)
    for clip, said in zip(tokens, found, strict=True):
        key, value = made.key(clip), made.value(clip)
        expected = [read(made.clip_query(clip[0]), list(made.clip_key(clip)), list(made.clip_value(clip)))]
        for t in range(1, 1 + length):
            near = [u for u in range(1 + length) if u == 0 or abs(t - u) <= reach]
            expected.append(read(made.query(clip[t]), [key[u] for u in near], [value[u] for u in near]))
        torch.testing.assert_close(said, made.out(torch.stack(expected)))


def test_window_by_hand() -> None:
    assert window(4, 1).int().tolist() == [
        [1, 1, 1, 0, 0],  # the clip's token, itself and its neighbours
        [1, 1, 1, 1, 0],
        [1, 0, 1, 1, 1],
        [1, 0, 0, 1, 1],
    ]


@torch.no_grad()
def test_a_window_that_covers_all_is_full_attention() -> None:
    made, tokens = module(9), 3 * torch.randn(1, 17, 128, dtype=torch.double)

    def full(tokens: Tensor) -> Tensor:
        parts = (
            layer(tokens).unflatten(2, (2, 64)).transpose(1, 2)
            for layer in (made.query, made.key, made.value)
        )
        return made.out(F.scaled_dot_product_attention(*parts).transpose(1, 2).flatten(2))[:, 1:]

    torch.testing.assert_close(made(tokens[:, :11])[:, 1:], full(tokens[:, :11]))  # 10 frames
    assert window(10, 9).all()
    assert not window(11, 9).all()
    assert not torch.allclose(made(tokens)[:, 1:], full(tokens))  # 16: the published clips


def test_gradients_and_dropout() -> None:
    made, tokens = module(2).train(), torch.randn(2, 6, 128, dtype=torch.double)
    torch.manual_seed(0)
    one = made(tokens)
    assert not torch.allclose(one, made(tokens))
    one.square().sum().backward()
    idle = [name for name, p in made.named_parameters() if not p.grad.abs().max() > 1e-9]
    assert idle == ["key.bias", "clip_key.bias"]  # it adds the same to all scores of a token
