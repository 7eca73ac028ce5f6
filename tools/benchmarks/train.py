"""Training and testing end to end: kills that must lose nothing, packed extraction, frames a second.

    python tools/benchmark.py train resume --kills 50
    python tools/benchmark.py train resume --kills 10 --ranks 2
    python tools/benchmark.py train extract --tracklets 500
    python tools/benchmark.py train speed --model reidar_resnet50_ibn_a --size 224 112 --batch 64 --gpu

``resume`` trains a small model on SynthPed and kills it (SIGKILL) at random moments; every run that gets to its end
must have the weights, centres, optimiser states and generators of a run that nobody killed, to the bit. Of several ranks
one is killed, and must end the others, or torchrun and all of them.
``extract`` runs the same tracklets, with MARS' lengths, from JPEG files to features, in turn: packed into full batches,
one tracklet a call, and as the released code does, from its reading by one worker on; the features are compared first.
``speed`` trains from JPEG files to the optimiser's step.
"""

import argparse
import contextlib
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from benchmarks.built_engine import built_engine, wait
from benchmarks.data import released_chain
from tabulate import tabulate
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from reidar_plugin.checkpoint.store import CheckpointStore, read_checkpoint
from reidar_plugin.data.loader import ClipLoader, FrameReader
from reidar_plugin.data.packed_clips import ClipPlan, FullBatches, PackedClips, plan_clips
from reidar_plugin.data.pixel_ops import Normalise
from reidar_plugin.data.tracklet_table import TrackletTable
from reidar_plugin.engine.joint import JointEngine
from reidar_plugin.inference.features import extract
from reidar_plugin.inference.precision import Precision
from reidar_plugin.models.joint import build_joint
from reidar_plugin.synthped import make
from reidar_plugin.synthped.presets import tracklet_lengths
from reidar_plugin.synthped.seeded_random import SeededRandom

__all__ = ["add_arguments", "run"]

_TOOLS = Path(__file__).resolve().parents[1]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the benchmark."""
    parser.add_argument(
        "part", nargs="?", choices=sorted(_PARTS), help="only this part; else all, one after another"
    )
    parser.add_argument("--kills", type=int, default=50, help="resume: how often training is killed")
    parser.add_argument("--seed", type=int, default=0, help="resume: of the moments")
    parser.add_argument("--ranks", type=int, default=1, help="resume: that train, under torchrun")
    parser.add_argument("--tracklets", type=int, default=500, help="extract: how many")
    parser.add_argument("--rounds", type=int, default=3, help="extract: times that each side runs")
    parser.add_argument(
        "--steps", type=int, default=20, help="speed: steps that are timed, after 3 that are not"
    )
    parser.add_argument("--model", default="reidar_osnet_x0_25", help="extract, speed: which model")
    parser.add_argument(
        "--size", type=int, nargs=2, default=(64, 32), help="extract, speed: height and width of frames"
    )
    parser.add_argument("--batch", type=int, default=32, help="extract, speed: clips in a batch")
    parser.add_argument("--workers", type=int, default=2, help="extract, speed: processes that read")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch")
    parser.add_argument("--gpu", action="store_true", help="extract, speed: on CUDA")


def run(args: argparse.Namespace) -> None:
    """Measure and print."""
    torch.set_num_threads(args.threads)
    with tempfile.TemporaryDirectory() as folder:
        for name, part in _PARTS.items():
            if args.part in (None, name):
                part(args, Path(folder))


# Kills.


def _resume(args: argparse.Namespace, folder: Path) -> None:
    make(folder, "tiny", workers=1)
    start = time.monotonic()
    train = _Training(folder, args.ranks, random.Random(args.seed))
    train(folder / "whole", None)
    duration = time.monotonic() - start
    expected = _end(folder / "whole")
    killed = finished = repeated = 0
    while killed < args.kills:
        save_dir = folder / f"run-{finished}"
        before = _position(save_dir)
        if train(save_dir, train.chance.uniform(0, duration)):
            _check_end(expected, save_dir)
            finished += 1
            continue
        killed += 1
        after = _position(save_dir)
        if after < before:
            raise SystemExit(f"{save_dir} fell from {before} back to {after}")
        repeated += after == before
    while not train(folder / f"run-{finished}", None):
        raise SystemExit(f"run-{finished} did not come to its end")
    _check_end(expected, folder / f"run-{finished}")
    rows = {
        "kills": killed,
        **({"of them of one rank alone": len(train.slowest)} if args.ranks > 1 else {}),
        **({"seconds until the others had ended, at most": max(train.slowest)} if train.slowest else {}),
        "of them before anything new was saved": repeated,
        "runs that came to their end": finished + 1,
        "of them with another bit than the run that nobody killed": 0,
        "seconds of that run": round(duration, 1),
    }
    print(tabulate(rows.items(), tablefmt="plain"), "\n")


def _check_end(expected: dict[str, Any], save_dir: Path) -> None:
    differing = _differences(expected, _end(save_dir))
    if differing:
        raise SystemExit(f"{save_dir} ended otherwise than the run that nobody killed, in {differing[:3]}")


class _Training:
    """Trains in processes of their own, to the end or until they are killed."""

    def __init__(self, root: Path, ranks: int, chance: random.Random) -> None:
        self.root, self.ranks, self.chance = root, ranks, chance
        self.slowest: list[float] = []  # seconds from the death of a rank to the end of its job

    def __call__(self, save_dir: Path, seconds: float | None) -> bool:
        """Train for so many seconds; whether it came to its end."""
        with open(f"{save_dir}.txt", "a") as log:
            environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
            job = subprocess.Popen(
                self._command(save_dir), env=environment, stdout=log, stderr=log, start_new_session=True
            )
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                job.wait(seconds)
        finally:  # also after Ctrl-C
            killed = job.poll() is None
            if killed:
                self._kill(job)
        if not killed and job.returncode:
            raise SystemExit(f"training ended with status {job.returncode}; see {save_dir}.txt")
        return not killed

    def _command(self, save_dir: Path) -> list[str]:
        options = f"""data.type video data.save_dir {save_dir} data.height 64 data.width 32 data.workers 0 video.seq_len 2
            model.name reidar_osnet_x0_25 model.pretrained False loss.name reidar train.batch_size 8 train.max_epoch 3
            sampler.train_sampler identity_pass sampler.num_instances 4 test.batch_size 32 test.eval_freq 1 use_gpu False
            reidar.train.save_every 1 reidar.test.resamples 100 reidar.model.attention_width 16"""
        flags = ["-s", "mars_actions", "-t", "mars_actions", "--root", str(self.root), *options.split()]
        torchrun = (
            ["-m", "torch.distributed.run", "--nproc-per-node", str(self.ranks)] if self.ranks > 1 else []
        )
        return [sys.executable, *torchrun, str(_TOOLS / "main.py"), *flags]

    def _kill(self, job: subprocess.Popen[bytes]) -> None:
        ranks = _children(job.pid)
        if self.ranks > 1 and len(ranks) == self.ranks and self.chance.random() < 0.5:
            start = time.monotonic()
            os.kill(self.chance.choice(ranks), signal.SIGKILL)
            job.wait()
            self.slowest.append(round(time.monotonic() - start, 1))
        for process in (job.pid, *ranks):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        job.wait()


def _children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def _position(save_dir: Path) -> tuple[int, int]:
    positions = CheckpointStore(save_dir / "model").positions()
    return tuple(positions[0]) if positions else (0, 0)  # type: ignore[return-value]


def _end(save_dir: Path) -> dict[str, Any]:
    state = read_checkpoint(save_dir / "model" / "model.pth.tar-3")
    state["reidar"].pop("config")  # it names the folder
    return state


def _differences(a: Any, b: Any, name: str = "") -> list[str]:
    if isinstance(a, Tensor):
        return [] if torch.equal(a, b) else [name]
    if isinstance(a, dict):
        keys = [] if a.keys() == b.keys() else [f"keys of {name}"]
        return keys + [
            found for key in a.keys() & b.keys() for found in _differences(a[key], b[key], f"{name}.{key}")
        ]
    if isinstance(a, (list, tuple)) and len(a) == len(b):
        return [
            found
            for n, pair in enumerate(zip(a, b, strict=True))
            for found in _differences(*pair, f"{name}[{n}]")
        ]
    return [] if a == b else [name]


# Extraction.


class _OneTracklet:
    """Batches of all clips of one tracklet: as many shapes as there are lengths."""

    def __init__(self, owners: np.ndarray) -> None:
        self.batches = [np.flatnonzero(owners == place).tolist() for place in range(int(owners.max()) + 1)]

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self.batches)


def _extract(args: argparse.Namespace, folder: Path) -> None:
    device = torch.device("cuda" if args.gpu else "cpu")
    table = _made_up_tracklets(args, folder)
    plan = plan_clips([len(paths) for paths in table.paths], 4)
    packed = PackedClips(table, FrameReader(*args.size), plan)
    model = (
        build_joint(args.model.removeprefix("reidar_"), 10, num_actions=8, frame_size=tuple(args.size))
        .to(device)
        .eval()
    )
    precision = Precision("bfloat16" if args.gpu else "float32", device)

    def ours(batches: Any) -> Tensor:
        loader = ClipLoader(packed, batches, workers=args.workers, pin=args.gpu)
        return extract(model, loader, Normalise(), precision).features.cpu()

    one_a_call = _OneTracklet(plan.tracklets)
    sides: dict[str, tuple[int, Callable[[], Tensor]]] = {
        "packed": (len(full := FullBatches(len(packed), args.batch)), partial(ours, full)),
        "one tracklet a call": (len(table), partial(ours, one_a_call)),
        "as released": (len(table), partial(_as_released, args, table, plan, model, device)),
    }
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    features = {}
    for _ in range(args.rounds):
        for name, (_, side) in sides.items():
            start = time.perf_counter()
            features[name] = side()
            seconds[name].append(time.perf_counter() - start)
    torch.testing.assert_close(
        features["packed"], features["one tracklet a call"], rtol=1e-3, atol=1e-2 if args.gpu else 1e-4
    )
    likeness = torch.cosine_similarity(features["packed"], features["as released"]).min().item()
    if likeness < 0.99:  # other decoders, and float32
        raise SystemExit(f"packed and as released differ: features with a cosine of {likeness:.4f}")
    frames = sum(len(paths) for paths in table.paths)
    medians = {name: statistics.median(each) for name, each in seconds.items()}
    rows = [
        [
            name,
            sides[name][0],
            f"{middle:.1f}",
            f"{frames / middle:,.0f}",
            f"{middle / medians['packed']:.2f}",
        ]
        for name, middle in medians.items()
    ]
    print(
        f"{len(table)} tracklets, {frames:,} frames, {args.model}, batches of {args.batch} clips of 4, "
        f"{precision.name}; features are equal, as released with a cosine of {likeness:.5f}"
    )
    print(tabulate(rows, ["", "calls", "s, median", "frames/s", "ratio"]), "\n")


class _ReleasedClips(Dataset[Tensor]):
    """All clips of a tracklet ``(clips, 4, 3, H, W)``, read as the released code's test does."""

    def __init__(self, table: TrackletTable, plan: ClipPlan, size: tuple[int, int]) -> None:
        self.table, self.plan = table, plan
        self.chain = released_chain(*size, training=False)

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, place: int) -> Tensor:
        paths = self.table.paths[place]
        clips = self.plan.frames[self.plan.tracklets == place]
        return torch.stack([self.chain([paths[frame] for frame in clip]) for clip in clips])


@torch.no_grad()
def _as_released(
    args: argparse.Namespace, table: TrackletTable, plan: ClipPlan, model: nn.Module, device: torch.device
) -> Tensor:
    """A tracklet a call, in float32, its pictures made into numbers by PIL in one worker, as the released code has it."""
    loader = DataLoader(_ReleasedClips(table, plan, tuple(args.size)), num_workers=1, pin_memory=args.gpu)
    return torch.cat([model(clips[0].to(device)).feature.mean(0, keepdim=True).cpu() for clips in loader])


def _made_up_tracklets(args: argparse.Namespace, folder: Path) -> TrackletTable:
    """Tracklets of MARS' lengths, whose frames are drawn from one pool of JPEG files."""
    noise = np.random.default_rng(0)
    pool = [str(folder / f"{number}.jpg") for number in range(256)]
    for path in pool:
        small = noise.integers(0, 256, (16, 8, 3), dtype=np.uint8)
        cv2.imwrite(path, cv2.resize(small, (args.size[1], args.size[0]), interpolation=cv2.INTER_CUBIC))
    lengths = tracklet_lengths("test", args.tracklets, 1.0, SeededRandom(0, "benchmark"))
    return TrackletTable([(tuple(noise.choice(pool, length)), 1, 0, 0) for length in lengths])


# Speed.


def _speed(args: argparse.Namespace, folder: Path) -> None:
    people = max(args.batch // 4, 8)
    make(
        folder, "tiny", people=(people, 4), size=tuple(args.size), folder="mars", workers=max(args.workers, 1)
    )
    rows, losses = [], []
    for precision in ("float32", "bfloat16"):
        engine = built_engine(
            folder, args.model, tuple(args.size), args.batch, args.workers, precision, gpu=args.gpu
        )
        step, data, loss = _timed_steps(engine, args.steps)
        losses.append(loss)
        frames = args.batch * 4 / step
        rows.append([precision, f"{1000 * step:.1f}", f"{frames:,.0f}", f"{data / step:.1%}", f"{loss:.4f}"])
    if abs(losses[0] - losses[1]) > 0.05 * abs(losses[0]):
        raise SystemExit(f"the first losses differ: {losses}")
    print(
        f"{args.model}, {args.batch} clips of 4 frames of {args.size[0]} x {args.size[1]}, {args.workers} workers"
    )
    print(tabulate(rows, ["precision", "ms a step", "frames/s", "waiting for data", "first loss"]), "\n")


def _timed_steps(engine: JointEngine, steps: int) -> tuple[float, float, float]:
    """Seconds a step, seconds of it waiting for data, the first loss."""
    engine.set_model_mode("train")
    engine.epoch, loss, done = 0, 0.0, 0
    while True:
        engine.train_loader.set_epoch(engine.epoch)
        for place, batch in enumerate(engine.log.pace.timed(engine.train_loader)):
            engine.batch_idx = place
            values = engine.forward_backward(batch)
            if done == 0:
                loss = float(values["loss"])
            done += 1
            if done == 3:
                wait(engine)
                engine.log.pace.restart()
            if done == 3 + steps:
                wait(engine)
                return engine.log.pace.step, engine.log.pace.data, loss
        engine.epoch += 1


_PARTS = {"resume": _resume, "extract": _extract, "speed": _speed}

if sys.platform != "linux":  # no SIGKILL, no /proc
    del _PARTS["resume"]
