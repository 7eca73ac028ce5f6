"""Training and testing end to end: kills that must lose nothing, packed extraction, frames a second.

    python tools/benchmark.py train resume --kills 50
    python tools/benchmark.py train extract --tracklets 500
    python tools/benchmark.py train speed --model reidar_resnet50_ibn_a --size 224 112 --batch 64 --gpu

``resume`` trains a small model on SynthPed and kills it (SIGKILL) at random moments; every run that gets to its end
must have the weights, centres, optimiser states and generators of a run that nobody killed, to the bit.
``extract`` runs the same tracklets, with MARS' lengths, packed into full batches and one tracklet a call, in turn; the
features are compared first. ``speed`` trains from JPEG files to the optimiser's step.
"""

import argparse
import contextlib
import multiprocessing
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from benchmarks.built_engine import built_engine, wait
from tabulate import tabulate
from torch import Tensor

from reidar_plugin.checkpoint.store import CheckpointStore, read_checkpoint
from reidar_plugin.data.loader import ClipLoader, FrameReader
from reidar_plugin.data.packed_clips import FullBatches, PackedClips, plan_clips
from reidar_plugin.data.pixel_ops import Normalise
from reidar_plugin.data.tracklet_table import TrackletTable
from reidar_plugin.engine.joint import JointEngine
from reidar_plugin.inference.features import extract
from reidar_plugin.inference.precision import Precision
from reidar_plugin.launch import runner
from reidar_plugin.models.joint import build_joint
from reidar_plugin.synthped import make
from reidar_plugin.synthped.presets import tracklet_lengths
from reidar_plugin.synthped.seeded_random import SeededRandom

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the benchmark."""
    parser.add_argument(
        "part", nargs="?", choices=sorted(_PARTS), help="only this part; else all, one after another"
    )
    parser.add_argument("--kills", type=int, default=50, help="resume: how often training is killed")
    parser.add_argument("--seed", type=int, default=0, help="resume: of the moments")
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
    _train(folder, folder / "whole", None)
    duration = time.monotonic() - start
    moments, expected = random.Random(args.seed), _end(folder / "whole")
    killed = finished = repeated = 0
    while killed < args.kills:
        save_dir = folder / f"run-{finished}"
        before = _position(save_dir)
        if _train(folder, save_dir, moments.uniform(0, duration)):
            differing = _differences(expected, _end(save_dir))
            if differing:
                raise SystemExit(
                    f"{save_dir} ended otherwise than the run that nobody killed, in {differing[:3]}"
                )
            finished += 1
            continue
        killed += 1
        after = _position(save_dir)
        if after < before:
            raise SystemExit(f"{save_dir} fell from {before} back to {after}")
        repeated += after == before
    while not _train(folder, folder / f"run-{finished}", None):
        raise SystemExit(f"run-{finished} did not come to its end")
    differing = _differences(expected, _end(folder / f"run-{finished}"))
    rows = {
        "kills": killed,
        "of them before anything new was saved": repeated,
        "runs that came to their end": finished + 1,
        "of them with another bit than the run that nobody killed": bool(differing),
        "seconds of that run": f"{duration:.1f}",
    }
    print(tabulate(rows.items(), tablefmt="plain"), "\n")
    if differing:
        raise SystemExit(f"the last run ended otherwise, in {differing[:3]}")


def _train(root: Path, save_dir: Path, seconds: float | None) -> bool:
    """Train in a process of its own, to the end or for so many seconds; whether it came to its end."""
    process = multiprocessing.get_context("fork").Process(target=_launch, args=(root, save_dir), daemon=True)
    process.start()
    process.join(seconds)
    process.kill()
    process.join()
    if process.exitcode not in (0, -9):
        raise SystemExit(f"training ended with status {process.exitcode}; see {save_dir}.txt")
    return process.exitcode == 0


def _launch(root: Path, save_dir: Path) -> None:
    with (
        open(f"{save_dir}.txt", "a") as log,
        contextlib.redirect_stdout(log),
        contextlib.redirect_stderr(log),
    ):
        options = f"""data.type video data.save_dir {save_dir} data.height 64 data.width 32 data.workers 0 video.seq_len 2
            model.name reidar_osnet_x0_25 model.pretrained False loss.name reidar train.batch_size 8 train.max_epoch 3
            sampler.train_sampler identity_pass sampler.num_instances 4 test.batch_size 32 test.eval_freq 1
            reidar.train.save_every 1 reidar.test.resamples 100 reidar.model.attention_width 16"""
        flags = ["-s", "mars_actions", "-t", "mars_actions", "--root", str(root)]
        runner.main([*flags, *options.split()])


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
    reader = FrameReader(*args.size)
    plan = plan_clips([len(paths) for paths in table.paths], 4)
    packed = PackedClips(table, reader, plan)
    batches = {
        "packed": FullBatches(len(packed), args.batch),
        "one tracklet a call": _OneTracklet(plan.tracklets),
    }
    model = (
        build_joint(args.model.removeprefix("reidar_"), 10, num_actions=8, frame_size=tuple(args.size))
        .to(device)
        .eval()
    )
    precision, normalise = Precision("bfloat16" if args.gpu else "float32", device), Normalise()
    seconds: dict[str, list[float]] = {name: [] for name in batches}
    features = {}
    for _ in range(args.rounds):
        for name, each in batches.items():
            loader = ClipLoader(packed, each, workers=args.workers, pin=args.gpu)
            start = time.perf_counter()
            features[name] = extract(model, loader, normalise, precision).features.cpu()
            seconds[name].append(time.perf_counter() - start)
    torch.testing.assert_close(*features.values(), rtol=1e-3, atol=1e-2 if args.gpu else 1e-4)
    frames = sum(len(paths) for paths in table.paths)
    medians = {name: statistics.median(each) for name, each in seconds.items()}
    rows = [
        [
            name,
            len(batches[name]),
            f"{middle:.1f}",
            f"{frames / middle:,.0f}",
            f"{middle / medians['packed']:.2f}",
        ]
        for name, middle in medians.items()
    ]
    print(
        f"{len(table)} tracklets, {frames:,} frames, {args.model}, batches of {args.batch} clips of 4; features are equal"
    )
    print(tabulate(rows, ["", "calls", "s, median", "frames/s", "ratio"]), "\n")


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

if os.name == "nt":  # no fork, no SIGKILL
    del _PARTS["resume"]
