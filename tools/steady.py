"""Train and test for long, and look whether memory and open files stay where they are.

    python tools/steady.py --steps 10000 --tests 200

A small network is trained on a small street, which is drawn first. Memory (resident) and open files are looked at five
times a second; the status is 1 where the last tenth of the time has more of either than the second fifth: more than
16 MB and 2 %, or more than two files. Linux only.
"""

import argparse
import os
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from reidar_plugin.errors import ReidarError
from reidar_plugin.launch.guard import guard

PAUSE = 0.2  # seconds
SLACK, SHARE, FILES = 16, 0.02, 2


class Sample(NamedTuple):
    """What a process has at a moment."""

    megabytes: float  #: resident
    files: int  #: open


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=10_000, help="of training, at least")
    parser.add_argument("--tests", type=int, default=200, help="one after each epoch")
    args = parser.parse_args(argv)
    from torments.deeds import train_tiny

    from reidar_plugin import synthped

    people = max(2, 2 * -(-args.steps // args.tests))  # two of them a step
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        about = {"people": (people, 3), "cameras": 2, "tracklets": (2 * people, 12), "size": (16, 16)}
        synthped.make(root, "tiny", **about, folder="synthped")
        with _watched() as samples:
            train_tiny(root, root / "run", max_epoch=args.tests)
    print(verdict(samples))


@contextmanager
def _watched() -> Iterator[list[Sample]]:
    """Samples of this process, while the block runs."""
    samples: list[Sample] = []
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(PAUSE):
            samples.append(_now())

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield samples
    finally:
        ended.set()
        watcher.join()


def _now() -> Sample:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Sample(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, len(os.listdir("/proc/self/fd")))


def verdict(samples: Sequence[Sample]) -> str:
    """What became of memory and files, in a line.

    Raises:
        ReidarError: one of them has grown, or there are too few samples to tell.
    """
    if len(samples) < 20:
        raise ReidarError(
            f"expected a run of at least {20 * PAUSE:g} seconds, got {len(samples)} looks; take more --steps"
        )
    early, late = samples[len(samples) // 5 : 2 * len(samples) // 5], samples[-len(samples) // 10 :]
    memory = [median(sample.megabytes for sample in part) for part in (early, late)]
    files = [median(sample.files for sample in part) for part in (early, late)]
    told = (
        f"memory {memory[0]:.0f} MB early, {memory[1]:.0f} MB late; open files {files[0]:g} and {files[1]:g}"
    )
    if memory[1] > memory[0] * (1 + SHARE) + SLACK or files[1] > files[0] + FILES:
        raise ReidarError(f"{told}: something is kept")
    return told


if __name__ == "__main__":
    sys.exit(guard(main))
