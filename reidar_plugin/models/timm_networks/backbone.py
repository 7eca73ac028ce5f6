"""timm's networks as backbones: its own class without its head, built for frames of our size, and a way to its maps."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from reidar_plugin.errors import ConfigError, InputError, summary
from reidar_plugin.models.backbones import Backbone, Layout, measured_maps
from reidar_plugin.models.timm_networks.last_stride import keep_last_size
from reidar_plugin.models.timm_networks.layout import layout_of, stage_layouts
from reidar_plugin.models.timm_networks.package import check_name, timm_library
from reidar_plugin.models.timm_networks.weights import check_positions, downloaded, from_file

__all__ = ["build_timm"]


def build_timm(
    name: str,
    *,
    pretrained: bool = False,
    frame_size: tuple[int, int] = (256, 128),
    last_stride: int = 1,
    weights: str = "",
    sha256: str = "",
) -> Backbone:
    """timm's network of that name, without its head.

    Args:
        name: as in ``timm.list_models()``, or with the tag of its weights as in ``timm.list_pretrained()``.
        pretrained: start from pretrained weights; without it nothing is fetched.
        frame_size: height and width of the frames. A network that is built for one size is built for this one, and its
            pretrained position embeddings are interpolated to it.
        last_stride: 1 as in :mod:`~reidar_plugin.models.timm_networks.last_stride`; 2 leaves the network as it is.
        weights: local file of these weights, under timm's names; empty for timm's own download.
        sha256: checksum that this file must have; empty for none.

    Raises:
        ConfigError: timm is missing or has no such network, or it has no maps, or no last stride to change.
    """
    check_name(name)
    if last_stride not in (1, 2):
        raise ConfigError(f"the last stride must be 1 or 2, got {last_stride}")
    fixed = bool(timm_library().get_pretrained_cfg(name).fixed_input_size)
    network = _built(name, pretrained, weights, sha256, {"img_size": frame_size} if fixed else {})
    if pretrained:
        check_positions(name, network)
    network.eval()
    layout = layout_of(name, network, _features_alone(name, network, frame_size), frame_size)
    only = (
        frame_size if fixed or isinstance(layout, partial) else None
    )  # a grid of tokens belongs to one size
    maps = partial(_maps, layout=layout, only=only)
    if last_stride == 1:
        with torch.no_grad():
            keep_last_size(name, network, partial(maps, network), frame_size)
    stages = stage_layouts(network, layout, frame_size)
    ours = f"timm_{name}"
    channels, height, width = measured_maps(ours, network, maps, frame_size)
    return Backbone(ours, network, maps, channels, frame_size, (height, width), stages=stages)


def _built(name: str, pretrained: bool, weights: str, sha256: str, size: dict[str, Any]) -> Any:
    try:
        if not pretrained:
            return timm_library().create_model(name, num_classes=0, **size)
        return from_file(name, Path(weights), sha256, **size) if weights else downloaded(name, **size)
    except (AssertionError, TypeError) as error:  # no argument for it, or not of this size
        raise ConfigError(
            f"timm's {name} cannot be built for frames of another size ({summary(error)}): wanted {size}; choose "
            "another network, or another size in data.height and data.width"
        ) from error


@torch.no_grad()
def _features_alone(name: str, network: Any, frame_size: tuple[int, int]) -> Any:
    """What a network gives for a frame; its children that only its head calls are taken off."""
    try:
        body, output = _called(network, network.forward_features, torch.zeros(1, 3, *frame_size))
        head, _ = _called(network, network.forward_head, output)
    except (AssertionError, AttributeError, IndexError, RuntimeError, TypeError, ValueError) as error:
        raise ConfigError(
            f"timm's {name} takes no frames of {frame_size[0]} x {frame_size[1]} ({summary(error)}); set data.height "
            "and data.width to a size that it takes, or choose another network"
        ) from error
    for child, module in list(network.named_children()):
        parts = {*module.modules()}
        if parts & head and not parts & body:
            delattr(network, child)
    return output


def _called(network: nn.Module, step: Callable[[Any], Any], given: Any) -> tuple[set[nn.Module], Any]:
    """The modules of a network that a step of it calls, and what the step gives."""
    called: set[nn.Module] = set()
    hooks = [part.register_forward_hook(lambda part, *_: called.add(part)) for part in network.modules()]
    try:
        return called, step(given)
    finally:
        for hook in hooks:
            hook.remove()


def _maps(network: Any, frames: Tensor, *, layout: Layout, only: tuple[int, int] | None) -> Tensor:
    if only and tuple(frames.shape[2:]) != only:
        height, width = frames.shape[2:]
        raise InputError(
            f"{type(network).__name__} was built for frames of {only[0]} x {only[1]}, got frames of {height} x {width}: "
            "set data.height and data.width to the frames' size"
        )
    return layout(network.forward_features(frames))
