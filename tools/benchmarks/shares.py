"""What a step of training, and a test, spend their time on, by kind of operation.

    python tools/benchmark.py shares --model reidar_resnet50_ibn_a --size 224 112 --clips 4
    python tools/benchmark.py shares --gpu --clips 64 --size 224 112

The engine trains and tests on a small street, from files, under torch's profiler. Times are an operation's own, without
those that it calls; on a GPU those of its kernels. What they do not add up to is Python, or waiting.
"""

import argparse
import contextlib
import io
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from benchmarks.built_engine import built_engine, wait
from tabulate import tabulate
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from reidar_plugin.engine.joint import JointEngine
from reidar_plugin.synthped import make

__all__ = ["Spent", "add_arguments", "kind_of", "run"]

#: Kinds of operations, by what stands in their names; the first that fits.
KINDS = {
    "convolutions": ("conv",),
    "normalisation": ("norm",),
    "matrix products": ("mm", "dot", "linear"),
}


class Spent(NamedTuple):
    """Seconds of a pass by kind, and of all of it."""

    kinds: Counter[str]
    total: float

    def rows(self, name: str) -> list[list[str]]:
        """A row a kind, the greatest first; the rest is Python, or a GPU that waits."""
        rest = max(self.total - sum(self.kinds.values()), 0.0)
        every = [*self.kinds.most_common(), ("Python, and waiting", rest)]
        return [
            [name, kind, f"{1000 * seconds:.1f}", f"{seconds / self.total:.1%}"] for kind, seconds in every
        ]


def kind_of(name: str) -> str:
    """The kind of an operation outside the optimisers."""
    lower = name.lower()
    return next((kind for kind, parts in KINDS.items() if any(part in lower for part in parts)), "all else")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the benchmark."""
    add = parser.add_argument
    add("--model", default="reidar_resnet50_ibn_a", help="which model")
    add("--size", type=int, nargs=2, default=(128, 64), help="height and width of frames")
    add("--clips", type=int, default=8, help="clips of 4 frames in a batch")
    add("--steps", type=int, default=4, help="that are measured, after one that is not")
    add("--workers", type=int, default=1, help="processes that read")
    add("--precision", default="float32", help="of the network")
    add("--gpu", action="store_true", help="on CUDA")


def run(args: argparse.Namespace) -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder, people = Path(name), max(args.clips // 4, 8)
        make(folder, "tiny", people=(people, 4), size=tuple(args.size), folder="mars", workers=1)
        engine = built_engine(
            folder, args.model, tuple(args.size), args.clips, args.workers, args.precision, gpu=args.gpu
        )
        steps = _steps(engine)
        next(steps)
        trained = _profiled(lambda: [next(steps) for _ in range(args.steps)], engine)
        print(
            f"{args.model}, {args.clips} clips of 4 frames of {args.size[0]} x {args.size[1]}, {args.precision}"
        )
        step = Spent(
            Counter({k: v / args.steps for k, v in trained.kinds.items()}), trained.total / args.steps
        )
        tested = _profiled(lambda: _test(engine, folder), engine)
        rows = [*step.rows("a step of training"), *tested.rows("a test")]
        print(tabulate(rows, ["of", "kind", "ms", "share"], tablefmt="github"), "\n")


def _steps(engine: JointEngine) -> Iterable[Any]:
    engine.set_model_mode("train")
    for epoch in range(10**6):
        engine.epoch = epoch
        engine.train_loader.set_epoch(epoch)
        for place, batch in enumerate(engine.train_loader):
            engine.batch_idx = place
            yield engine.forward_backward(batch)


def _test(engine: JointEngine, folder: Path) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        engine.test(save_dir=str(folder / "test"))


def _profiled(call: Callable[[], object], engine: JointEngine) -> Spent:
    gpu = engine.device.type == "cuda"
    with profile(activities=[ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if gpu else [])]) as found:
        wait(engine)
        start = time.perf_counter()
        call()
        wait(engine)
        total = time.perf_counter() - start
    kinds: Counter[str] = Counter()
    for event in found.events():
        if (
            event.device_type == DeviceType.CPU
        ):  # a kernel's time stands with the operation that called it, too
            spent = event.self_device_time_total if gpu else event.self_cpu_time_total
            kinds[_kind(event)] += spent / 1e6
    return Spent(kinds, total)


def _kind(event: Any) -> str:
    above = event
    while above is not None:
        if above.name.startswith("Optimizer."):
            return "optimisers"
        above = above.cpu_parent
    return kind_of(event.name)
