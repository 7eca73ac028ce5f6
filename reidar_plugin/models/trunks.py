"""What stands under the heads of a joint model, by name: a network of torchreid or timm, or one whose frames see each other.

=============================== ===========================================================================
name                            trunk
=============================== ===========================================================================
``<name>``                      a network of torchreid
``timm_<name>``                 a network of timm, with the extra ``timm``
``ap3d_<name>``                 AP3D on a ResNet of torchreid
``ap3d_nl_<name>``              AP3D with non-local blocks
``tclnet_<name>``               TCLNet on a ResNet of torchreid, two branches
=============================== ===========================================================================
"""

from collections.abc import Callable
from functools import partial

from reidar_plugin.models.ap3d.trunk import align_frames
from reidar_plugin.models.backbones import Backbone, build_backbone
from reidar_plugin.models.tclnet.trunk import complement_frames
from reidar_plugin.models.timm_networks import build_timm
from reidar_plugin.models.weights import pretrained_backbone

__all__ = ["TIMM", "VIDEO", "build_trunk", "video_trunks"]

#: What stands before timm's name of a network.
TIMM = "timm_"

#: What stands before the name of a plain network -> what makes it a trunk for clips, in place; the longest one first.
VIDEO: dict[str, Callable[[Backbone], Backbone]] = {
    "ap3d_nl_": partial(align_frames, non_local=True),
    "ap3d_": align_frames,
    "tclnet_": complement_frames,
}


def video_trunks() -> list[str]:
    """The trunks for clips that are registered; :func:`build_trunk` takes any other ResNet behind their prefixes."""
    return ["ap3d_resnet50", "ap3d_nl_resnet50", "ap3d_resnet18", "tclnet_resnet50", "tclnet_resnet18"]


def build_trunk(
    name: str,
    *,
    pretrained: bool = False,
    frame_size: tuple[int, int] = (256, 128),
    last_stride: int = 1,
    weights: str = "",
    sha256: str = "",
) -> Backbone:
    """The trunk of that name, with or without pretrained weights.

    Args:
        name: see above.
        pretrained: start from the weights of the plain network.
        frame_size: height and width of the frames.
        last_stride: see :func:`~reidar_plugin.models.backbones.build_backbone`.
        weights: file of these weights; empty for the published ones.
        sha256: checksum that this file must have; empty for none.
    """
    prefix = next((prefix for prefix in VIDEO if name.startswith(prefix)), "")
    backbone = _of_pictures(name.removeprefix(prefix), pretrained, frame_size, last_stride, weights, sha256)
    return VIDEO[prefix](backbone)._replace(name=name) if prefix else backbone


def _of_pictures(
    name: str, pretrained: bool, frame_size: tuple[int, int], last_stride: int, weights: str, sha256: str
) -> Backbone:
    if name.startswith(TIMM):
        return build_timm(
            name.removeprefix(TIMM),
            pretrained=pretrained,
            frame_size=frame_size,
            last_stride=last_stride,
            weights=weights,
            sha256=sha256,
        )
    if not pretrained:
        return build_backbone(name, frame_size=frame_size, last_stride=last_stride)
    return pretrained_backbone(
        name, frame_size=frame_size, last_stride=last_stride, weights=weights, sha256=sha256
    )
