r"""APP3DC: a spatial convolution, and a temporal one over the aligned neighbours as its residual.

.. math::
    y = s + W_{-1}\, \hat s_{t-1} + W_0\, s_t + W_1\, \hat s_{t+1}, \qquad s = \text{spatial}(x)

The temporal kernel starts at 0: a network that has been given such convolutions says what it said before.

Reference: Gu et al., AP3D, ECCV 2020, section 4.2: APP3DC, spatial and temporal convolution in series with a shortcut.
"""

import torch
from torch import Tensor, nn

from reidar_plugin.models.ap3d.alignment import Alignment
from reidar_plugin.models.clip_layer import ClipLayer

__all__ = ["AlignedConvolution"]


class AlignedConvolution(ClipLayer):
    """Maps ``(B * T, C, h, w) -> (B * T, C', h', w')``, T from 1 on.

    Args:
        spatial: the convolution of the plain network, which stays as it is.
    """

    def __init__(self, spatial: nn.Conv2d) -> None:
        super().__init__()
        channels = spatial.out_channels
        self.spatial = spatial
        self.align = Alignment(channels)
        # previous, own and next frame side by side: a temporal kernel of 3 over frames that lie in channels
        self.temporal = nn.Conv2d(3 * channels, channels, 1, bias=False)
        nn.init.zeros_(self.temporal.weight)

    def forward(self, maps: Tensor) -> Tensor:
        maps = self.spatial(maps)
        before, after = self.align(self.by_clip(maps))
        frames = torch.cat([before.flatten(0, 1), maps, after.flatten(0, 1)], dim=1)
        return maps + self.temporal(frames)
