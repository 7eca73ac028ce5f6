"""What a model costs: parameters, operations of a frame, and the time of a training step."""

import argparse
import platform
import shlex
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from reidar_plugin.host import describe
from reidar_plugin.models.asanet.model import build_asanet
from reidar_plugin.models.backbones import backbone_names
from reidar_plugin.models.joint import JointModel, build_joint
from reidar_plugin.models.registry import PREFIX, timm_name
from reidar_plugin.models.trunks import TIMM, video_trunks
from reidar_plugin.structures import JointOutput

__all__ = ["OF_TIMM", "costs", "how", "names", "sizes"]

ASANET = "asanet"
#: A dozen of timm's networks, one a family, and the last stride that they are shown with; many take only 2.
OF_TIMM = {
    "resnet18": 1,
    "resnetv2_50": 1,
    "regnetx_002": 1,
    "efficientnet_b0": 1,
    "mobilenetv3_small_050": 1,
    "convnext_atto": 2,
    "mambaout_femto": 2,
    "swin_tiny_patch4_window7_224": 2,
    "vit_base_patch16_clip_224": 2,
    "deit_tiny_distilled_patch16_224": 2,
    "vit_small_patch16_dinov3": 2,
    "mixer_s32_224": 2,
}


def names(parts: list[str]) -> list[str]:
    """Of all models that are listed, those with one of these in their names; all where none is given."""
    trunks = [*backbone_names(), *video_trunks(), *(TIMM + name for name in OF_TIMM)]
    every = [*(PREFIX + name for name in trunks), ASANET]
    return [name for name in every if not parts or any(part in name for part in parts)]


def how(args: argparse.Namespace, words: list[str]) -> str:
    """What the table was measured with, in a sentence."""
    clock = "CPU time of one thread" if _own_time(torch.device(args.device)) else "wall-clock time"
    return (
        f"Made by `python tools/list_models.py {shlex.join(words)}`: frames of {args.height} x {args.width}, "
        f"training steps (forward, backward, Adam, float32, channels_last) on {args.clips} clips of {args.length} "
        f"frames, median of {args.steps} after one that warms up, {clock}, {_machine(torch.device(args.device))}, "
        f"torch {torch.__version__.partition('+')[0]}, torchreid {describe().version}, 625 identities, 8 actions, "
        f"pooling {args.pooling}. A guide, not a ranking."
    )


def _machine(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    table = Path("/proc/cpuinfo")
    lines = table.read_text(encoding="utf-8").splitlines() if table.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def costs(name: str, args: argparse.Namespace) -> list[object]:
    """The cells of a model behind its name; what fails is told, and the next one has its turn."""
    try:
        model = _build(name, args).to(args.device)
        flops = _flops(model, torch.randn(1, 1, 3, args.height, args.width, device=args.device))
        model.to(memory_format=torch.channels_last)
        seconds = _step_time(model, args)
    except (RuntimeError, ValueError) as error:
        return [None, None, None, None, f"fails: {str(error).splitlines()[0][:100]}"]
    return [*_parameters(model), flops / 1e9, args.clips * args.length / seconds, "works"]


def sizes(name: str, args: argparse.Namespace) -> list[object]:
    """The cells of a model that is only built, without numbers in it."""
    try:
        with torch.device("meta"):
            model = _build(name, args)
    except (RuntimeError, ValueError) as error:
        return [None, None, None, f"fails: {str(error).splitlines()[0][:100]}"]
    return [*_parameters(model), " x ".join(map(str, model.map_size)), model.feature_dim]


def _parameters(model: JointModel) -> list[float]:
    """Of the whole and of its backbone, in millions."""
    return [sum(p.numel() for p in part.parameters()) / 1e6 for part in (model, model.base)]


def _build(name: str, args: argparse.Namespace) -> JointModel:
    heads = {"num_actions": 8, "frame_size": (args.height, args.width)}
    if name == ASANET:  # on ResNet-50, with the attributes of MARS' table, pose and motion
        return build_asanet(625, columns=(range(41), range(41, 52)), **heads)
    stride = OF_TIMM.get(timm_name(name), 1)
    return build_joint(name.removeprefix(PREFIX), 625, pooling=args.pooling, last_stride=stride, **heads)


def _flops(model: nn.Module, frame: Tensor) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.eval()(frame)
    return counter.get_total_flops()


def _step_time(model: nn.Module, args: argparse.Namespace) -> float:
    """Median time of a training step, in seconds."""
    clips = torch.randn(args.clips, args.length, 3, args.height, args.width, device=args.device)
    optimiser = torch.optim.Adam(model.train().parameters(), lr=1e-5)
    clock, wait = _clock(clips.device)
    times = []
    for _ in range(args.steps + 1):
        wait()
        started = clock()
        optimiser.zero_grad()
        loss = _loss(model(clips))
        loss.backward()
        optimiser.step()
        wait()
        times.append(clock() - started)
    idle = [name for name, p in model.named_parameters() if p.grad is None]
    if idle or not loss.isfinite():
        raise ValueError(
            f"loss {loss.item()}, {len(idle)} parameters without a gradient: {', '.join(idle[:3])}"
        )
    return statistics.median(times[1:])


def _loss(output: JointOutput) -> Tensor:
    read = [part for part in (*output[:2], output.action_logits, output.attribute_logits) if part is not None]
    return torch.stack([part.square().mean() for part in read]).sum()


def _clock(device: torch.device) -> tuple[Callable[[], float], Callable[[], None]]:
    if device.type == "cuda":
        return time.perf_counter, torch.cuda.synchronize
    return (time.process_time if _own_time(device) else time.perf_counter), lambda: None


def _own_time(device: torch.device) -> bool:
    """Whether the process's own time is what a step takes."""
    return device.type == "cpu" and torch.get_num_threads() == 1
