"""A loss weight that rises once another loss is small: the schedule of ASA-Net's PMI triplet."""

import torch
from torch import Tensor, nn

__all__ = ["RisingWeight"]


class RisingWeight(nn.Module):
    """The weight ``start`` until the watched loss falls below a threshold in training, ``end`` from then on.

    Whether the threshold was reached is a buffer: it is saved with the objective, and reading it does not
    synchronise with the device. A watched value of exactly 0 is ignored: it means a batch without labels.

    Args:
        start: weight before the threshold is reached.
        end: weight after it.
        below: the threshold.

    Example:
        >>> weight = RisingWeight(start=0.25, end=0.5, below=0.15)
        >>> [weight(torch.tensor(loss)).item() for loss in (0.7, 0.1, 0.9)]
        [0.25, 0.5, 0.5]
    """

    reached: Tensor

    def __init__(self, start: float = 0.005, end: float = 0.01, below: float = 0.15) -> None:
        super().__init__()
        self.start = start
        self.end = end
        self.below = below
        self.register_buffer("reached", torch.tensor(False))

    def forward(self, watched: Tensor) -> Tensor:
        """The weight to use with this batch, a scalar."""
        if self.training:
            self.reached |= (watched.detach() > 0) & (watched.detach() < self.below)
        return torch.where(self.reached, self.end, self.start)
