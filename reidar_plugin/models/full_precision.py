"""Blocks that autocast leaves alone."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

__all__ = ["full_precision"]


def full_precision(tensor: Tensor) -> AbstractContextManager[object]:
    """A block in the precision of its own tensors, also where autocast is on around it.

    Where it is off the block is bare, which spares exported graphs a graph of their own for each.
    """
    kind = tensor.device.type
    return torch.autocast(kind, enabled=False) if torch.is_autocast_enabled(kind) else nullcontext()
