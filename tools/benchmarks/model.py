"""One training step of ``reidar_resnet50_ibn_a``: kernels, bytes kept for the backward pass, frames a second.

    python tools/benchmark.py model
    python tools/benchmark.py model --clips 64 --height 224 --width 112 --device cuda
    python tools/benchmark.py model --networks resnet50 ap3d_resnet50 tea_res2net50

Beside it stands the plain model that the papers describe, written out here: torchreid's network with its own IBN
layers, a convolution for the attention, an action block after the other, a loop over the clips for the ranked list
loss, float32, contiguous. Both get the same weights, and in double precision they must give the same loss and the
same gradients before anything is measured. The sides run in turn, A B C A B C; times are medians, on a
CPU with one thread of the process's own time. With --networks the sides are these networks instead, each with the same
heads and losses, in float32 and channels_last, and the first one is what the others are held against.

On a GPU the floor is printed too: the larger of what the arithmetic and what the least traffic of memory would take at
the given peaks. The traffic counts each activation of a convolution once each way, and one pass for what stands
between two convolutions: 162 MB a frame of 224 x 112 in bfloat16.
"""

import argparse
import contextlib
import copy
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from tabulate import tabulate
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from reidar_plugin.host import model_table
from reidar_plugin.losses import Objective
from reidar_plugin.losses.binary_cross_entropy import BinaryCrossEntropy
from reidar_plugin.losses.ranked_list import RankedListLoss
from reidar_plugin.losses.smoothed_cross_entropy import SmoothedCrossEntropy
from reidar_plugin.models.joint import JointModel, build_joint
from reidar_plugin.structures import JointOutput, Targets

from .kernels import KernelCalls
from .losses import ranked_list_by_query

__all__ = ["add_arguments", "run"]

BACKBONE = "resnet50_ibn_a"
IDENTITIES, ACTIONS = 625, 8  # MARS
TRAFFIC_A_PIXEL = 162e6 / (224 * 112)  # bytes, forward and backward, bfloat16
Loss = Callable[[JointOutput, Targets], Tensor]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the benchmark."""
    parser.add_argument(
        "--networks", nargs="+", default=[], metavar="NAME", help="compare these, without reidar_ before them"
    )
    parser.add_argument("--clips", type=int, default=4, help="clips in a batch (Re-ID-AR: 64)")
    parser.add_argument("--length", type=int, default=4, help="frames in a clip")
    parser.add_argument("--height", type=int, default=128, help="of a frame (Re-ID-AR: 224)")
    parser.add_argument("--width", type=int, default=64, help="of a frame (Re-ID-AR: 112)")
    parser.add_argument("--rounds", type=int, default=5, help="times that each side runs")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch on a CPU")
    parser.add_argument(
        "--device", default="cuda" if torch.cuda.is_available() else "cpu", help="where to run"
    )
    parser.add_argument("--compile", action="store_true", help="a compiled side on a CPU too (minutes)")
    parser.add_argument("--peak", type=float, default=790e12, help="FLOP/s in bfloat16, for the floor (H200)")
    parser.add_argument(
        "--bandwidth", type=float, default=4.3e12, help="bytes/s of memory, for the floor (H200)"
    )


@dataclass
class Side:
    """A model and the way it is run."""

    name: str
    model: nn.Module
    loss: Loss
    low: bool = False  # bfloat16 autocast
    tf32: bool = False
    last: bool = False  # channels_last
    compiled: bool = False

    def prepare(self, device: torch.device) -> "Side":
        """Place a copy of the model on the device."""
        self.model = copy.deepcopy(self.model).to(device)
        if self.last:
            self.model.to(memory_format=torch.channels_last)
        self.forward = torch.compile(self.model) if self.compiled else self.model
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=1e-5)
        return self

    def backward(self, frames: Tensor, targets: Targets) -> Tensor:
        """Loss of a batch, after its backward pass."""
        with torch.autocast(frames.device.type, torch.bfloat16, enabled=self.low):
            output = self.forward(frames)
        loss = self.loss(output, targets)
        loss.backward()
        return loss.detach()

    def step(self, frames: Tensor, targets: Targets) -> None:
        """One training step."""
        self.optimiser.zero_grad(set_to_none=True)
        self.backward(frames, targets)
        self.optimiser.step()


def run(args: argparse.Namespace) -> None:
    """Measure and print."""
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    device = torch.device(args.device)
    frames, targets = batch(args.clips, args.length, args.height, args.width, device)
    print(f"{_machine(device)}; {args.clips} x {args.length} frames of {args.height} x {args.width}")
    if args.networks:
        return _print([_network(name, args) for name in args.networks], frames, targets, args.rounds)
    ours = _model(BACKBONE, args)
    check_equal(ours, PlainModel(ours), *batch(4, 2, args.height, args.width, torch.device("cpu")))
    _print(_sides(ours, args), frames, targets, args.rounds)
    if device.type == "cuda":
        print(_floor(ours, args))


def _model(name: str, args: argparse.Namespace, **options: str) -> JointModel:
    size = (args.height, args.width)
    return build_joint(name, IDENTITIES, num_actions=ACTIONS, frame_size=size, action_dropout=0.0, **options)


def _network(name: str, args: argparse.Namespace) -> Side:
    return Side(name, _model(name, args, pooling="mean"), our_loss(), last=True)


def _print(sides: list[Side], frames: Tensor, targets: Targets, rounds: int) -> None:
    rows = _measure([side.prepare(frames.device) for side in sides], frames, targets, rounds)
    floats = ("", ",.0f", ",.0f", ",.0f", ",.3f", ",.1f", ".2f")
    print(tabulate(rows, headers="keys", floatfmt=floats, missingval="-"))


def _measure(sides: list[Side], frames: Tensor, targets: Targets, rounds: int) -> list[dict[str, object]]:
    first = sides[0]
    counted = {
        side.name: (None, None, None) if side.compiled else _count(side, frames, targets) for side in sides
    }
    times = _in_turn(sides, frames, targets, rounds)
    rows = []
    for side in sides:
        seconds = statistics.median(times[side.name])
        calls, kernels, kept = counted[side.name]
        rows.append(
            {
                "": side.name,
                "aten calls": calls,
                "kernels": kernels,
                "MB kept": kept,
                "s a step": seconds,
                "frames/s": frames.shape[0] * frames.shape[1] / seconds,
                "ratio": statistics.median(times[first.name]) / seconds,
            }
        )
    return rows


def _sides(ours: JointModel, args: argparse.Namespace) -> list[Side]:
    plain, cuda = PlainModel(ours), torch.device(args.device).type == "cuda"
    sides = [Side("plain, float32", plain, plain_loss), Side("ours, float32", ours, our_loss())]
    if cuda:
        sides += [
            Side("plain, TF32", plain, plain_loss, tf32=True),
            Side("ours, TF32, channels_last", ours, our_loss(), tf32=True, last=True),
        ]
    else:
        sides += [Side("ours, float32, channels_last", ours, our_loss(), last=True)]
    sides += [Side("ours, bfloat16, channels_last", ours, our_loss(), low=True, last=True, tf32=cuda)]
    if cuda or args.compile:
        compiled = Side("ours, bfloat16, channels_last, compiled", ours, our_loss(), True, cuda, True, True)
        sides += [compiled]
    return sides


class PlainModel(nn.Module):
    """The papers' model as it is usually written, with the weights of ours."""

    def __init__(self, ours: JointModel) -> None:
        super().__init__()
        self.base = model_table()[BACKBONE](num_classes=1, pretrained=False)
        del self.base.classifier, self.base.avgpool
        for layer in self.base.layer4.modules():
            if isinstance(layer, nn.Conv2d):
                layer.stride = (1, 1)
        self.base.load_state_dict(ours.base.state_dict())
        self.conv, self.tconv = copy.deepcopy(ours.temporal.conv), copy.deepcopy(ours.temporal.tconv)
        self.bottleneck, self.classifier = copy.deepcopy(ours.bottleneck), copy.deepcopy(ours.classifier)
        self.blocks = nn.ModuleList(_block(ours, index) for index in range(ACTIONS))

    def forward(self, clips: Tensor) -> JointOutput:
        count, length = clips.shape[:2]
        maps = self.base.featuremaps(clips.flatten(0, 1))
        hidden = F.relu(self.conv(maps)).view(count, length, -1).transpose(1, 2)
        scores = F.relu(self.tconv(hidden)).view(count, length)
        attention = scores.softmax(dim=1)
        means = F.adaptive_avg_pool2d(maps, 1).view(count, length, -1)
        pooled = (means * attention[:, :, None]).sum(dim=1)
        feature = self.bottleneck(pooled)
        actions = torch.cat([block(feature) for block in self.blocks], dim=1)
        return JointOutput(self.classifier(feature), feature, pooled, scores, attention, actions)


def _block(ours: JointModel, index: int) -> nn.Sequential:
    theirs, rows = ours.actions, slice(index * ours.actions.width, (index + 1) * ours.actions.width)
    linear, norm = nn.Linear(ours.feature_dim, theirs.width), nn.BatchNorm1d(theirs.width)
    out = nn.Linear(theirs.width, 1)
    with torch.no_grad():
        linear.weight.copy_(theirs.project.weight[rows])
        linear.bias.copy_(theirs.project.bias[rows])
        out.weight.copy_(theirs.weight[index, None])
        out.bias.copy_(theirs.bias[index, None])
    return nn.Sequential(linear, norm, nn.ReLU(), nn.Dropout(0.0), out)


def plain_loss(output: JointOutput, targets: Targets) -> Tensor:
    """Smoothed cross-entropy, ranked list by a loop, binary cross-entropy."""
    identity = F.cross_entropy(output.logits, targets.pids, label_smoothing=0.1)
    action = F.binary_cross_entropy_with_logits(output.action_logits, targets.labels)
    return identity + ranked_list_by_query(output.feature, targets.pids) + action


def our_loss() -> Loss:
    """The same three terms of the package's objective."""
    objective = Objective(
        {
            "smoothed_cross_entropy": SmoothedCrossEntropy(),
            "ranked_list": RankedListLoss(),
            "binary_cross_entropy": BinaryCrossEntropy(),
        },
        balance=None,
    )
    return lambda output, targets: objective(output, targets)[0]


def check_equal(ours: JointModel, plain: "PlainModel", frames: Tensor, targets: Targets) -> None:
    """Same loss and same gradients in double precision, in training."""
    sides = [Side("plain", plain, plain_loss), Side("ours", ours, our_loss())]
    for side in sides:
        side.model = copy.deepcopy(side.model).double()
        side.forward = side.model
    targets = targets._replace(labels=targets.labels.double())
    losses = [side.backward(frames.double(), targets) for side in sides]
    torch.testing.assert_close(losses[1], losses[0], rtol=1e-9, atol=0)
    for kernel in ("conv1", "layer1.0.conv1", "layer3.5.conv3", "layer4.2.conv3"):
        expected, found = (side.model.base.get_submodule(kernel).weight.grad for side in sides)
        torch.testing.assert_close(
            found, expected, rtol=1e-6, atol=1e-9 * expected.abs().max().item(), msg=kernel
        )
    print(f"the same loss ({losses[0]:.6f}) and gradients on both sides, in double precision")


def batch(clips: int, length: int, height: int, width: int, device: torch.device) -> tuple[Tensor, Targets]:
    """Made-up frames; four clips a person, or two where there are fewer."""
    generator = torch.Generator().manual_seed(1)
    frames = torch.randn(clips, length, 3, height, width, generator=generator)
    each = 4 if clips >= 8 else 2
    pids = torch.arange(clips) // each
    labels = F.one_hot(pids % ACTIONS, ACTIONS).float()
    unknown, erased = torch.full((clips, 0), torch.nan), torch.zeros(clips, length, dtype=torch.bool)
    return frames.to(device), Targets(*(part.to(device) for part in (pids, labels, unknown, erased)))


def _count(side: Side, frames: Tensor, targets: Targets) -> tuple[int, int, float]:
    """Aten calls of forward, loss and backward, kernels among them, and MB of activations kept between the two."""
    own = {p.untyped_storage().data_ptr() for p in side.model.parameters()}
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with (
        _tf32(side.tf32),
        torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t),
        KernelCalls() as calls,
    ):
        side.backward(frames, targets)
    side.optimiser.zero_grad(set_to_none=True)
    return calls.all, calls.computing, sum(kept.values()) / 1e6


def _in_turn(sides: list[Side], frames: Tensor, targets: Targets, rounds: int) -> dict[str, list[float]]:
    wait = torch.cuda.synchronize if frames.is_cuda else (lambda: None)
    alone = not frames.is_cuda and torch.get_num_threads() == 1
    clock = time.process_time if alone else time.perf_counter  # the former does not see other processes
    times: dict[str, list[float]] = {side.name: [] for side in sides}
    for round_ in range(rounds + (2 if frames.is_cuda else 1)):  # the first ones warm up
        for side in sides:
            with _tf32(side.tf32):
                wait()
                started = clock()
                side.step(frames, targets)
                wait()
            if round_ >= (2 if frames.is_cuda else 1):
                times[side.name].append(clock() - started)
    return times


@contextlib.contextmanager
def _tf32(allowed: bool) -> Iterator[None]:
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32
    matmul.allow_tf32 = cudnn.allow_tf32 = allowed
    try:
        yield
    finally:
        matmul.allow_tf32, cudnn.allow_tf32 = before


def _floor(ours: JointModel, args: argparse.Namespace) -> str:
    counter = FlopCounterMode(display=False)
    frames, _ = batch(2, args.length, args.height, args.width, torch.device("cpu"))
    with counter:
        ours(frames).logits.sum().backward()
    count = args.clips * args.length
    arithmetic = counter.get_total_flops() / len(frames) * args.clips / args.peak
    memory = TRAFFIC_A_PIXEL * args.height * args.width * count / args.bandwidth
    floor = max(arithmetic, memory)
    return (
        f"floor: arithmetic {1e3 * arithmetic:.1f} ms at {args.peak / 1e12:.0f} TFLOP/s, "
        f"memory {1e3 * memory:.1f} ms at {args.bandwidth / 1e12:.1f} TB/s: {count / floor:,.0f} frames/s"
    )


def _machine(device: torch.device) -> str:
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}"
    return f"{device.type}, {torch.get_num_threads()} thread(s), torch {torch.__version__}"
