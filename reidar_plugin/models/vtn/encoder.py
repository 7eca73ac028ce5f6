"""VTN's temporal encoder: a clip token before the frames of a clip, three layers of attention, and what the token then says.

::

    maps (B T, C, h, w) -> mean over space -> frames (B, T, C)
      | clip token before them, positions added, normalised
    tokens (B, 1 + T, C)
      | 3 x: normalised(x + attention), normalised(x + MLP)
    clip token (B, C)
      | normalisation, linear, GELU, dropout
    clip (B, C), given out once for each frame: (B T, C, 1, 1)

Reference: Neimark et al., Video Transformer Network, ICCV workshops 2021.
"""

import torch
from torch import Tensor, nn

from reidar_plugin.errors import ConfigError
from reidar_plugin.models.clip_layer import ClipLayer
from reidar_plugin.models.vtn.attention import HEAD, WindowAttention

__all__ = ["FRAMES", "REACH", "TemporalEncoder"]

LAYERS = 3
REACH = 9  #: a window of 18: 9 frames to each side
FRAMES = 286  #: positions; frame t of a longer clip has that of t modulo 286
DROPOUT, HEAD_DROPOUT = 0.1, 0.5
EPSILON = 1e-12


class EncoderLayer(nn.Module):
    """Attention and MLP, normalised after they were added: ``(B, 1 + T, C)`` -> the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.attention = WindowAttention(channels, REACH, DROPOUT)
        self.mlp = nn.Sequential(
            nn.Linear(channels, 4 * channels), nn.GELU(), nn.Linear(4 * channels, channels)
        )
        self.norm1, self.norm2 = (nn.LayerNorm(channels, eps=EPSILON) for _ in range(2))
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = self.norm1(tokens + self.dropout(self.attention(tokens)))
        return self.norm2(tokens + self.dropout(self.mlp(tokens)))


class TemporalEncoder(ClipLayer):
    """Maps ``(B * T, C, h, w) -> (B * T, C, 1, 1)``, the same for all frames of a clip; T from 1 on.

    Args:
        channels: C, a multiple of 64.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        if channels % HEAD:
            raise ConfigError(
                f"VTN's attention has heads of {HEAD} channels, got maps of {channels}: take another network"
            )
        self.token = nn.Parameter(torch.randn(1, 1, channels))
        self.positions = nn.Parameter(0.02 * torch.randn(1 + FRAMES, channels))  # the token's first
        self.norm, self.dropout = nn.LayerNorm(channels, eps=EPSILON), nn.Dropout(DROPOUT)
        self.layers = nn.Sequential(*(EncoderLayer(channels) for _ in range(LAYERS)))
        for layer in self.layers.modules():
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=0.02)
                nn.init.zeros_(layer.bias)
        self.head = nn.Sequential(
            nn.LayerNorm(channels), nn.Linear(channels, channels), nn.GELU(), nn.Dropout(HEAD_DROPOUT)
        )

    def forward(self, maps: Tensor) -> Tensor:
        frames = self.by_clip(maps.mean(dim=(2, 3)))
        tokens = torch.cat([self.token.expand(len(frames), -1, -1), frames], dim=1) + self._positions()
        tokens = self.layers(self.dropout(self.norm(tokens)))
        said = self.head(tokens[:, 0])
        return said.repeat_interleave(self.length, dim=0)[:, :, None, None]

    def _positions(self) -> Tensor:
        """``(1 + T, C)``."""
        frames = torch.arange(self.length, device=self.positions.device) % FRAMES
        return torch.cat([self.positions[:1], self.positions[1:][frames]])
