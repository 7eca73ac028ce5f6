"""What is kept of each track of a video: its mean prediction, when it did what, and a few telling pictures.

Clips of many tracks share a batch. Of a track that is not over, memory holds its sums, the likelihoods of each clip, and
at most one picture for itself and one for each action.
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from reidar_plugin.inference.crops import TrackClip
from reidar_plugin.inference.prediction import Prediction, balanced
from reidar_plugin.inference.predictor import Predictor

__all__ = ["Shot", "TrackSummary", "summarise_tracks"]


class Shot(NamedTuple):
    """A picture of a person."""

    jpeg: bytes
    frame: int  #: in the video, from 0
    time: float  #: seconds since the start of the video
    shows: tuple[int, ...]  #: indices of the actions that it shows best


class TrackSummary(NamedTuple):
    """A tracklet and what the model says of it."""

    track: int | str
    feature: NDArray[np.float32]  #: ``(D,)``
    actions: NDArray[np.float32]  #: ``(M,)`` likelihoods
    first_frame: int  #: in the video, from 0
    last_frame: int
    start: float  #: seconds since the start of the video
    end: float
    frames: int  #: in which the person was seen
    box: NDArray[np.float64]  #: ``(4,)``, in the frame of its first picture
    spans: tuple[tuple[tuple[float, float], ...], ...]  #: M times: when clips in a row reached the threshold
    shots: tuple[Shot, ...]  #: the first is the one that weighs most


def summarise_tracks(clips: Iterable[TrackClip], predictor: Predictor) -> Iterator[TrackSummary]:
    """Summarise tracks from their clips as they come; each track once, when the batch with its last clip is done."""
    waiting: dict[int, _Track] = {}
    clips = iter(clips)
    while batch := list(islice(clips, max(1, predictor.max_frames // predictor.clip_length))):
        said = predictor.predict_clips(
            np.stack([clip.pixels for clip in batch]), [len(clip.frames) for clip in batch]
        )
        for clip, prediction in zip(batch, said, strict=True):
            track = waiting.setdefault(
                clip.track, _Track(clip, predictor.thresholds, predictor.card.branches)
            )
            track.add(clip, prediction)
            if clip.ends:
                yield waiting.pop(clip.track).summary()


class _Best(NamedTuple):
    value: float
    pixels: NDArray[np.uint8]
    frame: int
    time: float
    box: NDArray[np.float64]


@dataclass
class _Track:
    """Sums of a track that is not over."""

    first: TrackClip
    thresholds: NDArray[np.float32]
    branches: int
    clips: int = 0
    frames: int = 0
    feature: NDArray[np.float64] | float = 0.0
    likelihoods: list[NDArray[np.float32]] = field(default_factory=list)
    times: list[tuple[float, float]] = field(default_factory=list)
    best: dict[int, _Best] = field(default_factory=dict)  # of each action, and of the track itself as -1
    last_frame: int = 0

    def add(self, clip: TrackClip, prediction: Prediction) -> None:
        self.clips += 1
        self.frames += len(clip.frames)
        self.feature = self.feature + prediction.feature.astype(np.float64)
        self.likelihoods.append(prediction.actions)
        self.times.append((float(clip.times[0]), float(clip.times[-1])))
        self.last_frame = int(clip.frames[-1])
        # pixels count for the whole track; an even weight of 1 / n is no reason to prefer a short clip
        self._keep(-1, float(prediction.attention.max() * len(clip.frames)), clip, prediction.attention)
        for action, value in enumerate(prediction.actions.tolist()):
            seen = prediction.action_attention
            if value >= self.thresholds[action]:
                self._keep(action, value, clip, prediction.attention if seen is None else seen[action])

    def _keep(self, what: int, value: float, clip: TrackClip, weights: NDArray[np.float32]) -> None:
        if what in self.best and self.best[what].value >= value:
            return
        at = int(weights.argmax())
        pixels = clip.pixels[at].copy()  # not the whole clip
        self.best[what] = _Best(value, pixels, int(clip.frames[at]), float(clip.times[at]), clip.boxes[at])

    def summary(self) -> TrackSummary:
        table = np.stack(self.likelihoods)  # (C, M)
        seen = table >= self.thresholds
        return TrackSummary(
            track=self.first.track,
            feature=balanced(np.asarray(self.feature / self.clips, np.float32), self.branches),
            actions=table.mean(axis=0, dtype=np.float64).astype(np.float32),
            first_frame=int(self.first.frames[0]),
            last_frame=self.last_frame,
            start=self.times[0][0],
            end=self.times[-1][1],
            frames=self.frames,
            box=self.best[-1].box,
            spans=tuple(_spans(column, self.times) for column in seen.T),
            shots=self._shots(),
        )

    def _shots(self) -> tuple[Shot, ...]:
        shows: dict[int, list[int]] = {}
        pictures: dict[int, _Best] = {}
        for action, best in sorted(self.best.items()):  # the track's own first
            pictures.setdefault(best.frame, best)
            shows.setdefault(best.frame, []).extend([action] if action >= 0 else [])
        return tuple(
            Shot(_jpeg(best.pixels), frame, best.time, tuple(shows[frame]))
            for frame, best in pictures.items()
        )


def _spans(seen: NDArray[np.bool_], times: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """First and last time of each run of clips."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], seen, [False]]).astype(int)))
    return tuple((times[first][0], times[end - 1][1]) for first, end in edges.reshape(-1, 2).tolist())


def _jpeg(pixels: NDArray[np.uint8]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=85)
    return out.getvalue()
