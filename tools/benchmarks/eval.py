"""Retrieval metrics and re-ranking against the host's at the size of MARS; a gallery of 100,000 tracklets.

    python tools/benchmark.py eval
    python tools/benchmark.py eval --mars /data/mars/info --rounds 5

Both sides run in turn, A B A B, on the same distances or features; their results are compared before any
time is printed. Peak memory is that of a process of its own which does nothing else. Features are made up
(a random centre a person, distractors anywhere); with ``--mars`` identities and cameras are the real ones.
"""

import argparse
import contextlib
import io
import multiprocessing
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.io import loadmat
from tabulate import tabulate

from reidar_plugin.host import reid
from reidar_plugin.metrics.distances import distance_blocks, pairwise_distances
from reidar_plugin.metrics.protocols import TrackletFeatures
from reidar_plugin.metrics.rerank import rerank
from reidar_plugin.metrics.retrieval import rank_blocks, rank_distances

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the benchmark."""
    parser.add_argument(
        "--mars", type=Path, help="folder of tracks_test_info.mat and query_IDX.mat; else a made-up table"
    )
    parser.add_argument("--rounds", type=int, default=3, help="times that each side runs")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch")
    parser.add_argument("--width", type=int, default=2048, help="width of a feature")
    parser.add_argument(
        "--noise", type=float, default=3.5, help="spread of a person's features; its centre has 1"
    )
    parser.add_argument(
        "--gallery", type=int, default=100_000, help="tracklets of the large gallery; 0 leaves it out"
    )
    parser.add_argument("--part", choices=["metrics", "rerank", "large"], help="only this part")


def run(args: argparse.Namespace) -> None:
    """Measure and print."""
    torch.set_num_threads(args.threads)
    parts = {"metrics": _metrics, "rerank": _rerank, "large": _large}
    for name, part in parts.items():
        if args.part in (None, name) and not (name == "large" and not args.gallery):
            part(args)


def _metrics(args: argparse.Namespace) -> None:
    query, gallery = features(args)
    distances = pairwise_distances(query.features, gallery.features)
    people = query.pids, gallery.pids, query.camids, gallery.camids
    arrays = [column.numpy() for column in people]
    host = partial(reid.metrics.evaluate_rank, distances.numpy(), *arrays, max_rank=20, use_cython=False)
    (cmc, mean_ap), ours, times = in_turn(host, partial(rank_distances, distances, *people), args.rounds)
    assert abs(ours.mAP - mean_ap) < 1e-6, (ours.mAP, mean_ap)
    assert np.abs([ours.cmc(rank) for rank in range(1, 21)] - cmc).max() < 1e-6
    print(f"\nCMC and mAP, {len(query.pids):,} x {len(gallery.pids):,}; mAP {ours.mAP:.6f} on both sides")
    print(compared(times))


def _rerank(args: argparse.Namespace) -> None:
    sides = {"torchreid": host_rerank, "ours": our_rerank}
    query, gallery = (side.features for side in features(args))
    host, our = (partial(side, query, gallery) for side in sides.values())
    first, second, times = in_turn(host, our, args.rounds)
    gap = float(np.abs(first - second).max())
    assert gap < 1e-6, gap
    del first, second
    print(f"\nRe-ranking from features, {len(query):,} + {len(gallery):,}; largest difference {gap:.1e}")
    print(compared(times))
    peaks = {name: peak_memory(_rerank_alone, args, side) for name, side in sides.items()}
    start = peak_memory(_rerank_alone, args, None)
    rows = [[name, f"{peak:,.0f}", f"{peak - start:,.0f}"] for name, peak in peaks.items()]
    theirs, ours = peaks.values()
    rows.append(["ratio", f"{theirs / ours:.1f}x", f"{(theirs - start) / (ours - start):.1f}x"])
    print(
        tabulate(
            rows,
            ["", "peak MB", f"above imports and features ({start:,.0f} MB)"],
            colalign=["left"] + ["right"] * 2,
        )
    )


def _large(args: argparse.Namespace) -> None:
    peak, seconds = _in_process(_large_alone, args)
    print(f"\n1,980 queries x {args.gallery:,} gallery tracklets of width {args.width}: ", end="")
    print(f"{seconds:.1f} s from features to metrics, peak {peak:,.0f} MB")
    assert peak < 8192, f"{peak} MB are more than 8 GB"


def host_rerank(query: torch.Tensor, gallery: torch.Tensor) -> np.ndarray:
    """The way the host's engine does it."""
    compare = reid.metrics.compute_distance_matrix
    pairs = (query, gallery), (query, query), (gallery, gallery)
    return reid.utils.re_ranking(*(compare(a, b).numpy() for a, b in pairs))


def our_rerank(query: torch.Tensor, gallery: torch.Tensor) -> np.ndarray:
    """Ours, from the same features."""
    return rerank(query, gallery).numpy()


def _rerank_alone(args: argparse.Namespace, side: Callable[..., Any] | None) -> float:
    query, gallery = features(args)
    started = time.perf_counter()
    if side is not None:
        side(query.features, gallery.features)
    return time.perf_counter() - started


def _large_alone(args: argparse.Namespace) -> float:
    draw = torch.Generator().manual_seed(0)
    count = args.gallery
    gallery = torch.randn(count, args.width, generator=draw)
    query = gallery[:1980] + torch.randn(1980, args.width, generator=draw)
    pids, camids = torch.arange(count) % 10_000, torch.arange(count) // 10_000 % 6
    started = time.perf_counter()
    rank_blocks(distance_blocks(query, gallery), pids[:1980], pids, camids[:1980] + 1, camids)
    return time.perf_counter() - started


def peak_memory(work: Callable[..., float], args: argparse.Namespace, *rest: Any) -> float:
    """Peak resident memory in MB of a fresh process that does the work."""
    return _in_process(work, args, *rest)[0]


def _in_process(work: Callable[..., float], *args: Any) -> tuple[float, float]:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (work, *args))


def _measured(work: Callable[..., float], args: argparse.Namespace, *rest: Any) -> tuple[float, float]:
    torch.set_num_threads(args.threads)
    result = work(args, *rest)
    return _peak(), result


def _peak() -> float:
    """Peak resident memory of this process in MB; Linux also counts what the parent had in ``ru_maxrss``."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) / 2**10
    import resource  # not on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def in_turn(first: Callable[[], Any], second: Callable[[], Any], rounds: int) -> tuple[Any, Any, np.ndarray]:
    """Results of both, and the seconds by wall clock and CPU, ``(2 sides, rounds, 2)``; run in turn."""
    times = np.empty((2, rounds, 2))
    results: list[Any] = [None, None]
    for turn in range(rounds):
        for place, side in enumerate((first, second)):
            with contextlib.redirect_stdout(io.StringIO()):  # the host prints
                started = np.array((time.perf_counter(), time.process_time()))
                results[place] = side()
                times[place, turn] = (time.perf_counter(), time.process_time()) - started
    return results[0], results[1], times


def compared(times: np.ndarray) -> str:
    """Table of medians, ranges and the ratio."""
    rows = []
    for name, side in zip(("torchreid", "ours"), times, strict=True):
        (wall, cpu), low, high = np.median(side, axis=0), side[:, 0].min(), side[:, 0].max()
        rows.append([name, f"{wall:.3f}", f"{low:.3f} - {high:.3f}", f"{cpu:.3f}"])
    wall, cpu = (times[0] / times[1]).T
    rows.append(
        [
            "ratio",
            f"{np.median(wall):.1f}x",
            f"{wall.min():.1f}x - {wall.max():.1f}x",
            f"{np.median(cpu):.1f}x",
        ]
    )
    return tabulate(
        rows, ["", "median s", "range", "CPU s"], colalign=["left"] + ["right"] * 3, disable_numparse=True
    )


def features(args: argparse.Namespace) -> tuple[TrackletFeatures, TrackletFeatures]:
    """Made-up features of the queries and the gallery of MARS."""
    query, gallery = real_table(args.mars) if args.mars else made_up_table()
    draw = torch.Generator().manual_seed(0)
    centres = torch.randn(int(gallery[:, 0].max()) + 1, args.width, generator=draw)

    def side(table: np.ndarray) -> TrackletFeatures:
        pids, camids = torch.from_numpy(table).T.contiguous()
        own = centres[pids]
        own[pids == 0] = torch.randn(int((pids == 0).sum()), args.width, generator=draw)
        return TrackletFeatures(
            own.add_(torch.randn(own.shape, generator=draw), alpha=args.noise), pids, camids
        )

    return side(query), side(gallery)


def real_table(info: Path) -> tuple[np.ndarray, np.ndarray]:
    """(pid, camid) of the official queries and gallery."""
    table = loadmat(info / "tracks_test_info.mat")["track_test_info"].astype(np.int64)[:, 2:]
    asked = loadmat(info / "query_IDX.mat")["query_IDX"].ravel().astype(np.int64) - 1
    gallery = np.delete(table, asked, axis=0)
    return table[asked], gallery[gallery[:, 0] >= 0]


def made_up_table() -> tuple[np.ndarray, np.ndarray]:
    """A table of the same sizes: 626 people asked for, 3,248 distractors, six cameras."""
    draws = np.random.default_rng(0)
    query = np.stack((np.arange(1980) % 626 + 1, draws.integers(1, 7, 1980)), axis=1)
    people = np.concatenate((draws.integers(1, 627, 6082), np.zeros(3248, dtype=np.int64)))
    return query, np.stack((people, draws.integers(1, 7, 9330)), axis=1)
