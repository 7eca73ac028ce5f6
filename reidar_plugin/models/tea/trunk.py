"""TEA's trunk: in every block motion excites the channels, and temporal kernels stand before the spatial ones.

In a block of a Res2Net a temporal kernel stands before each group's convolution, and one that starts as a shift in the group
that has none. In a block of a ResNet of torchreid, which has no such groups, one stands before the second convolution.
"""

from typing import Any

from torch import nn

from reidar_plugin.models.backbones import Backbone, check_resnet
from reidar_plugin.models.res2net import SCALE, Res2Net
from reidar_plugin.models.tea.excitation import MotionExcitation
from reidar_plugin.models.tea.mixing import TemporalMixing

__all__ = ["excite_motion"]


def excite_motion(backbone: Backbone) -> Backbone:
    """Turn a Res2Net, or a ResNet of the host, into TEA's trunk, in place.

    Args:
        backbone: the network.
    """
    network: Any = backbone.network
    grouped = isinstance(network, Res2Net)
    if not grouped:
        check_resnet(backbone, "TEA")
    for stage in (network.layer1, network.layer2, network.layer3, network.layer4):
        for block in stage:
            (_aggregate if grouped else _mix)(block)
    return backbone


def _aggregate(block: Any) -> None:
    channels = block.conv1.out_channels
    width = channels // SCALE
    block.excite = MotionExcitation(channels)
    block.mix = nn.ModuleList(TemporalMixing(width) for _ in block.convs)
    block.mix.append(TemporalMixing(width, shifted=True))


def _mix(block: Any) -> None:
    width = block.conv2.in_channels
    block.conv2 = nn.Sequential(MotionExcitation(width), TemporalMixing(width), block.conv2)
