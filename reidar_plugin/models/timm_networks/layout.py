"""From what a network of timm gives to maps ``(N, C, h, w)``.

============================================= ==============================================================
what it gives                                 networks
============================================= ==============================================================
maps ``(N, C, h, w)``                         convolutional networks, and most that mix them with attention
maps ``(N, h, w, C)``                         Swin, MambaOut and others that say so (``output_fmt``)
tokens ``(N, P + h w, C)``, row after row     ViT, DeiT, BEiT, EVA, Mixer: P prefix tokens (class, distillation,
                                              registers) belong to no place of the frame and are left out
============================================= ==============================================================
"""

import math
from functools import partial
from typing import Any

import torch
from torch import Tensor

from reidar_plugin.errors import ConfigError
from reidar_plugin.models.backbones import Layout

__all__ = ["layout_of", "stage_layouts"]


def layout_of(name: str, network: Any, output: Any, frame_size: tuple[int, int]) -> Layout:
    """The layout of a network, told by what it gave for frames of that size.

    Args:
        name: of the network, for the error message.
        network: of timm.
        output: of ``forward_features``.
        frame_size: height and width of the frames.

    Raises:
        ConfigError: that output has no maps in it that are known here.
    """
    layout: Layout | None = None
    if isinstance(output, Tensor) and output.dim() == 4:
        layout = _from_channels_last if _is_channels_last(network) else _as_it_is
    elif isinstance(output, Tensor) and output.dim() == 3:
        layout = partial(_from_tokens, prefix=_prefix(network), grid=_grid(network, frame_size))
    if layout is None or not _has_maps(output, layout, network.num_features):
        what = (
            f"a tensor {tuple(output.shape)}" if isinstance(output, Tensor) else f"a {type(output).__name__}"
        )
        raise ConfigError(
            f"timm's {name} cannot be a backbone: for a frame of {frame_size[0]} x {frame_size[1]} it gives {what}, "
            f"expected maps of {network.num_features} channels or one token a patch; choose another network"
        )
    return layout


def stage_layouts(network: Any, layout: Layout, frame_size: tuple[int, int]) -> dict[str, Layout]:
    """Path of each stage that timm lists -> its layout, which is that of the whole network.

    Nothing else tells which parts of a network pass maps on. Those that give no maps of the listed channels in that layout,
    or another number of tokens than the last one, are left out.
    """
    own = dict(network.named_modules())  # timm also lists a few that are not there
    listed = {entry["module"]: entry["num_chs"] for entry in network.feature_info if entry["module"] in own}
    outputs: dict[str, Any] = {}
    hooks = [
        own[path].register_forward_hook(lambda _, __, output, path=path: outputs.update({path: output}))
        for path in listed
    ]
    with torch.no_grad():
        network.forward_features(torch.zeros(1, 3, *frame_size))
    for hook in hooks:
        hook.remove()
    return {path: layout for path, output in outputs.items() if _has_maps(output, layout, listed[path])}


def _has_maps(output: Any, layout: Layout, channels: int) -> bool:
    if not isinstance(output, Tensor):
        return False
    if isinstance(layout, partial):
        prefix, grid = layout.keywords["prefix"], layout.keywords["grid"]
        return tuple(output.shape[1:]) == (prefix + math.prod(grid), channels)
    return output.dim() == 4 and layout(output).shape[1] == channels


def _is_channels_last(network: Any) -> bool:
    return str(getattr(network, "output_fmt", "NCHW")).endswith("NHWC")


def _prefix(network: Any) -> int:
    """Tokens that stand before those of patches; VOLO has one and does not count it."""
    counted = getattr(network, "num_prefix_tokens", None)
    return int(getattr(network, "cls_token", None) is not None) if counted is None else counted


def _grid(network: Any, frame_size: tuple[int, int]) -> tuple[int, int]:
    """Patches down and across: those of the patch embedding, where they are the last that were made."""
    reductions = {entry["reduction"] for entry in network.feature_info}
    grid = getattr(getattr(network, "patch_embed", None), "grid_size", None)
    if len(reductions) == 1 and grid is not None:
        height, width = grid
        return height, width
    last = network.feature_info[-1]["reduction"]
    return math.ceil(frame_size[0] / last), math.ceil(frame_size[1] / last)


def _as_it_is(output: Tensor) -> Tensor:
    return output


def _from_channels_last(output: Tensor) -> Tensor:
    return output.permute(0, 3, 1, 2)


def _from_tokens(output: Tensor, *, prefix: int, grid: tuple[int, int]) -> Tensor:
    return output[:, prefix:].transpose(1, 2).unflatten(2, grid)
