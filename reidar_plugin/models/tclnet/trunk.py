"""TCLNet's trunk: a ResNet of torchreid with saliency boosting behind its second stage, and a fourth stage that erases.

Frames 1, 3, ... of a clip come from branch 0, frames 2, 4, ... from branch 1, so that a clip feature is twice as wide as the
maps: each branch is pooled, normalised and classified apart (``branch_logits`` of the joint model).
"""

from typing import Any

from reidar_plugin.models.backbones import Backbone, check_resnet
from reidar_plugin.models.tclnet.boosting import SaliencyBoosting
from reidar_plugin.models.tclnet.erasing import BRANCHES, SaliencyErasing

__all__ = ["complement_frames"]


def complement_frames(backbone: Backbone) -> Backbone:
    """Turn a ResNet into TCLNet's trunk, in place.

    Args:
        backbone: a ResNet of the host.
    """
    check_resnet(backbone, "TCLNet")
    network: Any = backbone.network
    network.layer2.append(SaliencyBoosting(backbone.channels // 4))  # stages double their width
    network.layer4 = SaliencyErasing(network.layer4, backbone.channels // 2, backbone.channels)
    return backbone._replace(branches=BRANCHES)
