"""AP3D's trunk: a ResNet of torchreid whose second and third stage align neighbouring frames.

In every other block of both stages, from the first on (ResNet-50: 0 and 2 of layer2; 0, 2 and 4 of layer3), the last
3 x 3 convolution becomes an :class:`~.convolution.AlignedConvolution`. With non-local blocks, one stands behind each of the
others. All else stays torchreid's, pretrained weights included.
"""

from typing import Any

from torch import nn

from reidar_plugin.models.ap3d.convolution import AlignedConvolution
from reidar_plugin.models.ap3d.non_local import NonLocal
from reidar_plugin.models.backbones import Backbone, check_resnet, measured_maps

__all__ = ["align_frames"]


def align_frames(backbone: Backbone, *, non_local: bool = False) -> Backbone:
    """Turn a ResNet into AP3D's trunk, in place; at first it says what the ResNet says.

    Args:
        backbone: a ResNet of the host.
        non_local: AP3D-NL, with non-local blocks.
    """
    check_resnet(backbone, "AP3D")
    network: Any = backbone.network
    for name in ("layer2", "layer3"):
        stage = getattr(network, name)
        for block in stage[::2]:
            block.conv2 = AlignedConvolution(block.conv2)
        if non_local:
            setattr(network, name, _with_non_local(stage))
    if non_local:  # which takes maps of 2 x 2 and more
        measured_maps(f"AP3D-NL on {backbone.name}", network, backbone.maps, backbone.frame_size)
    return backbone


def _with_non_local(stage: nn.Sequential) -> nn.Sequential:
    layers: list[nn.Module] = []
    for number, block in enumerate(stage):
        layers.append(block)
        if number % 2:
            layers.append(NonLocal(_width(block)))
    return nn.Sequential(*layers)


def _width(block: Any) -> int:
    """Channels that a residual block gives."""
    last = block.conv3 if hasattr(block, "conv3") else block.conv2
    return last.out_channels if isinstance(last, nn.Conv2d) else last.spatial.out_channels
