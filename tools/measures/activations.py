"""Memory by S2DN's way of counting: what a model holds and what its layers put out."""

from typing import Any

import torch
from torch import Tensor, nn
from yacs.config import CfgNode

from reidar_plugin.host import reid
from reidar_plugin.plugin import registration

__all__ = ["count_activations", "sizes"]

FRAMES = 32  # of the input column
MEGABYTE = 2**20


def sizes(cfg: CfgNode, people: int) -> tuple[int, float, float, float]:
    """Parameters, and megabytes of input, activations and parameters."""
    registration.enable(cfg, quiet=True)
    model = reid.models.build_model(
        cfg.model.name, people, loss=cfg.loss.name, pretrained=False, use_gpu=False
    )
    frame = torch.zeros(1, 1, 3, cfg.data.height, cfg.data.width)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    numbers = 2 * count_activations(model, frame)
    return parameters, *(4 * count / MEGABYTE for count in (FRAMES * frame.numel(), numbers, parameters))


@torch.no_grad()
def count_activations(model: nn.Module, frames: Tensor) -> int:
    """Numbers that the layers and blocks of a model put out; plain containers put out nothing of their own."""
    counted: list[int] = []

    def count(module: nn.Module, given: Any, output: Any) -> None:
        counted.append(sum(part.numel() for part in _tensors(output)))

    hooks = [
        module.register_forward_hook(count)
        for module in model.modules()
        if module is not model and not isinstance(module, (nn.Sequential, nn.ModuleList, nn.ModuleDict))
    ]
    model.eval()(frames)
    for hook in hooks:
        hook.remove()
    return sum(counted)


def _tensors(output: Any) -> list[Tensor]:
    if isinstance(output, Tensor):
        return [output]
    return [part for item in output for part in _tensors(item)] if isinstance(output, (tuple, list)) else []
