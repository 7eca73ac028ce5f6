"""Distances between all clips of a batch, and which pairs show one person."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["cosine_similarities", "euclidean_distances", "same_person", "squared_distances"]


class _Products(torch.autograd.Function):
    """``X @ X.T`` with one product on the way back, where autograd takes two: most of the time of a metric loss."""

    @staticmethod
    def forward(ctx: Any, features: Tensor) -> Tensor:
        ctx.save_for_backward(features)
        return features @ features.T

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (features,) = ctx.saved_tensors
        (gradient,) = gradients
        return (gradient + gradient.T) @ features


def _products(features: Tensor) -> Tensor:
    products: Tensor = _Products.apply(features)
    return products


def _at_least(values: Tensor, floor: float) -> Tensor:
    """As ``clamp(min=floor)``, which takes three kernels on the way back where this takes one."""
    return F.threshold(values, floor, floor)


def cosine_similarities(features: Tensor) -> Tensor:
    """Cosines between all rows: ``(B, D) -> (B, B)``; 0 for a row of zeros.

    The rows are not normalised one by one: their products are, which touches B x B numbers in place of B x D.
    """
    products = _products(features)
    shrink = _at_least(products.diagonal(), 1e-24).rsqrt()
    return products * shrink[:, None] * shrink[None, :]


def squared_distances(features: Tensor, normalise: bool = False) -> Tensor:
    """Squared Euclidean distances between all rows, of unit length if asked: ``(B, D) -> (B, B)``, >= 1e-12.

    The floor keeps the gradient of the square root finite; under it the gradient is 0. A row of zeros, which has no
    direction, is at a right angle to all others when normalised.
    """
    if normalise:
        return _at_least(-2 * cosine_similarities(features) + 2, 1e-12)
    products = _products(features)
    squares = products.diagonal()
    return _at_least(squares[:, None] + squares[None, :] - 2 * products, 1e-12)


def euclidean_distances(features: Tensor, normalise: bool = False) -> Tensor:
    """Euclidean distances between all rows, of unit length if asked: ``(B, D) -> (B, B)``, >= 1e-6."""
    return squared_distances(features, normalise).sqrt()


def same_person(pids: Tensor) -> tuple[Tensor, Tensor]:
    """Masks of the pairs with one identity, the pair of a clip with itself left out, and with two.

    Args:
        pids: identity of each clip, ``(B,)``.

    Returns:
        positive and negative pairs, each bool ``(B, B)``.
    """
    same = pids[:, None] == pids[None, :]
    return same.fill_diagonal_(False), pids[:, None] != pids[None, :]
