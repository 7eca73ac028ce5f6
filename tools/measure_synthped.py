"""Measure a SynthPed set: how hard it is, whether anything but the people gives them away, and what it holds.

    python tools/measure_synthped.py --root data --preset laptop                  # as in docs/synthped.md
    python tools/measure_synthped.py --root data --preset mars --people 100 100     # 200 people at MARS' size
    python tools/measure_synthped.py --root data --preset laptop --steps 0          # without training

The set is drawn first if ``ROOT/measured-<preset>-<shares>`` is not there. Everything runs on the CPU.
"""

import argparse
import csv
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import torch
from tabulate import tabulate
from torch import Tensor, nn
from torch.nn import functional as F

from reidar_plugin.data.mars import read_tracklets
from reidar_plugin.data.synthped import PRESETS, make
from reidar_plugin.data.synthped.actions import ACTIONS
from reidar_plugin.data.synthped.plan import plan_mars
from reidar_plugin.data.synthped.render import Studio
from reidar_plugin.data.tracklets import Tracklet
from reidar_plugin.host import reid

__all__ = ["main"]

Array = np.ndarray
FRAMES = 8  # of a tracklet that a network looks at, evenly spread
SIZE = (128, 64)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", required=True)
    parser.add_argument("--preset", default="laptop", choices=sorted(PRESETS))
    parser.add_argument("--people", type=int, nargs=2, metavar="N")
    parser.add_argument("--shares", default="paper", choices=("paper", "even"), help="of the actions")
    parser.add_argument("--steps", type=int, default=400, help="of training; 0 leaves it out")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0, help="of the training")
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    people = tuple(args.people) if args.people else None
    home = make(
        args.root,
        args.preset,
        people=people,
        shares=args.shares,
        folder=f"measured-{args.preset}-{args.shares}",
    )
    town = Town(home)
    print(tabulate(contents(town), headers=("content", "value")), end="\n\n")
    print(
        tabulate(speed(args.preset), headers=("drawn and encoded", "frames a second of one core")), end="\n\n"
    )
    print(
        tabulate(leaks(town), headers=("what may not tell who", "rank-1 %", "95 % of shuffles", "p")),
        end="\n\n",
    )
    print(tabulate(baselines(town), headers=("nearest neighbour by", "rank-1 %", "mAP %")), end="\n\n")
    if args.steps:
        print(tabulate(training(town, args.steps), headers=("after training", "value")))
    return 0


# the set --------------------------------------------------------------------------------------------------


@dataclass
class Town:
    """A set in MARS' layout with its truth."""

    home: Path

    @cached_property
    def parts(self) -> dict[str, list[Tracklet]]:
        split = read_tracklets(self.home)
        gallery = [tracklet for tracklet in split.gallery if tracklet.pid > 0]  # people only
        return {"train": list(split.train), "query": list(split.query), "gallery": gallery}

    @cached_property
    def labels(self) -> dict[int, str]:
        rows = list(csv.reader((self.home / "actions.csv").open(encoding="utf-8")))[1:]
        return {int(key): label for key, label in rows}

    @cached_property
    def truth(self) -> list[dict[str, str]]:
        return list(csv.DictReader((self.home / "truth" / "frames.csv").open(encoding="utf-8")))

    @cached_property
    def looks(self) -> dict[int, list[str]]:
        rows = csv.reader((self.home / "truth" / "people.csv").open(encoding="utf-8"))
        return {int(row[2]): row[3:] for row in list(rows)[1:]}

    def test(self) -> list[Tracklet]:
        """Queries, then gallery."""
        return self.parts["query"] + self.parts["gallery"]


def contents(town: Town) -> Iterator[tuple[str, object]]:
    """What is in the set, by its truth."""
    frames: Counter[str] = Counter()
    occluded = wrong = total = 0
    odd: set[str] = set()
    known = [row for row in town.truth if not row["tracklet"].startswith(("0000", "00-1"))]
    for row in known:
        count = int(row["last"]) - int(row["first"]) + 1
        label = town.labels[int(row["tracklet"][:4])]
        frames[row["action"]] += count
        total += count
        occluded += count * int(row["occluded"])
        wrong += count * (row["action"] != label)
        if row["action"] != label:
            odd.add(row["tracklet"])
    keys = {row["tracklet"] for row in known}
    files = [path for split in ("train", "test") for path in (town.home / f"bbox_{split}").rglob("*.jpg")]
    sizes = np.array([path.stat().st_size for path in files[:: max(1, len(files) // 20000)]])
    yield "frames", len(files)
    yield "bytes a frame", f"{sizes.mean():.0f}"
    for action in ACTIONS:
        yield f"frames of {action}", f"{100 * frames[action] / total:.2f} %"
    yield "frames with the person covered", f"{100 * occluded / total:.1f} %"
    yield "frames with another action than the label", f"{100 * wrong / total:.1f} %"
    yield "tracklets with such a frame", f"{100 * len(odd) / len(keys):.1f} %"


def speed(name: str) -> Iterator[tuple[str, str]]:
    """Frames drawn and encoded, and the rate of one core: by processor time, so that others on the machine do not count."""
    preset = PRESETS[name]
    train, test = (t * 30 // p for t, p in zip(preset.tracklets, preset.people, strict=True))
    plan = plan_mars(replace(preset, people=(30, 30), tracklets=(train, test)), seed=1)
    studio = Studio(plan)
    for camera in range(1, plan.cameras + 1):  # paint the backgrounds first
        shot = next(shot for shot in plan.shots if shot.camera == camera)
        next(studio.pictures(shot, studio.script(shot)))
    count, start = 0, time.process_time()
    for shot in plan.shots[:: max(1, len(plan.shots) // 120)]:
        for picture in studio.pictures(shot, studio.script(shot)):
            studio.encode(shot, picture)
            count += 1
    yield (
        f"{preset.size[0]} x {preset.size[1]} ({count} frames)",
        f"{count / (time.process_time() - start):.0f}",
    )


# nearest neighbours ---------------------------------------------------------------------------------------


def rank(
    distance: Array, queries: list[Tracklet], gallery: list[Tracklet], own_camera: bool = True
) -> tuple[float, float]:
    """Rank-1 and mAP in percent over the queries that have a right answer.

    Pictures of the query's person in its own camera do not count; without ``own_camera`` nothing of that camera does.
    """
    hits, precisions = [], []
    pids, camids = (np.array([getattr(t, name) for t in gallery]) for name in ("pid", "camid"))
    for row, query in zip(distance, queries, strict=True):
        same = camids == query.camid
        keep = ~same if not own_camera else ~(same & (pids == query.pid))
        match = (pids == query.pid)[keep][np.argsort(row[keep], kind="stable")]
        if match.any():
            places = np.flatnonzero(match)
            hits.append(match[0])
            precisions.append(np.mean((np.arange(len(places)) + 1) / (places + 1)))
    return 100 * float(np.mean(hits)), 100 * float(np.mean(precisions))


def distances(features: Array, queries: int) -> Array:
    """Euclidean distances of the first rows to the others."""
    a, b = features[:queries], features[queries:]
    return (a * a).sum(1)[:, None] + (b * b).sum(1)[None] - 2 * a @ b.T


def baselines(town: Town) -> Iterator[tuple[str, str, str]]:
    """What can be had without learning."""
    queries, gallery = town.parts["query"], town.parts["gallery"]
    camids = np.array([t.camid for t in town.test()])
    cubes, channels = histograms(town.test())
    for name, features, own_camera in (
        ("RGB histogram, 8 x 8 x 8 bins", cubes, True),
        ("  in other cameras, standardised in each", by_camera(cubes, camids), False),
        ("RGB histograms, 3 x 32 bins", channels, True),
        ("  in other cameras, standardised in each", by_camera(channels, camids), False),
        ("untrained osnet_x0_25", embed(Untrained("osnet_x0_25"), town.test())[0], True),
        ("untrained network of this script", embed(Small(2), town.test())[0], True),
        ("true attributes", one_hot([town.looks[t.pid] for t in town.test()]), True),
    ):
        first, average = rank(distances(features, len(queries)), queries, gallery, own_camera)
        yield name, f"{first:.1f}", f"{average:.1f}"


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


# leaks ----------------------------------------------------------------------------------------------------


def leaks(town: Town) -> Iterator[tuple[str, str, str, str]]:
    """Rank-1 across cameras by what should not matter, beside the same with people shuffled within each camera."""
    test = town.test()
    camids = np.array([t.camid for t in test])
    for name, feature in (
        ("upper corners of the picture", corners),
        ("sizes of the files", sizes),
        ("number of frames", lengths),
    ):
        features = by_camera(np.array([feature(t) for t in test], dtype=np.float64), camids)
        distance = distances(features, len(town.parts["query"]))
        found = cross_camera(distance, np.array([t.pid for t in test]), camids, len(town.parts["query"]))
        chance = np.array(
            [
                cross_camera(distance, shuffled(test, seed), camids, len(town.parts["query"]))
                for seed in range(200)
            ]
        )
        low, high = np.quantile(chance, (0.025, 0.975))
        yield name, f"{found:.2f}", f"{low:.2f} ... {high:.2f}", f"{(1 + (chance >= found).sum()) / 201:.3f}"


def corners(tracklet: Tracklet) -> Array:
    """Mean and spread of both upper corners over up to 8 frames: background, and nobody's body."""
    rows = []
    for path in tracklet.paths[:: max(1, len(tracklet.paths) // 8)]:
        image = cv2.imread(path).astype(np.float64)
        high, wide = round(image.shape[0] * 0.12), round(image.shape[1] * 0.12)
        patches = (image[:high, :wide], image[:high, -wide:])
        rows.append([value for patch in patches for value in (*patch.mean((0, 1)), *patch.std((0, 1)))])
    return np.mean(rows, axis=0)


def sizes(tracklet: Tracklet) -> Array:
    values = np.array([Path(path).stat().st_size for path in tracklet.paths])
    return np.array([values.mean(), values.std(), values.min(), values.max()])


def lengths(tracklet: Tracklet) -> Array:
    return np.array([len(tracklet.paths)])


def by_camera(features: Array, camids: Array) -> Array:
    """Standardise within each camera, so that what is left can be compared across them."""
    result = features.copy()
    for camid in np.unique(camids):
        rows = features[camids == camid]
        result[camids == camid] = (rows - rows.mean(0)) / (rows.std(0) + 1e-9)
    return result


def cross_camera(distance: Array, pids: Array, camids: Array, queries: int) -> float:
    """Rank-1 in percent among the tracklets of other cameras."""
    blocked = np.where(camids[:queries, None] == camids[None, queries:], np.inf, distance)
    return 100 * float((pids[queries:][blocked.argmin(1)] == pids[:queries]).mean())


def shuffled(test: list[Tracklet], seed: int) -> Array:
    """People dealt out anew among the tracklets of each camera."""
    dice = np.random.default_rng(seed)
    pids, camids = np.array([t.pid for t in test]), np.array([t.camid for t in test])
    for camid in np.unique(camids):
        pids[camids == camid] = dice.permutation(pids[camids == camid])
    return pids


# learning -------------------------------------------------------------------------------------------------


class Small(nn.Module):
    """A plain network for minutes on a CPU: frames through six convolutions, four stripes of the body, their mean
    over the tracklet, and a layer each for who it is and what they do."""

    def __init__(self, people: int) -> None:
        super().__init__()
        widths = ((3, 24, 2), (24, 48, 2), (48, 48, 1), (48, 96, 2), (96, 96, 1), (96, 192, 2))
        self.body = nn.Sequential(*[layer for width in widths for layer in _block(*width)])
        self.stripes = nn.Linear(4 * 192, 256)
        self.neck = nn.BatchNorm1d(256)
        self.who = nn.Linear(256, people)
        self.what = nn.Sequential(
            nn.Linear(8 * 192, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, len(ACTIONS))
        )

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Feature ``(B, D)``, identity and action logits of uint8 frames ``(B, T, H, W, 3)``."""
        batch, length = frames.shape[:2]
        pixels = frames.flatten(0, 1).permute(0, 3, 1, 2).float().sub_(114.0).div_(58.0)
        maps = self.body(pixels)
        stripes = F.adaptive_avg_pool2d(maps, (4, 1)).flatten(1)
        things = torch.cat([stripes, F.adaptive_max_pool2d(maps, (4, 1)).flatten(1)], 1)
        feature = self.neck(self.stripes(stripes).view(batch, length, -1).mean(1))
        return feature, self.who(feature), self.what(things).view(batch, length, -1).mean(1)


def _block(channels: int, width: int, stride: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(channels, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)


class Untrained(nn.Module):
    """A network of torchreid as it comes without weights."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.body = reid.models.build_model(name, num_classes=1, loss="softmax", pretrained=False)

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Feature ``(B, D)``, twice more in the place of logits."""
        pixels = frames.flatten(0, 1).permute(0, 3, 1, 2).float().sub_(114.0).div_(58.0)
        feature = self.body(pixels).view(*frames.shape[:2], -1).mean(1)
        return feature, feature, feature


def load(tracklets: list[Tracklet], frames: int) -> list[Array]:
    """``frames`` evenly spread frames of each tracklet, uint8 ``(frames, H, W, 3)``."""
    stacks = []
    for tracklet in tracklets:
        places = np.linspace(0, len(tracklet.paths) - 1, frames).round().astype(int)
        images = [
            cv2.resize(cv2.imread(tracklet.paths[place]), SIZE[::-1], interpolation=cv2.INTER_AREA)
            for place in places
        ]
        stacks.append(np.stack(images))
    return stacks


@torch.no_grad()
def embed(model: nn.Module, tracklets: list[Tracklet]) -> tuple[Array, Array]:
    """Features and action scores of tracklets."""
    stacks = load(tracklets, FRAMES)
    model.eval()
    outputs = [model(torch.from_numpy(np.stack(stacks[at : at + 16]))) for at in range(0, len(stacks), 16)]
    return torch.cat([out[0] for out in outputs]).numpy(), torch.cat([out[2] for out in outputs]).numpy()


def training(town: Town, steps: int) -> Iterator[tuple[str, str]]:
    """Train on the people of the training set; judge on people never seen."""
    train = town.parts["train"]
    pids = sorted({t.pid for t in train})
    who = torch.tensor([pids.index(t.pid) for t in train])
    what = torch.tensor([ACTIONS.index(town.labels[t.pid]) for t in train])
    stacks = load(train, 12)
    model = Small(len(pids))
    start = time.monotonic()
    fit(model, stacks, who, what, steps)
    spent = time.monotonic() - start
    queries, gallery = town.parts["query"], town.parts["gallery"]
    features, scores = embed(model, town.test())
    features = features / np.linalg.norm(features, axis=1, keepdims=True)
    first, average = rank(distances(features, len(queries)), queries, gallery)
    yield "steps of 32 tracklets x 4 frames, minutes", f"{steps}, {spent / 60:.1f}"
    yield "unseen people: rank-1, mAP", f"{first:.1f} %, {average:.1f} %"
    yield from judge_actions(scores, np.array([ACTIONS.index(town.labels[t.pid]) for t in town.test()]))


def judge_actions(scores: Array, labels: Array) -> Iterator[tuple[str, str]]:
    """Tracklets of unseen people against their weak labels, beside the constant answer."""
    guess = scores.argmax(1)
    majority = np.bincount(labels).argmax()
    recalls = [float((guess[labels == a] == a).mean()) for a in range(len(ACTIONS)) if (labels == a).any()]
    yield "unseen people: actions right", f"{100 * (guess == labels).mean():.1f} %"
    yield "  always the most frequent", f"{100 * (labels == majority).mean():.1f} %"
    three = recall_of_three(np.array(ACTIONS)[guess], np.array(ACTIONS)[labels])
    yield "unseen people: mean recall of walking, riding, using hands", f"{100 * three:.1f} %"
    yield "  always the most frequent", f"{100 / 3:.1f} %"
    yield "unseen people: mean recall of the actions", f"{100 * np.mean(recalls):.1f} %"
    yield "  always the most frequent", f"{100 / len(recalls):.1f} %"
    for action, recall in zip([a for a in range(len(ACTIONS)) if (labels == a).any()], recalls, strict=True):
        yield f"  {ACTIONS[action]}", f"{100 * recall:.0f} % of {(labels == action).sum()}"


def recall_of_three(guess: Array, labels: Array) -> float:
    """Mean recall after the paper's merge of the six actions of the hands."""
    guess, labels = (np.where(np.isin(x, ("walking", "riding")), x, "using_hands") for x in (guess, labels))
    return float(np.mean([(guess[labels == action] == action).mean() for action in np.unique(labels)]))


def fit(model: Small, stacks: list[Array], who: Tensor, what: Tensor, steps: int) -> None:
    """Identity cross-entropy, batch-hard triplet and balanced action cross-entropy."""
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=5e-4)
    share = torch.bincount(what, minlength=len(ACTIONS)).float().clamp(min=1)
    weight = share.rsqrt() / share.rsqrt().mean()
    dice = np.random.default_rng(0)
    labels = np.array([int(what[who == person][0]) for person in range(int(who.max()) + 1)])
    odds = (
        np.bincount(labels, minlength=len(ACTIONS))[labels] ** -0.5
    )  # people with rare actions come more often
    odds = odds / odds.sum()
    groups = [np.flatnonzero(who.numpy() == person) for person in range(int(who.max()) + 1)]
    model.train()
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 1e-3 * min(1.0, 3 * (1 - step / steps), (step + 1) / 30)
        people = dice.choice(len(groups), 8, replace=False, p=odds)
        places = np.concatenate([dice.choice(groups[person], 4) for person in people])
        frames = np.stack([pick(stacks[place], dice) for place in places])
        feature, identity, action = model(torch.from_numpy(frames))
        loss = F.cross_entropy(identity, who[places], label_smoothing=0.1)
        loss = loss + triplet(feature, who[places]) + F.cross_entropy(action, what[places], weight=weight)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def pick(stack: Array, dice: np.random.Generator) -> Array:
    """One random frame of each quarter, flipped together or not, shifted a little and darkened or tinted."""
    part = len(stack) // 4
    frames = stack[np.arange(4) * part + dice.integers(0, part, 4)]
    if dice.random() < 0.5:
        frames = frames[:, :, ::-1]
    frames = np.roll(frames, tuple(dice.integers(-4, 5, 2)), axis=(1, 2)).astype(np.float32)
    return np.clip(frames * dice.uniform(0.8, 1.25, 3), 0, 255).astype(np.uint8)


def triplet(feature: Tensor, who: Tensor, margin: float = 0.3) -> Tensor:
    """Batch-hard triplet loss on unit features."""
    distance = torch.cdist(F.normalize(feature), F.normalize(feature))
    same = who[:, None] == who[None]
    far = distance.masked_fill(~same, 0).amax(1)
    near = distance.masked_fill(same, 9).amin(1)
    return (far - near + margin).clamp(min=0).mean()


Feature = Callable[[Tracklet], Array]

if __name__ == "__main__":
    sys.exit(main())
