"""What ranks on one machine exchange in a step: seconds and bytes, by what is exchanged and by the number of ranks.

    python tools/benchmark.py ranks
    python tools/benchmark.py ranks --ranks 1 2 4 --rounds 50
    python tools/benchmark.py ranks --ranks 1 2 4 8 --gpu              over NCCL, a GPU a rank

Each term is that of a batch of the papers: 64 clips of 4 frames, 625 people, a clip feature of 2,048, 8 actions of width
512, and the 25.6 million parameters of a ResNet-50. On a busy machine the smallest of many times says what the term
costs, and the median what it costs there. Before a time is printed, what was exchanged is compared with what it should be.
Last comes a whole step of --model on --clips clips of a small street, to which the terms add up.
"""

import argparse
import math
import os
import socket
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from benchmarks.built_engine import built_engine
from tabulate import tabulate
from torch import Tensor, multiprocessing

from reidar_plugin.errors import ConfigError
from reidar_plugin.ranks import collectives
from reidar_plugin.ranks.job import current, joined
from reidar_plugin.synthped import make

__all__ = ["add_arguments", "run"]

CLIPS, FRAMES, PEOPLE, WIDTH, ACTIONS, HIDDEN = 64, 4, 625, 2048, 8, 512
PARAMETERS, CHANNELS = 25_600_000, 256


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the benchmark."""
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2, 4], help="numbers of ranks")
    parser.add_argument("--rounds", type=int, default=30, help="times that each term runs")
    parser.add_argument("--model", default="reidar_osnet_x0_25", help="of the whole step")
    parser.add_argument("--size", type=int, nargs=2, default=(128, 64), help="its height and width of frames")
    parser.add_argument("--clips", type=int, default=16, help="its clips of 4 frames")
    parser.add_argument("--gpu", action="store_true", help="what lies on GPUs, over NCCL; else over gloo")


def run(args: argparse.Namespace) -> None:
    """Measure and print."""
    if min(args.rounds, *args.ranks) < 1 or CLIPS % math.lcm(*args.ranks):
        raise ConfigError(
            f"expected ranks that share {CLIPS} clips, and a round or more, got {args.ranks}, {args.rounds}"
        )
    if args.gpu and torch.cuda.device_count() < max(args.ranks):
        raise ConfigError(
            f"--ranks: expected at most a rank a GPU, {torch.cuda.device_count()}, got {args.ranks}"
        )
    with tempfile.TemporaryDirectory() as name:
        street = Path(name)
        people = max(args.clips // 4, 8)
        make(street, "tiny", people=(people, 4), size=tuple(args.size), folder="mars", workers=1)
        rows = [row for size in args.ranks for row in _measured(size, street, args)]
    print(tabulate(rows, headers=["ranks", "term", "MB a rank", "least, ms", "median, ms"], floatfmt=".2f"))


def _measured(size: int, street: Path, args: argparse.Namespace) -> list[list[object]]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        multiprocessing.spawn(_rank, (size, port, Path(folder), street, args), size)
        return torch.load(Path(folder, "rows"))


def _rank(rank: int, size: int, port: int, folder: Path, street: Path, args: argparse.Namespace) -> None:
    told = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in told.items()}, MASTER_ADDR="127.0.0.1")
    torch.set_num_threads(1)
    with joined() as job:
        device = torch.device("cuda" if args.gpu else "cpu")  # of a rank: its own
        terms = [*_terms(device), _whole_step(street, args)]
        rows = [
            [size, name, megabytes, *_times(term, args.rounds, device)] for name, megabytes, term in terms
        ]
        if job.first:
            torch.save(rows, folder / "rows")


def _whole_step(street: Path, args: argparse.Namespace) -> tuple[str, float, Callable[[], object]]:
    engine = built_engine(street, args.model, tuple(args.size), args.clips, 0, gpu=args.gpu)
    engine.set_model_mode("train")
    engine.epoch, engine.batch_idx = 0, 0
    engine.train_loader.set_epoch(0)
    batch = next(iter(engine.train_loader))
    return f"a whole step, {args.clips} clips", 0.0, lambda: engine.forward_backward(batch)


def _terms(device: torch.device) -> list[tuple[str, float, Callable[[], object]]]:
    """Name, what a rank sends in MB, and the exchange itself."""
    clips = CLIPS // current().size
    fields = [
        torch.ones(clips, *shape, device=device)
        for shape in ((PEOPLE,), (WIDTH,), (WIDTH,), (FRAMES,), (FRAMES,), (ACTIONS,), (ACTIONS, HIDDEN))
    ]
    gradients = [torch.ones(PARAMETERS // 100, device=device) for _ in range(100)]
    statistics_ = torch.ones(2, CHANNELS, device=device)
    assert all(len(each) == CLIPS for each in collectives.gather(*fields))
    collectives.average(gradients)
    assert float(gradients[-1].sum()) == PARAMETERS // 100
    return [
        ("outputs of all clips", _megabytes(fields), lambda: collectives.gather(*fields)),
        ("gradients", _megabytes(gradients), lambda: collectives.average(gradients)),
        ("statistics of a layer", _megabytes([statistics_]), lambda: collectives.gathered(statistics_)),
        ("whether to end", 0.0, lambda: collectives.largest(0)),
    ]


def _megabytes(tensors: list[Tensor]) -> float:
    return sum(each.nbytes for each in tensors) / 1e6


def _times(term: Callable[[], object], rounds: int, device: torch.device) -> tuple[float, float]:
    """The least and the median, in ms."""
    times = []
    for _ in range(rounds):
        collectives.wait_for_all()
        _wait(device)
        start = time.perf_counter()
        term()
        _wait(device)
        times.append(1000 * (time.perf_counter() - start))
    return min(times), statistics.median(times)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()
