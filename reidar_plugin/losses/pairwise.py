"""Distances between all pairs of clips in a batch, and masks of the pairs that share an identity."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["cosine_similarities", "euclidean_distances", "same_person", "squared_distances"]


class _Products(torch.autograd.Function):
    """``X @ X.T`` with one matrix product in the backward pass, where autograd takes two; they dominate the time."""

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
    """Like ``clamp(min=floor)``, with one kernel in the backward pass instead of three."""
    return F.threshold(values, floor, floor)


def cosine_similarities(features: Tensor) -> Tensor:
    """Cosine similarities between all rows: ``(B, D) -> (B, B)``; 0 for a row of zeros.

    The products are normalised instead of the rows, which touches B x B numbers instead of B x D.

    Example:
        >>> cosine_similarities(torch.tensor([[3.0, 4.0], [4.0, -3.0]]))
        tensor([[1., 0.],
                [0., 1.]])
    """
    products = _products(features)
    shrink = _at_least(products.diagonal(), 1e-24).rsqrt()
    return products * shrink[:, None] * shrink[None, :]


def squared_distances(features: Tensor, normalise: bool = False) -> Tensor:
    """Squared Euclidean distances between all rows: ``(B, D) -> (B, B)``, at least 1e-12.

    The floor keeps the gradient of the square root finite; below it the gradient is 0.

    Args:
        features: ``(B, D)``.
        normalise: scale rows to unit length first. A row of zeros is then orthogonal to all others.
    """
    if normalise:
        return _at_least(-2 * cosine_similarities(features) + 2, 1e-12)
    products = _products(features)
    squares = products.diagonal()
    return _at_least(squares[:, None] + squares[None, :] - 2 * products, 1e-12)


def euclidean_distances(features: Tensor, normalise: bool = False) -> Tensor:
    """Euclidean distances between all rows, the square root of :func:`squared_distances`; at least 1e-6."""
    return squared_distances(features, normalise).sqrt()


def same_person(pids: Tensor) -> tuple[Tensor, Tensor]:
    """Masks of the positive pairs (same identity) and the negative pairs (different identities).

    Args:
        pids: identity of each clip, ``(B,)``.

    Returns:
        The positive pairs, without those of a clip with itself, and the negative pairs; each bool ``(B, B)``.
    """
    same = pids[:, None] == pids[None, :]
    return same.fill_diagonal_(False), pids[:, None] != pids[None, :]
