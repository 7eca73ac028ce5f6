"""A weight that rises once another loss has become small: the schedule of ASA-Net's PMI triplet."""

import torch
from torch import Tensor, nn

__all__ = ["RisingWeight"]


class RisingWeight(nn.Module):
    """``start`` until the watched loss falls below a threshold in training, ``end`` from then on.

    Which of the two it is lives in a buffer, so it is saved with the objective, and no device is waited for.
    A watched value of exactly 0 does not count: it is what a loss says of a batch without any label.

    Args:
        start: weight at first.
        end: weight from then on.
        below: the threshold.
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
