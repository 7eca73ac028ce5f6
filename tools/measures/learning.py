"""A small network that learns who and what on SynthPed in minutes on a CPU."""

import time
from collections.abc import Iterator

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reidar_plugin.data.tracklets import Tracklet
from reidar_plugin.synthped.actions import ACTIONS
from reidar_plugin.synthped.seeded_random import Array

from .drawn_set import DrawnSet
from .leaks import mean_recall
from .ranking import distances, rank

__all__ = ["FRAMES", "Small", "average_precision", "embed", "judge_actions", "load", "training"]

FRAMES = 8  # of a tracklet that a network looks at, evenly spread
SIZE = (128, 64)


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


def training(drawn: DrawnSet, steps: int) -> Iterator[tuple[str, str]]:
    """Train on the people of the training set; judge on people never seen."""
    train = drawn.parts["train"]
    pids = sorted({t.pid for t in train})
    who = torch.tensor([pids.index(t.pid) for t in train])
    what = torch.tensor([ACTIONS.index(drawn.labels[t.pid]) for t in train])
    stacks = load(train, 12)
    model = Small(len(pids))
    start = time.monotonic()
    odds = fit(model, stacks, who, what, steps)
    spent = time.monotonic() - start
    queries, gallery = drawn.parts["query"], drawn.parts["gallery"]
    features, scores = embed(model, drawn.test())
    features = features / np.linalg.norm(features, axis=1, keepdims=True)
    first, average = rank(distances(features, len(queries)), queries, gallery)
    yield "steps of 16 people x 2 tracklets x 4 frames, minutes", f"{steps}, {spent / 60:.1f}"
    yield "unseen people: rank-1, mAP", f"{first:.1f} %, {average:.1f} %"
    share = torch.bincount(what, minlength=len(ACTIONS)).double().numpy() / len(what)
    # as if actions were equally frequent
    likely = torch.from_numpy(scores).double().softmax(1).numpy() / odds
    yield from judge_actions(
        likely, share, np.array([ACTIONS.index(drawn.labels[t.pid]) for t in drawn.test()])
    )


def fit(model: Small, stacks: list[Array], who: Tensor, what: Tensor, steps: int) -> Array:
    """Train by identity cross-entropy, batch-hard triplet and action cross-entropy.

    Returns:
        How often each action was seen, ``(8,)``, infinity for never: people with rare ones come more often than others.
    """
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=5e-4)
    generator = np.random.default_rng(0)
    labels = np.array([int(what[who == person][0]) for person in range(int(who.max()) + 1)])
    odds = np.bincount(labels)[labels] ** -0.5
    odds = odds / odds.sum()
    groups = [np.flatnonzero(who.numpy() == person) for person in range(int(who.max()) + 1)]
    model.train()
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 1e-3 * min(1.0, 3 * (1 - step / steps), (step + 1) / 30)
        people = generator.choice(len(groups), min(16, len(groups)), replace=False, p=odds)
        indices = np.concatenate([generator.choice(groups[person], 2) for person in people])
        frames = np.stack([pick(stacks[index], generator) for index in indices])
        feature, identity, action = model(torch.from_numpy(frames))
        loss = F.cross_entropy(identity, who[indices], label_smoothing=0.1)
        loss = loss + triplet(feature, who[indices]) + 2 * F.cross_entropy(action, what[indices])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    seen = np.bincount(labels, odds, minlength=len(ACTIONS))
    return np.where(seen > 0, seen, np.inf)


def pick(stack: Array, generator: np.random.Generator) -> Array:
    """One random frame of each quarter, flipped together or not, shifted a little and darkened or tinted."""
    part = len(stack) // 4
    frames = stack[np.arange(4) * part + generator.integers(0, part, 4)]
    if generator.random() < 0.5:
        frames = frames[:, :, ::-1]
    frames = np.roll(frames, tuple(generator.integers(-4, 5, 2)), axis=(1, 2)).astype(np.float32)
    return np.clip(frames * generator.uniform(0.8, 1.25, 3), 0, 255).astype(np.uint8)


def triplet(feature: Tensor, who: Tensor, margin: float = 0.3) -> Tensor:
    """Batch-hard triplet loss on unit features."""
    distance = torch.cdist(F.normalize(feature), F.normalize(feature))
    same = who[:, None] == who[None]
    far = distance.masked_fill(~same, 0).amax(1)
    near = distance.masked_fill(same, 9).amin(1)
    return (far - near + margin).clamp(min=0).mean()


@torch.no_grad()
def embed(model: nn.Module, tracklets: list[Tracklet]) -> tuple[Array, Array]:
    """Features and action scores of tracklets."""
    stacks = load(tracklets, FRAMES)
    model.eval()
    outputs = [model(torch.from_numpy(np.stack(stacks[at : at + 16]))) for at in range(0, len(stacks), 16)]
    return torch.cat([out[0] for out in outputs]).numpy(), torch.cat([out[2] for out in outputs]).numpy()


def load(tracklets: list[Tracklet], frames: int, size: tuple[int, int] = SIZE) -> list[Array]:
    """``frames`` evenly spread frames of each tracklet, uint8 ``(frames, H, W, 3)`` BGR."""
    stacks = []
    for tracklet in tracklets:
        indices = np.linspace(0, len(tracklet.paths) - 1, frames).round().astype(int)
        images = [
            cv2.resize(cv2.imread(tracklet.paths[index]), size[::-1], interpolation=cv2.INTER_AREA)
            for index in indices
        ]
        stacks.append(np.stack(images))
    return stacks


def judge_actions(likely: Array, share: Array, labels: Array) -> Iterator[tuple[str, str]]:
    """Tracklets of unseen people against their weak labels, beside the constant answer.

    Args:
        likely: how well each action explains each tracklet, ``(N, 8)``; times ``share`` it is its probability.
        share: of each action among the training tracklets.
        labels: the right actions.
    """
    probable = likely * share
    three = np.array([min(index, 2) for index in range(len(ACTIONS))])  # walking, riding, using hands
    merged_share = np.bincount(three, share)
    merged_probable = np.stack([probable[:, three == one].sum(1) for one in range(3)], axis=1)
    for name, rows, shares, right in (
        ("three actions", merged_probable, merged_share, three[labels]),
        ("eight actions", probable, share, labels),
    ):
        majority = 100 * np.bincount(right).max() / len(right)
        kinds = np.unique(right)
        precision = np.mean([average_precision(rows[:, one] / rows.sum(1), right == one) for one in kinds])
        recall = mean_recall((rows / np.maximum(shares, 1e-9)).argmax(1), right)
        yield f"{name}: tracklets right", f"{100 * (rows.argmax(1) == right).mean():.1f} %"
        yield "  always the most frequent", f"{majority:.1f} %"
        yield f"{name}: mean recall, all weighing the same", f"{recall:.1f} %"
        yield "  always the most frequent", f"{100 / len(kinds):.1f} %"
        yield f"{name}: mean average precision", f"{100 * precision:.1f} %"
        yield "  any constant answer", f"{100 / len(kinds):.1f} %"
    guess = likely.argmax(1)
    for action in np.unique(labels):
        recall = (guess[labels == action] == action).mean()
        yield f"  recall of {ACTIONS[action]}", f"{100 * recall:.0f} % of {(labels == action).sum()}"


def average_precision(scores: Array, right: Array) -> float:
    """Area under precision over recall."""
    hits = right[np.argsort(-scores, kind="stable")]
    indices = np.flatnonzero(hits)
    return float(np.mean((np.arange(len(indices)) + 1) / (indices + 1)))
