"""What autocast does to a block, and what it does not."""

from contextlib import nullcontext

import torch

from reidar_plugin.models.full_precision import full_precision


def test_autocast_ends_at_the_block() -> None:
    layer, values = torch.nn.Linear(4, 3), torch.randn(2, 4)
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(values).dtype == torch.bfloat16
        with full_precision(values):
            assert layer(values).dtype == torch.float32
        assert layer(values).dtype == torch.bfloat16


def test_a_block_without_autocast_is_bare() -> None:
    assert isinstance(full_precision(torch.zeros(1)), nullcontext)
