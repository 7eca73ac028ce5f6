r"""Non-local block: every position reads all positions of its clip.

.. math::
    z = x + \mathrm{BN}\bigl(W\, \mathrm{softmax}(\theta(x)\, \phi(x)^T)\, g(x)\bigr)

Keys and values are pooled 2 x 2. The scale of the normalisation starts at 0, so that the block starts as the identity.

Reference: Wang et al., Non-local Neural Networks, CVPR 2018, in the form that AP3D's code takes.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from reidar_plugin.models.clip_layer import ClipLayer

__all__ = ["NonLocal"]


class NonLocal(ClipLayer):
    """Maps ``(B * T, C, h, w)`` -> the same shape, h and w from 2 on.

    Args:
        channels: C; queries, keys and values are half as wide.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        width = channels // 2
        self.query, self.key, self.value = (nn.Conv2d(channels, width, 1) for _ in range(3))
        self.out = nn.Conv2d(width, channels, 1)
        self.norm = nn.BatchNorm2d(channels)
        for layer in (self.query, self.key, self.value, self.out):
            nn.init.normal_(layer.weight, std=(2 / layer.out_channels) ** 0.5)
        nn.init.zeros_(self.norm.weight)

    def forward(self, maps: Tensor) -> Tensor:
        key, value = (F.max_pool2d(layer(maps), 2) for layer in (self.key, self.value))
        query, key, value = (self._places(each) for each in (self.query(maps), key, value))
        # one head: ONNX knows no attention without heads
        heads = F.scaled_dot_product_attention(query[:, None], key[:, None], value[:, None], scale=1.0)
        seen = heads[:, 0]  # (B, T * L, C/2)
        seen = seen.unflatten(1, (self.length, -1)).flatten(0, 1).transpose(1, 2)
        return maps + self.norm(self.out(seen.unflatten(2, maps.shape[2:])))

    def _places(self, maps: Tensor) -> Tensor:
        """All positions of a clip in a row, ``(B, T * L, C/2)``."""
        return self.by_clip(maps).flatten(3).transpose(2, 3).flatten(1, 2)
