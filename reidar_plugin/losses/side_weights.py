r"""What the two sides of the objective are multiplied with, where that is learnt or changes from epoch to epoch.

=========== ========================================================================================
name        identity side, action side
=========== ========================================================================================
uncertainty :math:`e^{-s_1}` and :math:`e^{-s_2}`, and :math:`\tfrac{1}{2}(s_1 + s_2)` is added, s learnt
ramp        1, and a weight that rises from 0 to 1 over some epochs
=========== ========================================================================================
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from reidar_plugin.errors import ConfigError

__all__ = ["SIDES", "ActionRamp", "Uncertainty", "build_side_weights"]

#: The sides that are weighed against each other, in the order of their log variances.
SIDES = ("identity", "action")


class Uncertainty(nn.Module):
    r"""Log variances that are learnt with the network.

    .. math::
        L = \sum_{side} e^{-s} L_{side} + \tfrac{1}{2} s

    A side that costs much for long loses weight; at rest :math:`e^{s} = 2 L_{side}`.

    Reference: Kendall et al., Multi-Task Learning Using Uncertainty to Weigh Losses, CVPR 2018, eq. 10 with
    :math:`s = \log \sigma^2`.

    Args:
        lr: learning rate of the log variances, in an optimiser of their own (plain SGD).
    """

    def __init__(self, lr: float = 0.01) -> None:
        super().__init__()
        if lr <= 0:
            raise ConfigError(f"reidar.loss.uncertainty.lr must be > 0, got {lr}")
        self.lr = lr
        self.log_variances = nn.Parameter(torch.zeros(len(SIDES)))

    def forward(self) -> dict[str, Tensor]:
        """Weight of each side, a scalar with a gradient."""
        return dict(zip(SIDES, (-self.log_variances).exp().unbind(), strict=True))

    def penalty(self) -> Tensor:
        """What is added to the sum of the weighted sides."""
        return 0.5 * self.log_variances.sum()

    def set_epoch(self, epoch: int) -> None:
        """Nothing changes with the epoch."""


class ActionRamp(nn.Module):
    r"""A weight of the action side that rises linearly.

    .. math::
        w(e) = \min\Bigl(1, \max\bigl(0, \tfrac{e - S}{R + 1}\bigr)\Bigr)

    in epoch e, from 1: nothing in the first S epochs, everything after R more.

    Args:
        start: S, epochs without the action side.
        epochs: R, epochs in which it grows; 0 for all at once.
    """

    def __init__(self, start: int = 0, epochs: int = 0) -> None:
        super().__init__()
        if min(start, epochs) < 0:
            raise ConfigError(f"reidar.loss.ramp counts epochs >= 0, got start {start} and epochs {epochs}")
        self.start, self.epochs = start, epochs
        self.set_epoch(0)

    def forward(self) -> dict[str, float]:
        """Weight of each side in this epoch."""
        return dict(zip(SIDES, (1.0, self.weight), strict=True))

    def penalty(self) -> float:
        """Nothing is added."""
        return 0.0

    def set_epoch(self, epoch: int) -> None:
        """Make the weight that of this epoch, from 0."""
        self.weight = min(1.0, max(0.0, (epoch + 1 - self.start) / (self.epochs + 1)))

    def extra_repr(self) -> str:
        return f"start={self.start}, epochs={self.epochs}"


def build_side_weights(node: Mapping[str, Any]) -> Uncertainty | ActionRamp | None:
    """Those of ``reidar.loss.combine``; None where the weights stay what they are."""
    if node["combine"] == "uncertainty":
        return Uncertainty(**node["uncertainty"])
    return ActionRamp(**node["ramp"]) if node["combine"] == "ramp" else None
