import pytest
import torch
from torch.nn import functional as F

from reidar_plugin.models.clip_layer import tell_length
from reidar_plugin.models.vtn.encoder import FRAMES, REACH, TemporalEncoder


def module(length: int) -> TemporalEncoder:
    torch.manual_seed(0)
    made = TemporalEncoder(64).double().eval()
    tell_length(made, length)
    return made


@pytest.mark.parametrize("length", [1, 12])
@torch.no_grad()
def test_matches_the_definition(length: int) -> None:
    """A clip at a time, layer by layer, by the names of the parameters alone."""
    made, maps = module(length), torch.randn(2 * length, 64, 3, 2, dtype=torch.double)
    w = {name: 1.5 * value + 0.01 for name, value in made.state_dict().items()}
    made.load_state_dict(w)
    found = made(maps)

    def linear(name: str, x: torch.Tensor) -> torch.Tensor:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def norm(name: str, x: torch.Tensor, eps: float = 1e-12) -> torch.Tensor:
        return F.layer_norm(x, (64,), w[f"{name}.weight"], w[f"{name}.bias"], eps)

    for clip in range(2):
        frames = [maps[clip * length + t].mean(dim=(1, 2)) + w["positions"][1 + t] for t in range(length)]
        x = norm("norm", torch.stack([w["token"][0, 0] + w["positions"][0], *frames]))
        for layer in range(3):
            at, rows = f"layers.{layer}.attention", []
            for t in range(1 + length):
                kind = "" if t else "clip_"
                near = [u for u in range(1 + length) if not (t and u) or abs(t - u) <= REACH]
                scores = linear(f"{at}.{kind}key", x[near]) @ linear(f"{at}.{kind}query", x[t]) / 8
                rows.append(scores.softmax(dim=0) @ linear(f"{at}.{kind}value", x[near]))
            x = norm(f"layers.{layer}.norm1", x + linear(f"{at}.out", torch.stack(rows)))
            y = linear(f"layers.{layer}.mlp.2", F.gelu(linear(f"layers.{layer}.mlp.0", x)))
            x = norm(f"layers.{layer}.norm2", x + y)
        said = F.gelu(linear("head.1", norm("head.0", x[0], 1e-5)))
        for t in range(length):
            torch.testing.assert_close(found[clip * length + t, :, 0, 0], said)


def test_frames_have_positions_up_to_286_and_then_again() -> None:
    made = module(FRAMES + 2)
    found = made._positions()
    assert torch.equal(found[: 1 + FRAMES], made.positions)
    assert torch.equal(found[1 + FRAMES :], made.positions[1:3])


def test_the_last_layer_reads_the_clip_token_alone() -> None:
    """As in the public code: what frames read there is not asked for."""
    made, maps = module(4).train(), torch.randn(8, 64, 3, 2, dtype=torch.double)
    made(maps).square().sum().backward()
    idle = [name for name, p in made.named_parameters() if not p.grad.abs().max() > 1e-12]
    unread = [
        f"layers.2.attention.{part}.{kind}"
        for part in ("query", "key", "value")
        for kind in ("weight", "bias")
    ]
    shifts = [f"layers.{layer}.attention.{part}.bias" for layer in range(3) for part in ("key", "clip_key")]
    assert set(idle) == {*unread, *shifts}


def test_channels_come_in_heads_of_64() -> None:
    with pytest.raises(ValueError, match="heads of 64 channels, got maps of 100: take another network"):
        TemporalEncoder(100)
