"""What can be had on SynthPed without learning: nearest neighbours by colours, untrained networks, and attributes."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.nn import functional as F

from reidar_plugin.data.tracklets import Tracklet
from reidar_plugin.launch.subprocesses import merged
from reidar_plugin.models.joint import build_joint
from reidar_plugin.models.registry import arguments
from reidar_plugin.synthped.seeded_random import Array

from .drawn_set import DrawnSet
from .learning import FRAMES, Small, embed, load
from .ranking import by_camera, camids_of, distances, rank

__all__ = ["baselines"]

DEMO = Path(__file__).resolve().parents[2] / "configs" / "demo.yaml"


def baselines(drawn: DrawnSet) -> Iterator[tuple[str, str, str]]:
    """What can be had without learning."""
    queries, gallery = drawn.parts["query"], drawn.parts["gallery"]
    camids = camids_of(drawn.test())
    cubes, channels = histograms(drawn.test())
    for name, features, own_camera in (
        ("RGB histogram, 8 x 8 x 8 bins", cubes, True),
        ("  in other cameras, standardised in each", by_camera(cubes, camids), False),
        ("RGB histograms, 3 x 32 bins", channels, True),
        ("  in other cameras, standardised in each", by_camera(channels, camids), False),
        ("the demo's network, untrained", untrained_demo(drawn.test()), True),
        ("the network of this script, untrained", embed(Small(2), drawn.test())[0], True),
        ("the twelve attributes of the CSV", one_hot([drawn.attributes[t.pid] for t in drawn.test()]), True),
        ("all that the generator knows", one_hot([drawn.looks[t.pid] for t in drawn.test()]), True),
    ):
        first, average = rank(distances(features, len(queries)), queries, gallery, own_camera)
        yield name, f"{first:.1f}", f"{average:.1f}"


def untrained_demo(tracklets: list[Tracklet]) -> Array:
    """Features of the demo's network as it is before training, at the demo's size, for the demo's cosine distance."""
    cfg = merged(DEMO)
    size = (cfg.data.height, cfg.data.width)
    network = build_joint(cfg.model.name.removeprefix("reidar_"), 2, "softmax", **arguments(cfg)).eval()
    mean, spread = (torch.tensor(getattr(cfg.data, name)) * 255 for name in ("norm_mean", "norm_std"))
    features = []
    with torch.no_grad():
        for stack in load(tracklets, FRAMES, size):
            frames = (torch.from_numpy(stack[..., ::-1].copy()).float() - mean) / spread
            features.append(F.normalize(network(frames.permute(0, 3, 1, 2)[None]))[0])
    return torch.stack(features).numpy()


def histograms(tracklets: list[Tracklet]) -> tuple[Array, Array]:
    """Square roots of histograms over all pixels of all frames (their Euclidean is the Hellinger distance): 8 x 8 x 8
    bins of colours, and 32 bins of each channel."""
    cubes, channels = [], []
    for tracklet in tracklets:
        cube, channel = np.zeros(512), np.zeros((3, 32))
        for path in tracklet.paths:
            pixels = cv2.imread(path)
            channel += [cv2.calcHist([pixels], [c], None, [32], [0, 256]).ravel() for c in range(3)]
            cube += cv2.calcHist([pixels], [0, 1, 2], None, [8, 8, 8], [0, 256] * 3).ravel()
        cubes.append(np.sqrt(cube / cube.sum()))
        channels.append(np.sqrt(channel.ravel() / channel.sum()))
    return np.array(cubes), np.array(channels)


def one_hot(rows: list[list[str]]) -> Array:
    values = [sorted(set(column)) for column in zip(*rows, strict=True)]
    return np.array(
        [[float(cell == v) for cell, vs in zip(row, values, strict=True) for v in vs] for row in rows]
    )
