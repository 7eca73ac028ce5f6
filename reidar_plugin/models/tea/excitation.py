r"""Motion excitation (ME): channels that move from a frame to the next are made stronger, or weaker.

With semantic features s of a frame (1 x 1 convolution, C/16 wide, normalised), a depthwise 3 x 3 convolution K and the mean
over space:

.. math::
    m_t = \mathrm{mean}(K * s_{t+1}) - \mathrm{mean}(s_t), \qquad m_T = 0, \qquad
    y_t = x_t + x_t \bigl(\sigma(\mathrm{BN}(W m_t)) - \tfrac12\bigr)

Means are taken before the difference, which is the same and needs no map of it.

Reference: Li et al., TEA: Temporal Excitation and Aggregation for Action Recognition, CVPR 2020, section 3.1.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from reidar_plugin.models.clip_layer import ClipLayer

__all__ = ["MotionExcitation"]

REDUCTION = 16  #: channels over those that are compared, as published


class MotionExcitation(ClipLayer):
    """Maps ``(B * T, C, h, w)`` -> the same shape, T from 1 on: a frame alone does not move.

    Args:
        channels: C, at least 16.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        width = channels // REDUCTION
        self.squeeze, self.squeeze_norm = nn.Conv2d(channels, width, 1, bias=False), nn.BatchNorm2d(width)
        self.transform = nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False)
        self.expand, self.expand_norm = nn.Conv2d(width, channels, 1, bias=False), nn.BatchNorm2d(channels)
        for layer in (self.squeeze, self.transform, self.expand):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, maps: Tensor) -> Tensor:
        semantic = self.squeeze_norm(self.squeeze(maps))
        motion = self._mean(self.transform(semantic))[:, 1:] - self._mean(semantic)[:, :-1]
        motion = F.pad(motion, (0, 0, 0, 0, 0, 0, 0, 1)).flatten(0, 1)  # (B T, C/16, 1, 1)
        return maps + maps * (self.expand_norm(self.expand(motion)).sigmoid() - 0.5)

    def _mean(self, maps: Tensor) -> Tensor:
        return self.by_clip(maps.mean(dim=(2, 3), keepdim=True))
