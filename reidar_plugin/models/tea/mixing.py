r"""Temporal kernels: each channel of a frame is mixed with the same place in the frames before and behind it.

.. math::
    y_{t,c} = k_{c,-1}\, x_{t-1,c} + k_{c,0}\, x_{t,c} + k_{c,1}\, x_{t+1,c}

Beyond the ends of a clip there is 0. In front of each 3 x 3 convolution of a Res2Net block they make its multiple temporal
aggregation (MTA): a group that has been through i convolutions has seen i frames to each side.

Reference: Li et al., TEA, CVPR 2020, section 3.2.
"""

import torch
from torch import Tensor, nn

from reidar_plugin.models.clip_layer import ClipLayer

__all__ = ["TemporalMixing"]


class TemporalMixing(ClipLayer):
    """Maps ``(B * T, C, h, w)`` -> the same shape, T from 1 on.

    Args:
        channels: C.
        shifted: start as a shift, the first half of the channels reads the next frame and the others the one before;
            otherwise as the identity.
    """

    def __init__(self, channels: int, *, shifted: bool = False) -> None:
        super().__init__()
        kernel = torch.zeros(3, channels, 1, 1)
        if shifted:
            kernel[2, : channels // 2] = kernel[0, channels // 2 :] = 1
        else:
            kernel[1] = 1
        self.kernel = nn.Parameter(kernel)

    def forward(self, maps: Tensor) -> Tensor:
        before, own, after = self.kernel.to(maps.dtype)
        clips = self.by_clip(maps)
        mixed = clips * own
        mixed[:, 1:] += clips[:, :-1] * before
        mixed[:, :-1] += clips[:, 1:] * after
        return mixed.flatten(0, 1)
