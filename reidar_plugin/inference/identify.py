"""Who is who over all cameras: the tracklets that were found, each with its person and its nearest others."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from reidar_plugin.inference.cameras import Camera
from reidar_plugin.inference.people import cluster_people
from reidar_plugin.inference.recognise import Found
from reidar_plugin.inference.track_summary import TrackSummary
from reidar_plugin.metrics.distances import check_metric, distance_blocks

__all__ = ["Seen", "features_of", "identify", "nearest_others"]


class Seen(NamedTuple):
    """A tracklet of a person."""

    camera: Camera
    summary: TrackSummary
    person: int  #: the same over all cameras, from 1
    score: float  #: mean score of its boxes

    @property
    def key(self) -> str:
        """Unique among all cameras."""
        return f"{self.camera.name}/{self.summary.track}"

    @property
    def start(self) -> float:
        """Seconds on the common clock."""
        return self.camera.start + self.summary.start

    @property
    def end(self) -> float:
        """Seconds on the common clock."""
        return self.camera.start + self.summary.end


def identify(found: Sequence[Found], threshold: float | None, metric: str) -> list[Seen]:
    """Give each tracklet a person, in the order of cameras and tracks.

    Args:
        found: cameras and their tracklets.
        threshold: mean distance up to which tracklets are one person; None for a person each.
        metric: ``euclidean`` (squared) or ``cosine``, that of the model.
    """
    seen = [
        Seen(camera, one, number + 1, score)
        for number, (camera, one, score) in enumerate(
            (camera, one, score)
            for camera, findings in found
            for one, score in zip(
                findings.summaries,
                _scores(findings.boxes.track, findings.boxes.score, findings.summaries),
                strict=True,
            )
        )
    ]
    if threshold is None or not seen:
        return seen
    names = sorted({one.camera.name for one in seen})
    people = cluster_people(
        features_of(seen),
        np.array([names.index(one.camera.name) for one in seen]),
        np.array([one.start for one in seen]),
        np.array([one.end for one in seen]),
        threshold,
        metric=check_metric(metric),
    )
    return [one._replace(person=int(person) + 1) for one, person in zip(seen, people, strict=True)]


def features_of(seen: Sequence[Seen]) -> NDArray[np.float32]:
    """``(N, D)``; ``(0, 0)`` where nobody was seen."""
    return np.stack([one.summary.feature for one in seen]) if seen else np.empty((0, 0), np.float32)


def nearest_others(
    seen: Sequence[Seen], metric: str, count: int = 5
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The nearest tracklets of other people: their rows ``(N, k)`` and distances, infinite where there are fewer."""
    if not seen:
        return np.empty((0, 0), np.int64), np.empty((0, 0), np.float32)
    features = torch.from_numpy(features_of(seen))
    people = torch.tensor([one.person for one in seen])
    rows, distances, start = [], [], 0
    for block in distance_blocks(features, features, check_metric(metric)):
        own = people[start : start + len(block), None] == people
        found = block.masked_fill(own, float("inf")).topk(min(count, len(seen)), largest=False)
        rows.append(found.indices.numpy())
        distances.append(found.values.numpy())
        start += len(block)
    return np.concatenate(rows), np.concatenate(distances)


def _scores(
    track: NDArray[np.int64], score: NDArray[np.float32], summaries: Sequence[TrackSummary]
) -> list[float]:
    """Mean score of the boxes of each track; 1 for pictures, which have no boxes."""
    ids, inverse = np.unique(track, return_inverse=True)
    means = (
        dict(zip(ids.tolist(), (np.bincount(inverse, score) / np.bincount(inverse)).tolist(), strict=True))
        if len(ids)
        else {}
    )
    return [means.get(one.track, 1.0) for one in summaries]
