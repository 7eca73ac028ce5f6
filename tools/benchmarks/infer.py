"""Tracklets from JPEG files to features: the Predictor, in torch and in onnxruntime, beside torchreid's FeatureExtractor.

    python tools/benchmark.py infer
    python tools/benchmark.py infer --model resnet50 --tracklets 4
    python tools/benchmark.py infer --tracklets 4 --repeats 3 --batches 1 64

The same network with the same weights, drawn at random; pictures of made-up people have the size of the network. The
FeatureExtractor is called frame by frame, as its documentation shows, and the features of a tracklet are averaged. The
sides take turns, tracklet group by tracklet group.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from tabulate import tabulate

from reidar_plugin.host import reid
from reidar_plugin.inference.onnx_export import export_onnx
from reidar_plugin.inference.predictor import Predictor
from reidar_plugin.inference.trained_model import load_trained

__all__ = ["add_arguments", "run"]

Side = Callable[[list[list[str]]], np.ndarray]  # tracklets of paths -> features


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the benchmark."""
    parser.add_argument("--model", default="osnet_x0_25", help="a network of torchreid")
    parser.add_argument("--tracklets", type=int, default=8, help="of a group")
    parser.add_argument("--frames", type=int, default=16, help="of a tracklet")
    parser.add_argument("--repeats", type=int, default=5, help="groups, each read by every side")
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--batches", type=int, nargs="+", default=[], metavar="FRAMES", help="other sizes of a batch"
    )


def run(args: argparse.Namespace) -> None:
    """Compare features, then measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "weights.pth"
        network = reid.models.build_model(args.model, num_classes=1, loss="softmax", pretrained=False)
        torch.save({"state_dict": network.state_dict()}, weights)
        sides = make_sides(args, weights)
        groups = [write_group(Path(folder) / str(n), args, seed=n) for n in range(args.repeats + 1)]
        warm = {name: side(groups[0]) for name, side in sides.items()}
        base = next(iter(warm.values()))
        gaps = {name: np.abs(value - base).max() / np.abs(base).max() for name, value in warm.items()}
        assert max(gaps.values()) < 1e-3, gaps
        times: dict[str, list[float]] = {name: [] for name in sides}
        for group in groups[1:]:
            for name, side in sides.items():
                began = time.perf_counter()
                side(group)
                times[name].append(time.perf_counter() - began)
    report(args, times, gaps)


def make_sides(args: argparse.Namespace, weights: Path) -> dict[str, Side]:
    """Each side by its name, torchreid's first."""
    extractor = reid.utils.FeatureExtractor(args.model, str(weights), device=args.device, verbose=False)

    def by_torchreid(tracklets: list[list[str]]) -> np.ndarray:
        means = [torch.cat([extractor(path) for path in paths]).mean(dim=0) for paths in tracklets]
        return torch.stack(means).cpu().numpy()

    def by(predictor: Predictor) -> Side:
        return lambda tracklets: np.stack([said.feature for said in predictor(tracklets)])

    sides: dict[str, Side] = {"torchreid": by_torchreid}
    sides["Predictor, torch"] = by(Predictor.load(weights, args.device, model=args.model))
    for frames in args.batches:
        other = Predictor.load(weights, args.device, model=args.model, max_frames=frames)
        sides[f"Predictor, torch, {frames} frames a batch"] = by(other)
    if args.device == "cpu":
        file = weights.with_suffix(".onnx")
        export_onnx(load_trained(weights, args.model), file)
        sides["Predictor, onnxruntime"] = by(Predictor.load(file))
    return sides


def write_group(folder: Path, args: argparse.Namespace, seed: int) -> list[list[str]]:
    """Pictures of noise over a colour, as JPEG files; their paths by tracklet."""
    rng = np.random.default_rng(seed)
    folder.mkdir()
    paths = [[str(folder / f"{t}-{f:04d}.jpg") for f in range(args.frames)] for t in range(args.tracklets)]
    for tracklet in paths:
        colour = rng.integers(40, 216, 3)
        for path in tracklet:
            coarse = np.clip(colour + rng.integers(-40, 41, (16, 8, 3)), 0, 255).astype(np.uint8)
            cv2.imwrite(path, cv2.resize(coarse, (128, 256)))
    return paths


def report(args: argparse.Namespace, times: dict[str, list[float]], gaps: dict[str, float]) -> None:
    """Medians; ratios are medians of the ratios of each turn."""
    base = times["torchreid"]
    rows = [
        (
            name,
            f"{args.tracklets / statistics.median(seconds):.2f}",
            f"{statistics.median(theirs / ours for theirs, ours in zip(base, seconds, strict=True)):.2f} x",
            f"{gaps[name]:.1g}",
        )
        for name, seconds in times.items()
    ]
    print(
        f"{args.model}, {args.frames} JPEG files of 256 x 128 a tracklet, {len(base)} turns of {args.tracklets}\n"
    )
    header = ("", "tracklets a second", "ratio", "difference of features")
    print(tabulate(rows, headers=header, tablefmt="github", disable_numparse=True))
