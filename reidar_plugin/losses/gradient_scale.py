"""A gradient multiplied on its way back: how centres learn at their own pace inside a weighted sum."""

from typing import Any

import torch
from torch import Tensor

__all__ = ["scale_gradient"]


class _Scaled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tensor: Tensor, factor: float) -> Tensor:
        ctx.factor = factor
        return tensor.view_as(tensor)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0] * ctx.factor, None


def scale_gradient(tensor: Tensor, factor: float) -> Tensor:
    """The tensor itself; its gradient comes back multiplied by ``factor``.

    The centre losses enter the sum with a weight near 0.0005, and the papers' code multiplies the gradient of
    the centres by 1 / 0.0005 before their optimiser steps. Here that happens on the way back, so that no
    training loop can forget it, and a copy of the module keeps it (a hook would be lost).
    """
    if factor == 1:
        return tensor
    scaled: Tensor = _Scaled.apply(tensor, factor)
    return scaled
