r"""Appearance-preserving alignment: the neighbours of a frame, redrawn on the frame's own grid.

For position i of frame t, with semantic features s (1 x 1 convolution, C/16 wide, length 1) and the position j of a
neighbour t', t - 1 or t + 1:

.. math::
    a_{ij} = \mathrm{softmax}_j(4\, s_{t,i} \cdot s_{t',j}), \qquad n_i = \sum_j a_{ij}\, x_{t',j}, \qquad
    \hat n_i = \sigma\bigl(w \cdot (U x_{t,i} \odot V n_i)\bigr)\, n_i

The last factor, contrastive attention, fades out what the frame does not show. It takes no gradient to the maps. Beyond
the ends of a clip a neighbour is 0.

Reference: Gu et al., Appearance-Preserving 3D Convolution for Video-based Person Re-identification, ECCV 2020, APM.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["Alignment"]

TEMPERATURE = 4.0  #: factor on the cosine, as published
REDUCTION = 16  #: channels over those that are compared


class Alignment(nn.Module):
    """Maps ``(B, T, C, h, w)`` -> aligned previous and next frames, each ``(B, T, C, h, w)``.

    Args:
        channels: C, at least 16.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        width = channels // REDUCTION
        self.semantic, self.own, self.neighbour = (
            nn.Conv2d(channels, width, 1, bias=False) for _ in range(3)
        )
        self.contrast = nn.Conv2d(width, 1, 1, bias=False)

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        affinity = self._affinity(maps)
        before = _warped(affinity.transpose(2, 3), maps[:, :-1])
        after = _warped(affinity, maps[:, 1:])
        own = _per_frame(self.own, maps.detach())
        before, after = self._faded(own[:, 1:], before), self._faded(own[:, :-1], after)
        return F.pad(before, (0, 0, 0, 0, 0, 0, 1, 0)), F.pad(after, (0, 0, 0, 0, 0, 0, 0, 1))

    def _affinity(self, maps: Tensor) -> Tensor:
        """4 cos of all positions of each frame with those of the next, ``(B, T - 1, L, L)``."""
        semantic = F.normalize(_per_frame(self.semantic, maps), dim=2).flatten(3)  # (B, T, C/16, L)
        return TEMPERATURE * (semantic[:, :-1].transpose(2, 3) @ semantic[:, 1:])

    def _faded(self, own: Tensor, warped: Tensor) -> Tensor:
        product = own * _per_frame(self.neighbour, warped.detach())
        return warped * torch.sigmoid(_per_frame(self.contrast, product))


def _warped(affinity: Tensor, maps: Tensor) -> Tensor:
    """Maps ``(B, S, C, h, w)`` drawn anew by the softmax of their affinity ``(B, S, L, L)`` in its last dimension."""
    drawn = maps.flatten(3) @ affinity.softmax(dim=3).to(maps.dtype).transpose(2, 3)  # (B, S, C, L)
    return drawn.unflatten(3, maps.shape[3:])


def _per_frame(layer: nn.Module, maps: Tensor) -> Tensor:
    return layer(maps.flatten(0, 1)).unflatten(0, maps.shape[:2])
