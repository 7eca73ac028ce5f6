r"""Temporal saliency erasing (TSE): the second frame of a pair is read without what the first one showed.

::

    first frame  ---- erase nothing ---- shared blocks ---- branch 0 ---- maps
                                                               | mean over space, 1 x 1 convolution: k
    second frame ---- erase the 3 rows most like k ---- shared blocks ---- branch 1 ---- maps

The likeness of position i is :math:`s_i = k \cdot x_i / \sqrt{C}`. Rows are compared by the sum of three rows' means over
the width. So that likeness is learnt, the mean of the positions that stay, weighted by softmax(s), is projected and added to
every position; that projection starts at 0.

Reference: Hou et al., TCLNet, ECCV 2020, section 3.2.
"""

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reidar_plugin.models.clip_layer import ClipLayer
from reidar_plugin.models.tclnet.boosting import quiet_projection

__all__ = ["BRANCHES", "ROWS", "SaliencyErasing", "erased_rows"]

BRANCHES = 2
ROWS = 3  #: rows that are erased, of 16 as published


class SaliencyErasing(ClipLayer):
    """Maps ``(B * T, C, h, w)``, T even, -> maps ``(B * T, C', h', w')`` of branch 0, 1, 0, 1, ...

    Args:
        stage: the last stage of a ResNet; its last block is given to both branches, the others are shared.
        channels: C, what the stage reads.
        width: C', what it gives.
    """

    def __init__(self, stage: nn.Sequential, channels: int, width: int) -> None:
        super().__init__()
        self.shared = stage[:-1]
        self.branches = nn.ModuleList([stage[-1], deepcopy(stage[-1])])
        self.reduce = nn.Conv2d(width, channels, 1, bias=False)
        nn.init.normal_(self.reduce.weight, std=(2 / channels) ** 0.5)
        self.project = quiet_projection(channels)

    def forward(self, maps: Tensor) -> Tensor:
        first, second = self.by_clip(maps)[:, 0::2].flatten(0, 1), self.by_clip(maps)[:, 1::2].flatten(0, 1)
        everything = first.new_ones(first[:, 0].shape)
        one = self.branches[0](self.shared(self._erase(first, everything, everything)))
        likeness = self._likeness(one.detach(), second)
        stays = 1 - erased_rows(likeness)[:, :, None].to(second.dtype).expand_as(likeness)
        two = self.branches[1](self.shared(self._erase(second, stays, likeness)))
        return torch.stack([one, two], dim=1).flatten(0, 1)

    def _likeness(self, one: Tensor, second: Tensor) -> Tensor:
        """s ``(N, h, w)``."""
        key = self.reduce(one.mean(dim=(2, 3), keepdim=True)).flatten(1)
        return torch.einsum("nc,nchw->nhw", key, second) / second.shape[1] ** 0.5

    def _erase(self, maps: Tensor, stays: Tensor, likeness: Tensor) -> Tensor:
        """Maps of which only some positions stay (1, else 0; ``(N, h, w)``), and what softmax(s) sees of these."""
        # not -inf: of maps of two rows none may be left
        scores = likeness.to(torch.promote_types(likeness.dtype, torch.float32)).masked_fill(stays == 0, -1e8)
        weights = scores.flatten(1).softmax(dim=1)
        seen = torch.einsum("ncl,nl->nc", maps.flatten(2), weights.to(maps.dtype))
        return maps * stays[:, None] + self.project(seen[:, :, None, None])


def erased_rows(likeness: Tensor) -> Tensor:
    """The rows around the three whose likeness ``(N, h, w)`` is largest together, bool ``(N, h)``; two at a border."""
    height = likeness.shape[1]
    sums = F.avg_pool1d(likeness.mean(dim=2)[:, None], ROWS, stride=1, padding=ROWS // 2)[:, 0]
    rows = torch.arange(height, device=likeness.device)
    return (rows - sums.argmax(dim=1, keepdim=True)).abs() <= ROWS // 2
