"""Distances between all clips of a batch, and which pairs show one person."""

import torch
from torch import Tensor

__all__ = ["cosine_similarities", "euclidean_distances", "same_person", "squared_distances"]


def cosine_similarities(features: Tensor) -> Tensor:
    """Cosines between all rows: ``(B, D) -> (B, B)``; 0 for a row of zeros.

    The rows are not normalised one by one: their products are, which touches B x B numbers in place of B x D.
    """
    products = features @ features.T
    lengths = products.diagonal().clamp(min=1e-24).sqrt()
    return products / (lengths[:, None] * lengths[None, :])


def squared_distances(features: Tensor, normalise: bool = False) -> Tensor:
    """Squared Euclidean distances between all rows, of unit length if asked: ``(B, D) -> (B, B)``, >= 1e-12.

    The floor keeps the gradient of the square root finite; under it the gradient is 0.
    """
    products = cosine_similarities(features) if normalise else features @ features.T
    squares = products.diagonal()
    return (squares[:, None] + squares[None, :] - 2 * products).clamp(min=1e-12)


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
    itself = torch.eye(len(pids), dtype=torch.bool, device=pids.device)
    return same & ~itself, ~same
