"""VTN's trunk: a network of frames, and an encoder over the frames of a clip behind it."""

from typing import Any

from torch import Tensor, nn

from reidar_plugin.models.backbones import Backbone
from reidar_plugin.models.vtn.encoder import TemporalEncoder

__all__ = ["VideoTransformer", "encode_clips"]


class VideoTransformer(nn.Module):
    """Frames ``(B * T, 3, H, W)`` -> what is said of their clip ``(B * T, C, 1, 1)``.

    Args:
        backbone: the network of frames; its maps are averaged over space.
    """

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.spatial, self._maps = backbone.network, backbone.maps
        self.temporal = TemporalEncoder(backbone.channels)

    def forward(self, frames: Tensor) -> Tensor:
        return self.temporal(self._maps(self.spatial, frames))


def encode_clips(backbone: Backbone) -> Backbone:
    """VTN's trunk on a network of frames.

    Args:
        backbone: any whose maps have a multiple of 64 channels.
    """
    return backbone._replace(network=VideoTransformer(backbone), maps=_through, map_size=(1, 1))


def _through(network: Any, frames: Tensor) -> Tensor:
    return network(frames)
