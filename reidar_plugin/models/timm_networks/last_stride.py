"""Maps of the last stage twice as large: the last stride of 2 becomes 1, as in torchreid's networks.

What halves the maps last is found by running the network, not by its name: every convolution and pooling of stride 2 that
gives maps of the final size. In ResNet, ResNetV2, RegNet, EfficientNet, MobileNet and their like these are all there is, and
with their stride at 1 the last stage gives maps of the size that it reads. A pooling as large as its stride (the shortcut of
a ResNet-D) has nothing left to do and goes.

Nothing is done to a network that never goes below 1/16 of the frame, or whose patches have one size throughout (ViT, Mixer).
All others (ConvNeXt: patches of 2 x 2; Swin: merging of neighbours) are refused.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from reidar_plugin.errors import ConfigError, summary

__all__ = ["keep_last_size"]

Size = tuple[int, int]
FINEST = 16  #: pixels that a map's pixel may span, to count as small enough

_STRIDED = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)


def keep_last_size(name: str, network: Any, maps: Callable[[Tensor], Tensor], frame_size: Size) -> None:
    """Set the last stride of 2 to 1, in place.

    Args:
        name: of the network, for the error message.
        network: of timm.
        maps: frames ``(1, 3, H, W)`` -> its maps.
        frame_size: H and W.

    Raises:
        ConfigError: it has a last halving that is no such stride.
    """
    final, halvings = _last_halvings(network, maps, frame_size)
    if frame_size[0] <= FINEST * final[0] or _has_one_size(network):
        return
    for layer in halvings:
        _set_to_one(layer)
    read = {*halvings.values()}
    try:
        kept = bool(read) and {_size(maps(torch.zeros(1, 3, *frame_size)))} == read
        reason = ""
    except (RuntimeError, AssertionError) as error:
        kept, reason = False, f" ({summary(error)})"
    if not kept:
        raise ConfigError(
            f"timm's {name} halves its maps last with something else than a padded convolution or a pooling of stride "
            f"2{reason}, so that this stride stays: set reidar.model.last_stride 2"
        )


def _last_halvings(
    network: nn.Module, maps: Callable[[Tensor], Tensor], frame_size: Size
) -> tuple[Size, dict[nn.Module, Size]]:
    """Size of the maps, and the layers of stride 2 that give that size, each with the size that it reads."""
    sizes: dict[nn.Module, tuple[Size, Size]] = {}

    def note(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        sizes[layer] = _size(inputs[0]), _size(output)

    layers = [layer for layer in network.modules() if isinstance(layer, _STRIDED)]
    hooks = [layer.register_forward_hook(note) for layer in layers if layer.stride in (2, (2, 2))]
    final = _size(maps(torch.zeros(1, 3, *frame_size)))
    for hook in hooks:
        hook.remove()
    return final, {layer: came for layer, (came, went) in sizes.items() if went == final != came}


def _has_one_size(network: Any) -> bool:
    return len({entry["reduction"] for entry in network.feature_info}) == 1


def _set_to_one(layer: Any) -> None:
    if not isinstance(layer, nn.Conv2d) and layer.kernel_size == layer.stride:
        layer.kernel_size = (1, 1)
    layer.stride = (1, 1)


def _size(maps: Tensor) -> Size:
    height, width = maps.shape[2:]
    return height, width
