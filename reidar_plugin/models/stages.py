"""Maps from inside a backbone: which stages can be named, and how the maps of one are had while the network runs.

A stage is any submodule that is called once for a frame and gives maps ``(N, C, h, w)``; or, where a backbone lists its
stages, one of these, with the way from what it gives to such maps. It hands them over through a forward hook that keeps them
on the stage itself, so that a replica of ``DataParallel`` finds those of its own device.
"""

from collections.abc import Container, Iterator, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from reidar_plugin.errors import ConfigError, nearest
from reidar_plugin.models.backbones import Backbone, Layout
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
        choices = ", ".join(["feature (the clip feature)", "frames", *names])
        raise ConfigError(
            f"reidar.model.action_source {stage!r}: {backbone.name} has no such stage;{nearest(stage, names)} "
            f"choose one of {choices}"
        )
    hook = partial(_keep, layout=_layouts(backbone)[stage])
    backbone.network.get_submodule(stage).register_forward_hook(hook)
    return channels[stage]


def take_maps(network: nn.Module, stage: str) -> Tensor:
    """The maps ``(N, C, h, w)`` that a stage kept at its last call; it keeps them no longer."""
    return network.get_submodule(stage).__dict__.pop(_KEPT)


def stage_channels(backbone: Backbone) -> dict[str, int]:
    """Channels of the maps of every submodule that is a stage, by its path."""
    layouts = _layouts(backbone)
    outputs: dict[str, list[Any]] = {path: [] for path in layouts}
    hooks = [
        backbone.network.get_submodule(path).register_forward_hook(
            lambda _, __, output, path=path: outputs[path].append(output)
        )
        for path in outputs
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
    once = {path: found[0] for path, found in outputs.items() if len(found) == 1}
    maps = {path: layouts[path](output) for path, output in once.items() if isinstance(output, Tensor)}
    return {path: found.shape[1] for path, found in maps.items() if found.dim() == 4}


def stage_names(backbone: Backbone) -> list[str]:
    """The outermost stages that have weights, in order; inside the one that holds all where there is but one.

    Where the backbone lists its stages, these.
    """
    stages, network = stage_channels(backbone), backbone.network
    if backbone.stages is not None:
        return list(stages)
    names = list(_outermost(network, "", stages))
    while len(names) == 1 and list(network.get_submodule(names[0]).children()):
        names = list(_outermost(network.get_submodule(names[0]), names[0] + ".", stages))
    return names


def _layouts(backbone: Backbone) -> Mapping[str, Layout]:
    """Path of what may be a stage -> from what it gives to maps."""
    if backbone.stages is not None:
        return backbone.stages
    return dict.fromkeys((path for path, _ in backbone.network.named_modules() if path), _as_it_is)


def _as_it_is(output: Tensor) -> Tensor:
    return output


def _outermost(module: nn.Module, prefix: str, stages: Container[str]) -> Iterator[str]:
    for name, child in module.named_children():
        if prefix + name not in stages:
            yield from _outermost(child, f"{prefix}{name}.", stages)
        elif any(True for _ in child.parameters()):
            yield prefix + name


def _keep(stage: nn.Module, _: Any, output: Tensor, *, layout: Layout) -> None:
    stage.__dict__[_KEPT] = layout(output)
