"""From files to the network: reading, sending and augmenting clips, against the released code's chain and torchreid's.

    python tools/benchmark.py data
    python tools/benchmark.py data --part reading --rounds 9
    python tools/benchmark.py data --part tables --mars /data/mars/info

Both sides run in turn, A B A B, on the same files in the same process, and what they give is compared before any
time is printed. Reading is CPU time of one process, so that a busy machine disturbs it less; pictures are made up, of
the size of MARS (256 x 128, some 4.5 KB). The released code's chain is written here from its description: PIL, bicubic
resize, mirror, pad, crop, to float, normalise, erase, a frame at a time.
"""

import argparse
import contextlib
import io
import math
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torchvision
from PIL import Image
from scipy.io import loadmat
from tabulate import tabulate
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from reidar_plugin.data.augment import Augment
from reidar_plugin.data.frames import read_frames, read_picture
from reidar_plugin.data.loader import sendable_bytes, start_worker
from reidar_plugin.data.pixel_ops import IMAGENET_MEAN, IMAGENET_STD, Normalise
from reidar_plugin.host import reid

__all__ = ["add_arguments", "run"]

Reader = Callable[[Sequence[str]], torch.Tensor]  # the files of a clip -> what their workers return

LENGTH = 4  # frames in a clip, the papers' T


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the benchmark."""
    parser.add_argument("--part", choices=list(PARTS), help="only this part")
    parser.add_argument("--rounds", type=int, default=7, help="times that each side runs")
    parser.add_argument("--pictures", type=int, default=256, help="made-up pictures")
    parser.add_argument("--batches", type=int, default=12, help="batches of 32 clips that a worker sends")
    parser.add_argument("--mars", type=Path, help="folder of tracks_*_info.mat and query_IDX.mat, for tables")


def run(args: argparse.Namespace) -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    print(f"torch {torch.__version__}, OpenCV {cv2.__version__}, torchvision {torchvision.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        for name, part in PARTS.items():
            if args.part in (None, name):
                part(args, Path(folder))


# Reading


def _reading(args: argparse.Namespace, folder: Path) -> None:
    paths = write_pictures(folder, args.pictures)
    size = statistics.mean(Path(path).stat().st_size for path in paths) / 1024
    print(f"\nFile to clip of {LENGTH}, frames a second and core; {len(paths)} JPEGs of {size:.1f} KB")
    released = [released_chain(224, 112, training=training) for training in (True, False)]
    rows = _chains("released Re-ID-AR", 224, 112, released, paths, args.rounds)
    rows += _chains("torchreid", 256, 128, host_chains(256, 128), paths, args.rounds)
    print(table(["chain", "theirs", "ours", "ratio"], rows))
    _decoders(args, paths)


def _chains(
    name: str, height: int, width: int, chains: Sequence[Reader], paths: Sequence[str], rounds: int
) -> list[list[str]]:
    """A row for their training chain and one for their test chain, both against our reading."""
    ours = partial(read_frames, height=height, width=width)
    check_pixels(chains[1](paths[:LENGTH]), ours(paths[:LENGTH]))
    rows = []
    for which, chain in zip(("training", "test"), chains, strict=True):
        seconds = in_turn([partial(each_clip, chain, paths), partial(each_clip, ours, paths)], rounds)
        rows.append([f"{name}, {which}, {height} x {width}", *compared(seconds, len(paths))])
    return rows


def _decoders(args: argparse.Namespace, paths: Sequence[str]) -> None:
    """File to RGB array, one row a decoder."""
    out = np.empty((256, 128, 3), np.uint8)

    def ours(path: str) -> None:
        read_picture(path, out)

    def opencv(path: str) -> None:
        data = np.fromfile(path, np.uint8)
        out[:] = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)

    def vision(path: str) -> None:
        data = torch.frombuffer(bytearray(Path(path).read_bytes()), dtype=torch.uint8)
        decoded = torchvision.io.decode_jpeg(data, mode=torchvision.io.ImageReadMode.RGB)
        out[:] = decoded.permute(1, 2, 0).numpy()

    def pillow(path: str) -> None:
        with Image.open(path) as picture:
            out[:] = np.asarray(picture.convert("RGB"))

    sides = {
        "simplejpeg (ours, with its checks)": ours,
        "OpenCV": opencv,
        "torchvision": vision,
        "PIL": pillow,
    }
    seconds = in_turn([partial(each, side, paths) for side in sides.values()], args.rounds)
    rows = [[name, f"{len(paths) / second:,.0f}"] for name, second in zip(sides, seconds, strict=True)]
    print(table(["decoder, into the clip's array", "frames/s"], rows))


def write_pictures(folder: Path, count: int) -> list[str]:
    """Pictures of the size of MARS, with detail at every scale as a photograph has."""
    rng = np.random.default_rng(0)
    paths = []
    for number in range(count):
        picture = np.full((256, 128, 3), 110, np.float32)
        for cells in (4, 8, 16, 32, 64, 128):
            noise = rng.normal(size=(2 * cells, cells, 3)).astype(np.float32) * 34 / math.sqrt(cells)
            picture += cv2.resize(noise, (128, 256), interpolation=cv2.INTER_CUBIC)
        paths.append(str(folder / f"{number:04}.jpg"))
        cv2.imwrite(paths[-1], picture.clip(0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 75])
    return paths


def released_chain(height: int, width: int, *, training: bool) -> Reader:
    """What the released code's workers do to a clip, from its description."""
    moved = [transforms.RandomHorizontalFlip(0.5), transforms.Pad(10), transforms.RandomCrop((height, width))]
    chain = transforms.Compose(
        [
            transforms.Resize((height, width), transforms.InterpolationMode.BICUBIC),
            *(moved if training else []),
            transforms.ToTensor(),
            transforms.Normalize(IMAGENET_MEAN, IMAGENET_STD),
        ]
    )

    def read(paths: Sequence[str]) -> torch.Tensor:
        frames = [chain(Image.open(path).convert("RGB")) for path in paths]
        return torch.stack([erase_one(frame) if training else frame for frame in frames])

    return read


def erase_one(frame: torch.Tensor) -> torch.Tensor:
    """Random erasing of one frame ``(3, H, W)``, with one attempt."""
    height, width = frame.shape[1:]
    area = random.uniform(0.02, 0.4) * height * width
    ratio = random.uniform(0.3, 1 / 0.3)
    tall, wide = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
    if random.random() < 0.5 and tall < height and wide < width:
        top, left = random.randint(0, height - tall), random.randint(0, width - wide)
        for channel in range(3):
            frame[channel, top : top + tall, left : left + wide] = IMAGENET_MEAN[channel]
    return frame


def host_chains(height: int, width: int) -> list[Reader]:
    """torchreid's own transforms for training, with its flip, crop and erasing, and for testing."""
    with contextlib.redirect_stdout(io.StringIO()):
        chains = reid.data.transforms.build_transforms(
            height, width, transforms=["random_flip", "random_crop", "random_erase"]
        )

    def reader(chain: Callable[[Any], torch.Tensor]) -> Reader:
        return lambda paths: torch.stack([chain(reid.utils.read_image(path)) for path in paths])

    return [reader(chain) for chain in chains]


def check_pixels(theirs: torch.Tensor, ours: np.ndarray) -> None:
    """The same pictures on both sides, but for the rounding of decoders and kernels."""
    scale = torch.tensor(IMAGENET_STD).view(3, 1, 1)
    gap = ((Normalise()(torch.from_numpy(ours)) - theirs) * scale * 255).abs().mean().item()
    assert gap < 1.5, f"the chains differ by {gap} levels of 255"
    print(f"mean difference of a pixel to the test chain before erasing: {gap:.2f} of 255")


# Sending


class Ready(Dataset[torch.Tensor]):
    """The same clips over and over, so that only their way through the loader costs."""

    def __init__(self, clips: torch.Tensor, batches: int) -> None:
        self.clips, self.batches = clips, batches

    def __len__(self) -> int:
        return self.batches * 32

    def __getitem__(self, place: int) -> torch.Tensor:
        return self.clips[place % len(self.clips)].clone()


class ReadyBatches(Ready):
    """As ours are sent: a whole batch, written where the main process reads it, nothing to collate."""

    def __getitems__(self, places: Sequence[int]) -> torch.Tensor:
        return sendable_bytes(*self.clips.shape).copy_(self.clips)


def _sending(args: argparse.Namespace, _: Path) -> None:
    frames = torch.randint(0, 256, (32, LENGTH, 224, 112, 3), dtype=torch.uint8)
    floats = Normalise()(frames).contiguous()
    theirs = DataLoader(
        Ready(floats, args.batches), batch_size=32, num_workers=1, worker_init_fn=start_worker
    )
    ours = DataLoader(
        ReadyBatches(frames, args.batches),
        batch_size=32,
        num_workers=1,
        worker_init_fn=start_worker,
        collate_fn=as_sent,
    )
    seconds = in_turn([partial(drain, theirs), partial(drain, ours)], args.rounds, clock=None)
    count = args.batches * 32 * LENGTH
    print(f"\nFrames a second that one worker sends to the main process; batches of 32 x {LENGTH}, 224 x 112")
    sizes = [f"{side[0].nbytes / 2**20:.1f} MB a clip" for side in (floats, frames)]
    print(
        table(
            ["", "float32", "uint8 (ours)", "ratio"],
            [["frames/s", *compared(seconds, count)], ["size", *sizes, "4.0x"]],
        )
    )


def as_sent(batch: Any) -> Any:
    """Nothing to collate."""
    return batch


def drain(loader: DataLoader[torch.Tensor]) -> float:
    """Wall time between the first batch and the last: workers take a while to start."""
    batches = iter(loader)
    next(batches)
    started = time.perf_counter()
    for batch in batches:
        assert len(batch) == 32
    return (time.perf_counter() - started) * len(loader) / (len(loader) - 1)


# Augmenting


def _augmenting(args: argparse.Namespace, _: Path) -> None:
    print(f"\nAugmenting 64 x {LENGTH} frames of 224 x 112, decoded, one thread; a GPU where there is one")
    frames = torch.randint(0, 256, (64, LENGTH, 224, 112, 3), dtype=torch.uint8)
    still = Augment(flip=0, shift="none", erase=0)
    expected = transforms.functional.normalize(
        frames[0, 0].permute(2, 0, 1) / 255, IMAGENET_MEAN, IMAGENET_STD
    )
    torch.testing.assert_close(still(frames, 0, 0)[0][0, 0], expected)  # with all chance out, both normalise
    augment = Augment()
    theirs, ours = in_turn([lambda: loop_of_frames(frames), lambda: augment(frames, 0, 0)], args.rounds)
    count = frames.shape[0] * LENGTH
    rows = [["CPU, ms a batch", f"{theirs * 1e3:,.0f}", f"{ours * 1e3:,.0f}", f"{theirs / ours:.1f}x"]]
    rows.append(["CPU, frames/s", f"{count / theirs:,.0f}", f"{count / ours:,.0f}", f"{theirs / ours:.1f}x"])
    if torch.cuda.is_available():
        there = frames.cuda()
        torch.testing.assert_close(augment(there, 0, 0)[0].cpu(), augment(frames, 0, 0)[0])
        (second,) = in_turn([partial(on_gpu, augment, there)], args.rounds, clock=None)
        rows.append([torch.cuda.get_device_name() + ", ms a batch", "", f"{second * 1e3:.2f}", ""])
    print(table(["", "a frame at a time", "batched (ours)", "ratio"], rows))


def loop_of_frames(frames: torch.Tensor) -> torch.Tensor:
    """torchvision's transforms and an erasing, one frame after another."""
    chain = transforms.Compose(
        [
            transforms.RandomHorizontalFlip(0.5),
            transforms.Pad(10),
            transforms.RandomCrop(frames.shape[2:4]),
            transforms.ConvertImageDtype(torch.float32),
            transforms.Normalize(IMAGENET_MEAN, IMAGENET_STD),
        ]
    )
    return torch.stack([erase_one(chain(frame.permute(2, 0, 1))) for frame in frames.flatten(0, 1)])


def on_gpu(augment: Augment, frames: torch.Tensor) -> float:
    """Wall time of one batch on the device, start to end."""
    torch.cuda.synchronize()
    started = time.perf_counter()
    augment(frames, 0, 0)
    torch.cuda.synchronize()
    return time.perf_counter() - started


# Tables


def _tables(args: argparse.Namespace, folder: Path) -> None:
    if args.mars is None:
        print("\nTables of MARS: not measured, name their folder with --mars")
        return
    from reidar_plugin.data.mars import read_tracklets

    seconds = []
    for number in range(min(args.rounds, 3)):
        home = folder / f"mars-{number}"
        write_names(args.mars, home / "info")
        started = time.process_time()
        split = read_tracklets(home)
        seconds.append(time.process_time() - started)
    sizes = " / ".join(f"{len(part):,}" for part in split)
    print(
        f"\nTables of MARS to {sizes} tracklets: {statistics.median(seconds):.2f} s of CPU (median of {len(seconds)})"
    )


def write_names(tables: Path, info: Path) -> None:
    """The real tables beside lists of image names of the real form, made from them."""
    info.mkdir(parents=True)
    for source in tables.glob("*.mat"):
        (info / source.name).write_bytes(source.read_bytes())
    for half in ("train", "test"):
        tracks = loadmat(tables / f"tracks_{half}_info.mat")[f"track_{half}_info"]
        with (info / f"{half}_name.txt").open("w", encoding="ascii") as file:
            for number, (start, end, pid, camera) in enumerate(tracks.tolist(), start=1):
                person = "00-1" if pid == -1 else f"{pid:04}"
                name = f"{person}C{camera}T{number % 10000:04}"
                file.writelines(f"{name}F{frame:03}.jpg\n" for frame in range(1, end - start + 2))


# Timing


def in_turn(
    sides: Sequence[Callable[[], Any]], rounds: int, clock: Callable[[], float] | None = time.process_time
) -> list[float]:
    """Median seconds of each side, A B A B; without a clock a side returns its own seconds."""
    seconds: list[list[float]] = [[] for _ in sides]
    for side in sides:
        side()  # caches warm, pages touched
    for _ in range(rounds):
        for side, found in zip(sides, seconds, strict=True):
            started = clock() if clock else 0.0
            own = side()
            found.append(clock() - started if clock else own)
    return [statistics.median(found) for found in seconds]


def each_clip(read: Callable[[Sequence[str]], Any], paths: Sequence[str]) -> None:
    """Read all pictures, a clip at a time."""
    for first in range(0, len(paths), LENGTH):
        read(paths[first : first + LENGTH])


def each(read: Callable[[str], Any], paths: Sequence[str]) -> None:
    """Read all pictures, one at a time."""
    for path in paths:
        read(path)


def compared(seconds: Sequence[float], count: int) -> list[str]:
    """Rates of both sides, and ours over theirs."""
    theirs, ours = seconds
    return [f"{count / theirs:,.0f}", f"{count / ours:,.0f}", f"{theirs / ours:.1f}x"]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Names to the left, numbers to the right."""
    return tabulate(rows, head, colalign=["left"] + ["right"] * (len(head) - 1), disable_numparse=True)


PARTS = {"reading": _reading, "sending": _sending, "augmenting": _augmenting, "tables": _tables}
