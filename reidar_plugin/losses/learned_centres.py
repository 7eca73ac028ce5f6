"""What the losses with learned centres share: the centres, and a scaled gradient on its way back to them."""

from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["LearnedCentres", "scale_gradient"]


class LearnedCentres(nn.Module):
    """Base class of the losses that learn one centre for each class.

    Args:
        num_classes: K, the number of centres.
        width: D, the width of a centre.

    Attributes:
        centres: parameter ``(K, D)``, drawn from N(0, 1).
        gradient_scale: factor on the gradient that the loss sends to the centres; features are not affected.
    """

    def __init__(self, num_classes: int, width: int) -> None:
        super().__init__()
        self.gradient_scale = 1.0
        self.centres = nn.Parameter(torch.randn(num_classes, width))

    def learning_centres(self) -> Tensor:
        """The centres ``(K, D)`` for use in a loss: their gradient is multiplied by ``gradient_scale``."""
        return scale_gradient(self.centres, self.gradient_scale)


def scale_gradient(tensor: Tensor, factor: float) -> Tensor:
    """Return the tensor unchanged; in the backward pass its gradient is multiplied by ``factor``.

    The centre losses enter the objective with a weight near 0.0005, and the papers' code multiplies the
    gradient of the centres by 1 / 0.0005 before their optimiser steps. Doing it in the backward pass works
    with any training loop, and survives a copy of the module (a tensor hook would be lost).

    Args:
        tensor: any tensor.
        factor: multiplier of its gradient.

    Returns:
        A tensor with the values of ``tensor``.

    Example:
        >>> centres = torch.ones(2, requires_grad=True)
        >>> scale_gradient(centres, 2000.0).sum().backward()
        >>> centres.grad
        tensor([2000., 2000.])
    """
    if factor == 1:
        return tensor
    scaled: Tensor = _Scaled.apply(tensor, factor)
    return scaled


class _Scaled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tensor: Tensor, factor: float) -> Tensor:
        ctx.factor = factor
        return tensor.view_as(tensor)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0] * ctx.factor, None
