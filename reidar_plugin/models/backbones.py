"""torchreid's networks as backbones: the host's own class without its head, and a way to its feature maps.

A network of the host ends in a global pooling, perhaps a fully connected layer, and a classifier. The joint
model needs what enters the pooling. Most networks offer it as ``featuremaps``; for the others a function here
says how the parts that they do have lead there. Nothing of a network is built again.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reidar_plugin.errors import ConfigError, nearest
from reidar_plugin.host import model_table, owner, reid
from reidar_plugin.models.ibn import fuse_ibn

__all__ = [
    "Backbone",
    "Layout",
    "backbone_names",
    "build_backbone",
    "check_resnet",
    "host_builder",
    "keep_size",
    "measured_maps",
    "unfit_names",
]

Maps = Callable[[Any, Tensor], Tensor]  # network, frames (N, 3, H, W) -> maps (N, C, h, w)
Layout = Callable[
    [Tensor], Tensor
]  # from what a part of a network gives to maps (N, C, h, w); can be pickled


class Backbone(NamedTuple):
    """A network of the host without its head."""

    name: str
    network: nn.Module
    maps: Maps  #: ``maps(network, frames)``; a plain function, so that models can be pickled and replicated
    channels: int  #: C of the maps
    frame_size: tuple[int, int]  #: height and width of the frames that it was measured with
    map_size: tuple[int, int]  #: height and width of the maps of such frames
    #: P; frames t, t + P, ... of a clip come from branch t mod P, and the clip feature has P C numbers
    branches: int = 1
    #: path of each stage that the action network may read -> from what it gives to maps ``(N, C, h, w)``;
    #: None: every submodule that gives such maps
    stages: Mapping[str, Layout] | None = None

    @property
    def feature_dim(self) -> int:
        """Width of a clip feature."""
        return self.channels * self.branches


class Family(NamedTuple):
    """What the networks of one host module have in common."""

    maps: Maps
    last_stage: str | None = None  #: submodule with the last halving, where its stride can be set to 1


def _featuremaps(network: Any, frames: Tensor) -> Tensor:
    return network.featuremaps(frames)


def _features(network: Any, frames: Tensor) -> Tensor:
    return network.features(frames)


def _rectified_features(network: Any, frames: Tensor) -> Tensor:
    return F.relu(network.features(frames))


def _stages(network: Any, frames: Tensor) -> Tensor:
    return network.stage4(network.stage3(network.stage2(network.conv1(frames))))


def _factor_blocks(network: Any, frames: Tensor) -> Tensor:
    maps = network.maxpool(F.relu(network.bn1(network.conv1(frames))))
    for block in network.feature:
        maps, _ = block(maps)  # a block also returns its factors, which only the host's head reads
    return maps


def _cells(network: Any, frames: Tensor) -> Tensor:
    """NASNet: every cell reads the last two maps."""
    stem = network.conv0(frames)
    before = network.cell_stem_0(stem)
    now = network.cell_stem_1(stem, before)
    for name, cell in network.named_children():
        if name.startswith(("cell_", "reduction_cell_")) and "stem" not in name:
            now, before = cell(now, before), now
    return network.relu(now)


#: host module -> how its networks give maps; a module that is not named here must offer ``featuremaps``
FAMILIES: dict[str, Family] = {
    "resnet": Family(_featuremaps, "layer4"),
    "resnet_ibn_a": Family(_featuremaps, "layer4"),
    "resnet_ibn_b": Family(_featuremaps, "layer4"),
    "senet": Family(_featuremaps, "layer4"),
    "xception": Family(_featuremaps, "block12"),
    "mobilenetv2": Family(_featuremaps, "conv7"),
    "shufflenetv2": Family(_featuremaps, "stage4"),
    "shufflenet": Family(_stages, "stage4"),
    "mlfn": Family(_factor_blocks, "feature.13"),
    "densenet": Family(_rectified_features),  # here and below the last halving is no stride of a whole stage
    "squeezenet": Family(_features),
    "inceptionv4": Family(_features),
    "nasnet": Family(_cells),
}

#: host module -> why its networks cannot serve
UNFIT: dict[str, str] = {
    "pcb": "part-based: one classifier a stripe, no global pooling; use reidar_resnet50, its trunk",
    "hacnn": "two streams with regions of their own that meet only after pooling; frames must be 160 x 64",
    "resnetmid": "pools three depths and fuses them, no single map enters its pooling; use reidar_resnet50",
}

#: children of a host network that belong to its head
HEAD = ("classifier", "fc", "fc_x", "fc_s", "global_avgpool", "avgpool", "dropout")


def backbone_names() -> list[str]:
    """Names in the host's model table that can serve as a backbone."""
    return [name for name, builder in _host_models().items() if _family_name(builder) not in UNFIT]


def unfit_names() -> dict[str, str]:
    """Names in the host's model table that cannot serve, each with the reason in one line."""
    reasons = {name: UNFIT.get(_family_name(builder)) for name, builder in _host_models().items()}
    return {name: reason for name, reason in reasons.items() if reason}


def build_backbone(
    name: str,
    *,
    frame_size: tuple[int, int] = (256, 128),
    last_stride: int = 1,
    pretrained: bool = False,
) -> Backbone:
    """The host's network of that name, without its head, with fused normalisation.

    Args:
        name: as in the host's model table.
        frame_size: height and width of the frames; the size of the maps is measured with it.
        last_stride: 1 keeps the maps of the last stage twice as large, where the network has a stride to
            change there; 2 leaves the network as the host builds it.
        pretrained: let the host load its own ImageNet weights; see :mod:`reidar_plugin.models.weights`.
    """
    builder = host_builder(name)
    if last_stride not in (1, 2):
        raise ConfigError(f"the last stride must be 1 or 2, got {last_stride}")
    network = builder(num_classes=1, loss="softmax", pretrained=pretrained, use_gpu=False)
    for child in HEAD:
        if isinstance(getattr(network, child, None), nn.Module) or child in network._modules:
            delattr(network, child)
    fuse_ibn(network)
    family = FAMILIES.get(_family_name(builder), Family(_featuremaps))
    if last_stride == 1 and family.last_stage:
        keep_size(network.get_submodule(family.last_stage))
    channels, height, width = measured_maps(name, network, family.maps, frame_size)
    return Backbone(name, network, family.maps, channels, frame_size, (height, width))


def _host_models() -> dict[str, Callable[..., Any]]:
    """The host's table without what others have put there."""
    own = reid.models.__name__
    return {name: builder for name, builder in model_table().items() if owner(builder).startswith(f"{own}.")}


def _family_name(builder: Callable[..., Any]) -> str:
    return builder.__module__.rpartition(".")[2]


def host_builder(name: str) -> Callable[..., Any]:
    """The host's builder of a network that can serve as a backbone."""
    table = _host_models()
    if name not in table:
        raise ConfigError(f"torchreid has no model {name!r};{nearest(name, table)} it has {sorted(table)}")
    if name in unfit_names():
        raise ConfigError(f"{name} cannot be a backbone: {unfit_names()[name]}")
    return table[name]


def keep_size(stage: nn.Module) -> None:
    """Set every stride of 2 in a stage to 1."""
    for layer in stage.modules():
        if isinstance(layer, (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)) and layer.stride in (2, (2, 2)):
            layer.stride = (1, 1)


@torch.no_grad()
def measured_maps(
    name: str, network: nn.Module, maps: Maps, frame_size: tuple[int, int]
) -> tuple[int, int, int]:
    """Channels, height and width of the maps, by one frame through the network."""
    network.eval()
    try:
        measured = maps(network, torch.zeros(1, 3, *frame_size))
    except (AttributeError, RuntimeError) as error:
        size = f"{frame_size[0]} x {frame_size[1]}"
        raise ConfigError(f"{name} gives no feature maps for frames of {size}: {error}") from error
    network.train()
    channels, height, width = measured.shape[1:]
    return channels, height, width


def check_resnet(backbone: Backbone, what: str) -> None:
    """Refuse a network that is no ResNet with stages ``layer1`` to ``layer4`` of residual blocks.

    Args:
        backbone: the network.
        what: what would be built into it, for the error message.
    """
    stages = [getattr(backbone.network, f"layer{number}", None) for number in range(1, 5)]
    if not all(isinstance(stage, nn.Sequential) and hasattr(stage[0], "conv2") for stage in stages):
        raise ConfigError(
            f"{what} takes the stages of a ResNet, and {backbone.name} has none; "
            "choose one such as resnet50 or resnet50_ibn_a"
        )
