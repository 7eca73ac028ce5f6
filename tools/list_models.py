"""Every model name that the plugin adds: parameters, GFLOPs a frame, frames a second in training, or why there is none.

    python tools/list_models.py
    python tools/list_models.py --names osnet resnet50 --device cuda --clips 32 --height 224 --width 112
    python tools/list_models.py --clips 2 --steps 1 --into docs/models.md
    python tools/list_models.py --names timm_ --sizes --pooling light

The third line writes the table of a page anew, between the comments that mark its place there. The last one trains nothing
and shows what is built of a dozen of timm's networks, which need the extra timm.

Each model is built without pretrained weights, with the papers' heads, and trained for a step (forward, backward and
Adam on made-up clips): "works" means that the loss was finite and every parameter had a gradient. GFLOPs are those of
a forward pass, two a multiply-add. On a CPU with one thread the time is the process's own, so that a busy machine
disturbs it less; the first step warms up.
"""

import argparse
import platform
import shlex
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from tabulate import tabulate
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from reidar_plugin.host import describe
from reidar_plugin.launch.guard import guard
from reidar_plugin.models.asanet.model import build_asanet
from reidar_plugin.models.backbones import backbone_names
from reidar_plugin.models.joint import JointModel, build_joint
from reidar_plugin.models.registry import PREFIX, timm_name, why_not
from reidar_plugin.models.trunks import TIMM, video_trunks
from reidar_plugin.structures import JointOutput

HEADERS = [
    "name",
    "parameters (M)",
    "of these the backbone (M)",
    "GFLOPs a frame",
    "frames/s",
    "works, or why not",
]
FORMATS = ("", ".2f", ".2f", ".2f", ".1f", "")
SIZES = ["name", "parameters (M)", "of these the backbone (M)", "maps", "feature"]
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
BEGIN, END = "<!-- models: begin -->", "<!-- models: end -->"  # around the table of a page


def main(argv: list[str] | None = None) -> int:
    """Print the table; 1 if a model that should work does not."""
    args = _arguments(argv)
    torch.set_num_threads(args.threads)
    trunks = [*backbone_names(), *video_trunks(), *(TIMM + name for name in OF_TIMM)]
    names = [*(PREFIX + name for name in trunks), ASANET]
    names = [name for name in names if not args.names or any(part in name for part in args.names)]
    rows = []
    for name in names:
        rows.append([name, *(_sizes if args.sizes else _row)(name, args)])
        print(*rows[-1], file=sys.stderr, flush=True)
    if not args.names and not args.sizes:
        rows += [[name, None, None, None, None, reason] for name, reason in why_not().items()]
    headers, formats = (SIZES, ("", ".2f", ".2f")) if args.sizes else (HEADERS, FORMATS)
    form = "github" if args.into else args.format
    table = tabulate(rows, headers=headers, tablefmt=form, floatfmt=formats, missingval="")
    if args.into:
        before, after = _around_table(args.into)
        text = f"{table}\n\n{_how(args, sys.argv[1:] if argv is None else argv)}"
        args.into.write_text(f"{before}\n\n{text}\n\n{after}", encoding="utf-8")
    print(table)
    return int(any(str(row[-1]).startswith("fails") for row in rows))


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--names", nargs="+", default=[], help="only names with one of these in them")
    parser.add_argument("--clips", type=int, default=4, help="clips in a batch")
    parser.add_argument("--length", type=int, default=4, help="frames in a clip")
    parser.add_argument("--height", type=int, default=256, help="of a frame")
    parser.add_argument("--width", type=int, default=128, help="of a frame")
    parser.add_argument("--pooling", default="attention", help="temporal pooling")
    parser.add_argument("--sizes", action="store_true", help="train nothing: parameters, maps, feature")
    parser.add_argument("--steps", type=int, default=2, help="steps that are timed")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch on a CPU")
    parser.add_argument(
        "--device", default="cuda" if torch.cuda.is_available() else "cpu", help="where to run"
    )
    parser.add_argument("--format", default="simple", help="a table format of tabulate")
    parser.add_argument(
        "--into", type=Path, help=f"also put the table into this page, between {BEGIN} and {END}"
    )
    args = parser.parse_args(argv)
    if args.into:  # told now, not after minutes of measuring
        try:
            _around_table(args.into)
        except (OSError, ValueError) as error:
            parser.error(str(error))
    return args


def _around_table(page: Path) -> tuple[str, str]:
    """What stands before and behind the table of a page, with the comments that mark its place."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{page}: expected {BEGIN} and, after it, {END} where the table belongs")
    return before + begin, end + after


def _how(args: argparse.Namespace, words: list[str]) -> str:
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


def _row(name: str, args: argparse.Namespace) -> list[object]:
    """The cells of a model behind its name; what fails is told, and the next one has its turn."""
    try:
        model = _build(name, args).to(args.device)
        flops = _flops(model, torch.randn(1, 1, 3, args.height, args.width, device=args.device))
        model.to(memory_format=torch.channels_last)
        seconds = _step_time(model, args)
    except (RuntimeError, ValueError) as error:
        return [None, None, None, None, f"fails: {str(error).splitlines()[0][:100]}"]
    return [*_parameters(model), flops / 1e9, args.clips * args.length / seconds, "works"]


def _sizes(name: str, args: argparse.Namespace) -> list[object]:
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


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # the host's, about its compiled evaluator
    sys.exit(guard(main))
