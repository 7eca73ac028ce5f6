"""Layers inside a network of frames that also look at the other frames of a clip.

Between the layers of a network travel maps ``(B * T, C, h, w)``: frames are the batch, and nothing tells where a clip ends.
A :class:`ClipLayer` is told T before the network runs, on itself, so that a replica of ``DataParallel`` has its own. So a
network of torchreid stays what it is, with some of its layers exchanged, and needs no forward pass of its own.
"""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

__all__ = ["ClipLayer", "maps_of_clips", "tell_length"]


class ClipLayer(nn.Module):
    """A layer ``(B * T, C, h, w) -> (B * T, C', h', w')`` that mixes the T frames of a clip, and never two clips."""

    length: int = 1  #: T, frames in a clip

    def by_clip(self, maps: Tensor) -> Tensor:
        """``(B * T, ...) -> (B, T, ...)``."""
        return maps.unflatten(0, (-1, self.length))


def tell_length(network: nn.Module, length: int) -> None:
    """Tell every clip layer of a network how many frames a clip of the next batch has."""
    for layer in network.modules():
        if isinstance(layer, ClipLayer):
            layer.length = length


def maps_of_clips(network: nn.Module, maps: Callable[[Any, Tensor], Tensor], clips: Tensor) -> Tensor:
    """Maps ``(B, T, C, h, w)`` of clips ``(B, T, 3, H, W)``.

    Args:
        network: what gives maps.
        maps: its way to them, ``maps(network, frames (B * T, 3, H, W))``.
        clips: in the memory format of the network.
    """
    tell_length(network, clips.shape[1])
    return maps(network, clips.flatten(0, 1)).unflatten(0, clips.shape[:2])
