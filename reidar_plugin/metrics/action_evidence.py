"""What people do as evidence of who they are: likelihoods of actions beside the identity feature."""

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["with_action_evidence"]


def with_action_evidence(features: Tensor, likelihoods: Tensor, weight: float) -> Tensor:
    r"""Vectors whose squared Euclidean distance also counts how differently two tracklets act.

    .. math::
        x = \left[\frac{f}{\lVert f\rVert},\ \sqrt{2w}\,p\right], \qquad
        \tfrac12\lVert x_q - x_g\rVert^2 = d_{\cos}(f_q, f_g) + w\,\lVert p_q - p_g\rVert^2

    It helps where people tend to be seen at the same things again, as labels of one a person have it; where they do not,
    it harms. With a weight of 0 the order is that of the cosine distance.

    Args:
        features: identity features f, ``(N, D)``.
        likelihoods: p, of the M actions, ``(N, M)``.
        weight: w, at least 0.

    Returns:
        float32 ``(N, D + M)``.

    Example:
        >>> x = with_action_evidence(torch.eye(2), torch.tensor([[1.0, 0.0], [0.0, 0.0]]), weight=0.5)
        >>> float(((x[0] - x[1]) ** 2).sum() / 2)  # cosine distance 1, and 0.5 times 1
        1.5
    """
    return torch.cat([F.normalize(features.float(), dim=1), (2 * weight) ** 0.5 * likelihoods.float()], dim=1)
