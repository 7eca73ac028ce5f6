"""Random weights of large networks without drawing each: a kernel's numbers repeat after some ten thousand.

Most of the time that it takes to build a network of the host goes into random numbers. Where a test does not ask what they
are, one draw serves a whole kernel: of the same mean and spread, from the same generator, another one for each kernel.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

__all__ = ["PERIOD", "install"]

#: Numbers that are drawn of a kernel; a prime, so that no two rows of a matrix are alike.
PERIOD = 16381


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on ``normal_`` and ``uniform_`` repeat what they draw."""
    for name in ("normal_", "uniform_"):
        monkeypatch.setattr(Tensor, name, _repeating(getattr(Tensor, name)))


def _repeating(draw: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def drawn(self: Tensor, *args: Any, **given: Any) -> Tensor:
        if self.numel() <= PERIOD or not self.is_contiguous():
            return draw(self, *args, **given)
        with torch.no_grad():
            flat = self.view(-1)
            draw(flat[:PERIOD], *args, **given)
            filled = PERIOD
            while filled < len(flat):
                more = min(filled, len(flat) - filled)
                flat[filled : filled + more] = flat[:more]
                filled += more
        return self

    return drawn
