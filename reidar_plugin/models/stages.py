"""Maps from inside a backbone: which stages can be named, and how the maps of one are had while the network runs.

A stage is any submodule that is called once for a frame and gives maps ``(N, C, h, w)``. It hands them over through a
forward hook that keeps them on the stage itself, so that a replica of ``DataParallel`` finds those of its own device.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from reidar_plugin.errors import ConfigError, nearest
from reidar_plugin.models.backbones import Backbone
from reidar_plugin.models.clip_layer import maps_of_clips

__all__ = ["keep_maps", "stage_channels", "stage_names", "take_maps"]

_KEPT = "_maps_for_actions"


def keep_maps(backbone: Backbone, stage: str) -> int:
    """Make a stage keep its maps at every call, for :func:`take_maps`; returns their channels.

    Args:
        backbone: network and way to its maps.
        stage: path of a submodule, such as ``layer3`` of a ResNet or ``conv3.1`` of an OSNet.
    """
    channels = stage_channels(backbone)
    if stage not in channels:
        names = stage_names(backbone)
        raise ConfigError(
            f"reidar.model.action_source {stage!r}: {backbone.name} has no such stage;{nearest(stage, names)} "
            f"choose feature (the clip feature), frames or one of {', '.join(names)}"
        )
    backbone.network.get_submodule(stage).register_forward_hook(_keep)
    return channels[stage]


def take_maps(network: nn.Module, stage: str) -> Tensor:
    """The maps ``(N, C, h, w)`` that a stage kept at its last call; it keeps them no longer."""
    return network.get_submodule(stage).__dict__.pop(_KEPT)


def stage_channels(backbone: Backbone) -> dict[str, int]:
    """Channels of the maps of every submodule that is a stage, by its path."""
    maps: dict[str, list[Any]] = {path: [] for path, _ in backbone.network.named_modules() if path}
    hooks = [
        backbone.network.get_submodule(path).register_forward_hook(
            lambda _, __, output, path=path: maps[path].append(output)
        )
        for path in maps
    ]
    mode = backbone.network.training
    backbone.network.eval()
    try:
        with torch.no_grad():
            clip = torch.zeros(1, backbone.branches, 3, *backbone.frame_size)
            maps_of_clips(backbone.network, backbone.maps, clip)
    finally:
        backbone.network.train(mode)
        for hook in hooks:
            hook.remove()
    return {
        path: found[0].shape[1] for path, found in maps.items() if len(found) == 1 and _are_maps(found[0])
    }


def stage_names(backbone: Backbone) -> list[str]:
    """The outermost stages that have weights, in order; inside the one that holds all where there is but one."""
    stages, network = set(stage_channels(backbone)), backbone.network
    names = list(_outermost(network, "", stages))
    while len(names) == 1 and list(network.get_submodule(names[0]).children()):
        names = list(_outermost(network.get_submodule(names[0]), names[0] + ".", stages))
    return names


def _outermost(module: nn.Module, prefix: str, stages: set[str]) -> Iterator[str]:
    for name, child in module.named_children():
        if prefix + name not in stages:
            yield from _outermost(child, f"{prefix}{name}.", stages)
        elif any(True for _ in child.parameters()):
            yield prefix + name


def _are_maps(output: Any) -> bool:
    return isinstance(output, Tensor) and output.dim() == 4


def _keep(stage: nn.Module, _: Any, maps: Tensor) -> None:
    stage.__dict__[_KEPT] = maps
