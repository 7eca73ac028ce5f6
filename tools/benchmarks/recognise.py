"""Peak memory of tools/recognise.py over videos of one, four and sixteen minutes.

    python tools/benchmark.py recognise log/joint
    python tools/benchmark.py recognise log/joint --minutes 1 60 --seconds 5

Each video is drawn: so many people at a time, who leave after some seconds and never come back. Each is recognised by a
process of its own, whose largest resident set is printed.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from tabulate import tabulate

from reidar_plugin.inference.mot_files import write_tracks
from reidar_plugin.inference.tracks import Tracks

__all__ = ["add_arguments", "run"]

WIDTH, HEIGHT, TALL, WIDE = 320, 240, 96, 48
TOOL = Path(__file__).parents[1] / "recognise.py"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the benchmark."""
    parser.add_argument("model", type=Path, help="folder of a run, checkpoint or weights")
    parser.add_argument("--minutes", type=float, nargs="+", default=[1, 4, 16])
    parser.add_argument("--rate", type=int, default=10, help="frames a second")
    parser.add_argument("--people", type=int, default=2, help="at a time")
    parser.add_argument("--seconds", type=int, default=20, help="until a person leaves")


def run(args: argparse.Namespace) -> None:
    """Draw each video, recognise it, and print what that took."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for minutes in args.minutes:
            place = Path(folder) / f"{minutes:g}"
            place.mkdir()
            tracks = draw(place, round(60 * minutes) * args.rate, args)
            peak = recognise(args.model, place)
            people = len(np.unique(tracks.track))
            rows.append((f"{minutes:g}", f"{len(tracks):,}", people, f"{peak:,.0f}"))
    print(f"{WIDTH} x {HEIGHT}, {args.rate} frames a second, {args.people} people at a time\n")
    header = ("minutes", "boxes", "tracklets", "peak memory (MB)")
    print(tabulate(rows, headers=header, tablefmt="github", disable_numparse=True))


def draw(folder: Path, frames: int, args: argparse.Namespace) -> Tracks:
    """``street.avi``, noise with a coloured box for each person, and ``street.txt``."""
    random, stay = np.random.default_rng(0), args.seconds * args.rate
    ground = cv2.resize(
        random.integers(60, 120, (HEIGHT // 8, WIDTH // 8, 3)).astype(np.uint8), (WIDTH, HEIGHT)
    )
    frame, place = (each.ravel() for each in np.mgrid[:frames, : args.people])
    track = frame // stay * args.people + place + 1
    left = 10 + place * (WIDTH - WIDE - 20) // max(1, args.people - 1)
    box = np.stack([left, 80 + frame % 40, np.full_like(left, WIDE), np.full_like(left, TALL)], axis=1)
    tracks = Tracks(frame, track, box.astype(np.float64), np.ones(len(frame), np.float32))
    video = cv2.VideoWriter(
        str(folder / "street.avi"), cv2.VideoWriter_fourcc(*"MJPG"), args.rate, (WIDTH, HEIGHT)
    )
    for at in range(frames):
        picture = ground.copy()
        for x, y, w, h in box[at * args.people : (at + 1) * args.people]:
            picture[y : y + h, x : x + w] = np.random.default_rng(at // stay * 9 + x).integers(0, 256, 3)
        video.write(picture)
    video.release()
    write_tracks(folder / "street.txt", tracks)
    return tracks


def recognise(model: Path, folder: Path) -> float:
    """Largest resident set of the tool, in MB."""
    line = [
        model,
        folder / "street.avi",
        folder / "out",
        "--tracks",
        folder / "street.txt",
        "--threshold",
        "0.1",
    ]
    process = subprocess.Popen([sys.executable, str(TOOL), *map(str, line)], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"tools/recognise.py failed with status {os.waitstatus_to_exitcode(status)}")
    return usage.ru_maxrss / 1024
