r"""Exact t-SNE: a map in which what is near in a feature space lies near in the plane.

Reference: van der Maaten and Hinton, Visualizing Data using t-SNE, JMLR 2008; early exaggeration, momentum and gains
as there, the learning rate after Belkina et al., Nature Communications 2019. Nothing is approximated: time and memory
grow with the square of the number of points, a thousand of which take seconds.
"""

import torch
from torch import Tensor

__all__ = ["affinities", "divergence_gradient", "similarities", "tsne"]


def affinities(squares: Tensor, perplexity: float) -> Tensor:
    r"""Joint probabilities of pairs in the feature space.

    .. math::
        p_{j|i} = \frac{e^{-\beta_i d_{ij}^2}}{\sum_{k \ne i} e^{-\beta_i d_{ik}^2}}, \qquad
        p_{ij} = \frac{p_{j|i} + p_{i|j}}{2 N}

    :math:`\beta_i` is such that :math:`e^{H(p_{\cdot|i})}` is the perplexity; it is found by bisection, all at once.

    Args:
        squares: squared distances, ``(N, N)``.
        perplexity: effective number of neighbours, > 1 and below N - 1.

    Returns:
        ``(N, N)``, symmetric, sum 1, zeros on the diagonal.
    """
    count = len(squares)
    if squares.shape != (count, count):
        raise ValueError(f"expected squared distances (N, N), got {tuple(squares.shape)}")
    if not 1 < perplexity < count - 1:
        raise ValueError(
            f"expected a perplexity above 1 and below {count - 1} for {count} points, got {perplexity}"
        )
    own = torch.eye(count, dtype=torch.bool, device=squares.device)
    gaps = squares.double().masked_fill(own, torch.inf)
    gaps = gaps - gaps.amin(dim=1, keepdim=True)  # the nearest neighbour at 0, so that no row vanishes
    scale = gaps.masked_fill(own, 0).sum(dim=1, keepdim=True) / (count - 1)
    gaps = gaps / torch.where(scale > 0, scale, 1)
    low, high = torch.full_like(scale, -20), torch.full_like(scale, 40)  # of log beta
    for _ in range(60):
        middle = (low + high) / 2
        too_flat = _entropy((-gaps * middle.exp()).softmax(dim=1)) > torch.tensor(perplexity).log()
        low, high = torch.where(too_flat, middle, low), torch.where(too_flat, high, middle)
    given = (-gaps * ((low + high) / 2).exp()).softmax(dim=1)
    return (given + given.T) / (2 * count)


def _entropy(rows: Tensor) -> Tensor:
    """Of each row of probabilities, ``(N, 1)``."""
    return -torch.special.xlogy(rows, rows).sum(dim=1, keepdim=True)


def similarities(points: Tensor) -> tuple[Tensor, Tensor]:
    """Student-t similarities of points in the plane ``(N, 2)``: as they are, and brought to the sum 1; ``(N, N)`` each."""
    kernel = 1 / (1 + torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist").square())
    kernel.fill_diagonal_(0)
    return kernel, kernel / kernel.sum()


def divergence_gradient(joint: Tensor, points: Tensor) -> Tensor:
    r"""Gradient of :math:`\mathrm{KL}(P \parallel Q)` by the points, ``(N, 2)``.

    .. math::
        \frac{\partial C}{\partial y_i} = 4 \sum_j (p_{ij} - q_{ij}) \frac{y_i - y_j}{1 + \lVert y_i - y_j \rVert^2}
    """
    kernel, similar = similarities(points)
    pull = (joint - similar) * kernel
    return 4 * (pull.sum(dim=1, keepdim=True) * points - pull @ points)


def tsne(
    features: Tensor, *, perplexity: float = 30.0, iterations: int = 750, exaggeration: float = 12.0
) -> Tensor:
    """Lay out features ``(N, D)`` in the plane: ``(N, 2)``, float64 on the CPU, the same at every call.

    Args:
        features: one a point.
        perplexity: see :func:`affinities`.
        iterations: in all; the first third exaggerates, so that clusters form.
        exaggeration: factor of the affinities in that third.
    """
    if features.dim() != 2 or not features.isfinite().all():
        raise ValueError(f"expected finite features (N, D), got {tuple(features.shape)}")
    features = features.detach().double().cpu()
    features = features - features.mean(dim=0)
    squares = torch.cdist(features, features, compute_mode="donot_use_mm_for_euclid_dist").square()
    joint = affinities(squares, perplexity)
    points = _principal_plane(features)
    rate = max(len(features) / exaggeration / 4, 50.0)
    step, gains = torch.zeros_like(points), torch.ones_like(points)
    for iteration in range(iterations):
        early = iteration < iterations // 3
        gradient = divergence_gradient(joint * exaggeration if early else joint, points)
        against = (gradient * step) < 0  # still downhill
        gains = torch.where(against, gains + 0.2, gains * 0.8).clamp(min=0.01)
        step = (0.5 if early else 0.8) * step - rate * gains * gradient
        points = points + step
        points = points - points.mean(dim=0)
    return points


def _principal_plane(features: Tensor) -> Tensor:
    """The two directions of most variance, small, as a start that needs no chance."""
    left, values, _ = torch.linalg.svd(features, full_matrices=False)
    plane = left[:, :2] * values[:2]
    if plane.shape[1] < 2:  # features of one number
        plane = torch.cat([plane, torch.zeros_like(plane)], dim=1)
    largest = plane.abs().argmax(dim=0)
    plane = plane * plane.gather(0, largest[None]).sign()  # a direction has no sign of its own
    return plane / plane[:, 0].std().clamp(min=1e-12) * 1e-4
