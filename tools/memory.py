"""What a model needs by S2DN's way of counting (Table II): parameters, and the activations of forward and backward.

    python tools/memory.py configs/s2dn/mars.yaml
    python tools/memory.py configs/s2dn/mars.yaml configs/s2dn/table1-mars-resnet50.yaml configs/asanet/base.yaml
    python tools/memory.py configs/s2dn/mars.yaml --people 300 model.name reidar_osnet_x1_0

Nothing is trained or downloaded, no data are needed. Counted as the paper's tool (torchsummary) counts: 4 bytes a number;
input is a batch of 32 frames; activations are those of one frame, the output of every layer and block once forward and
once backward. What a GPU really takes in training grows with the frames of a batch.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tabulate import tabulate
from torch import Tensor, nn
from yacs.config import CfgNode

from reidar_plugin.host import reid
from reidar_plugin.launch import subprocesses
from reidar_plugin.launch.guard import guard
from reidar_plugin.plugin import registration

HEADS = (
    "config",
    "model",
    "parameters",
    "input (MB)",
    "forward/backward (MB)",
    "parameters (MB)",
    "total (MB)",
)
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


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("configs", nargs="+", metavar="CONFIG", help="configs (yaml), then KEY VALUE pairs")
    parser.add_argument("--people", type=int, default=625, help="identities in training (MARS: 625)")
    args = parser.parse_intermixed_args(argv)
    configs, options = subprocesses.configs_and_options(args.configs)
    rows = []
    for config in configs:
        cfg = subprocesses.merged(config, options)
        parameters, *megabytes = sizes(cfg, args.people)
        figures = [f"{value:.2f}" for value in (*megabytes, sum(megabytes))]
        rows.append([Path(config).stem, cfg.model.name, f"{parameters:,}", *figures])
    print(tabulate(rows, headers=HEADS, disable_numparse=True, stralign="right"))


if __name__ == "__main__":
    sys.exit(guard(main))
