"""What stands under the heads of a joint model, by name: a network of single frames, or one whose frames see each other.

=============================== ===========================================================================
name                            trunk
=============================== ===========================================================================
``<name>``                      a network of torchreid, or of :mod:`~reidar_plugin.models.own`
``timm_<name>``                 a network of timm, with the extra ``timm``
``ap3d_<name>``                 AP3D on a ResNet of torchreid
``ap3d_nl_<name>``              AP3D with non-local blocks
``tclnet_<name>``               TCLNet on a ResNet of torchreid, two branches
``tea_<name>``                  TEA on a Res2Net of ours, or without its groups on a ResNet of torchreid
``vtn_<name>``                  VTN on a vision transformer of ours, or on any network of torchreid
=============================== ===========================================================================
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from reidar_plugin.models.ap3d.trunk import align_frames
from reidar_plugin.models.backbones import Backbone, backbone_names, build_backbone
from reidar_plugin.models.own import build_own, own_names
from reidar_plugin.models.tclnet.erasing import BRANCHES
from reidar_plugin.models.tclnet.trunk import complement_frames
from reidar_plugin.models.tea.trunk import excite_motion
from reidar_plugin.models.timm_networks import build_timm
from reidar_plugin.models.vtn.trunk import encode_clips
from reidar_plugin.models.weights import pretrained_backbone

__all__ = ["TIMM", "VIDEO", "branches_of", "build_trunk", "is_trunk", "video_trunks"]

#: What stands before timm's name of a network.
TIMM = "timm_"

#: What stands before the name of a plain network -> what makes it a trunk for clips, in place; the longest one first.
VIDEO: dict[str, Callable[[Backbone], Backbone]] = {
    "ap3d_nl_": partial(align_frames, non_local=True),
    "ap3d_": align_frames,
    "tclnet_": complement_frames,
    "tea_": excite_motion,
    "vtn_": encode_clips,
}


def video_trunks() -> list[str]:
    """The trunks for clips that are listed; :func:`is_trunk` knows other networks behind their prefixes."""
    return [
        *("ap3d_resnet50", "ap3d_nl_resnet50", "ap3d_resnet18", "ap3d_nl_resnet18"),
        *("tclnet_resnet50", "tclnet_resnet18"),
        *("tea_res2net50", "tea_res2net26"),
        *("vtn_vit_b16", "vtn_resnet18"),
    ]


def is_trunk(name: str) -> bool:
    """Whether that names a trunk, listed or not. What timm has, and what a prefix takes, is seen when it is built."""
    plain = name.removeprefix(_prefix(name))
    return plain.startswith(TIMM) or plain in own_names() or plain in backbone_names()


def branches_of(name: str) -> int:
    """P of the trunk of that name, see :class:`~reidar_plugin.models.backbones.Backbone`."""
    return BRANCHES if _prefix(name) == "tclnet_" else 1


def _prefix(name: str) -> str:
    return next((prefix for prefix in VIDEO if name.startswith(prefix)), "")


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
    prefix = _prefix(name)
    plain = name.removeprefix(prefix)
    given: dict[str, Any] = {"frame_size": frame_size, "last_stride": last_stride}
    if plain in own_names():
        backbone = build_own(plain, pretrained=pretrained, weights=weights, sha256=sha256, **given)
    elif plain.startswith(TIMM):
        plain = plain.removeprefix(TIMM)
        backbone = build_timm(plain, pretrained=pretrained, weights=weights, sha256=sha256, **given)
    elif pretrained:
        backbone = pretrained_backbone(plain, weights=weights, sha256=sha256, **given)
    else:
        backbone = build_backbone(plain, **given)
    return VIDEO[prefix](backbone)._replace(name=name, stages=None) if prefix else backbone
