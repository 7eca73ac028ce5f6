"""Pose-and-motion-invariant (PMI) triplet loss: pose and motion should not change the distance of two clips."""

import torch
from torch import Tensor, nn

from reidar_plugin.losses.checks import check_embedding, in_float32, masked_mean
from reidar_plugin.losses.pairwise import cosine_similarities, same_person, squared_distances

__all__ = ["PoseMotionTriplet", "pose_motion_triplet"]


@in_float32
def pose_motion_triplet(
    features: Tensor, covariates: Tensor, pids: Tensor, margin: float = 0.0, include_anchor: bool = False
) -> Tensor:
    r"""Compare two clips of the anchor's person: the one most alike in pose and motion, and the one least alike.

    .. math::
        L = \frac{1}{|A|} \sum_{i \in A} [m + d_{i,n(i)} - d_{i,p(i)}]_+, \quad
        p(i) = \arg\min_{j \in P_i} \lVert g_j - g_i \rVert_2, \quad
        n(i) = \arg\max_{j \in P_i} \lVert g_j - g_i \rVert_2, \quad d = 1 - \cos(f, f)

    :math:`g` are features of pose and motion; they only select clips and receive no gradient. :math:`P_i` is the
    set of *other* clips of the same person, :math:`A` the set of clips for which it is not empty; without any,
    the loss and its gradient are 0. With a single other clip both selections coincide and the margin is left.
    With ``include_anchor=True`` the anchor may be its own nearest clip, as in the code of AITL, from which PMI
    is derived.

    Reference: ASA-Net, eq. 11 to 13 (m = 0).

    Args:
        features: clip features, ``(B, D)``.
        covariates: pose and motion features, ``(B, G)``.
        pids: identity of each clip, ``(B,)``; any integers.
        margin: m, least difference of the two distances that costs nothing, >= 0.
        include_anchor: let a clip be its own nearest clip.

    Returns:
        Scalar, float32 (float64 for float64 features).

    Example:
        >>> import torch
        >>> features = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        >>> covariates = torch.tensor([[0.0], [1.0], [5.0]])
        >>> pose_motion_triplet(features, covariates, pids=torch.tensor([4, 4, 4]))
        tensor(0.6667)
    """
    check_embedding(features, pids)
    check_embedding(covariates, pids)
    positive, negative = same_person(pids)
    with torch.no_grad():
        gaps = squared_distances(covariates)
        nearest = gaps.masked_fill(negative if include_anchor else ~positive, torch.inf).argmin(
            dim=1, keepdim=True
        )
        farthest = gaps.masked_fill(~positive, -torch.inf).argmax(dim=1, keepdim=True)
    distances = 1 - cosine_similarities(features)  # (B, B)
    excess = margin + distances.gather(1, farthest) - distances.gather(1, nearest)
    return masked_mean(excess.clamp(min=0), positive.any(dim=1, keepdim=True))


class PoseMotionTriplet(nn.Module):
    """Module form of :func:`pose_motion_triplet`."""

    def __init__(self, margin: float = 0.0, include_anchor: bool = False) -> None:
        super().__init__()
        if margin < 0:
            raise ValueError(f"margin must be >= 0, got {margin}")
        self.margin = margin
        self.include_anchor = include_anchor

    def forward(self, features: Tensor, covariates: Tensor, pids: Tensor) -> Tensor:
        return pose_motion_triplet(features, covariates, pids, self.margin, self.include_anchor)
