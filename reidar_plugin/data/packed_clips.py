"""Clips for testing: those of all tracklets, one after another, in batches of one shape.

A tracklet of 2,000 frames is 500 clips like any other 500: memory is bounded by the batch, and the network
meets one shape only. What it says of the clips is averaged per tracklet as it comes.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Sampler

from reidar_plugin.data.clips import tracklet_clips
from reidar_plugin.data.loader import ClipSource, FrameReader
from reidar_plugin.data.tracklet_table import PADDING, TrackletTable
from reidar_plugin.errors import ConfigError
from reidar_plugin.ranks.collectives import add_up
from reidar_plugin.ranks.job import ALONE, Job
from reidar_plugin.structures import ClipBatch

__all__ = ["ClipPlan", "FullBatches", "PackedClips", "TrackletMean", "average_per_tracklet", "plan_clips"]


class ClipPlan(NamedTuple):
    """Every clip of a test set, in the order of the tracklets."""

    tracklets: NDArray[np.int64]  #: ``(C,)``, index of the tracklet that the clip is of
    frames: NDArray[np.int64]  #: ``(C, T)``, indices of its frames in that tracklet


def plan_clips(sizes: Sequence[int], length: int, scheme: str = "consecutive", cap: int = 0) -> ClipPlan:
    """Cut tracklets of these sizes into clips of ``length`` frames; see :func:`clips.tracklet_clips`."""
    clips = [tracklet_clips(size, length, scheme, cap) for size in sizes]
    if not clips:
        raise ConfigError("expected at least one tracklet to test on, got none")
    counts = [len(table) for table in clips]
    return ClipPlan(np.repeat(np.arange(len(clips)), counts), np.concatenate(clips))


class PackedClips(ClipSource):
    """The clips of a plan; clip -1 is padding: black, of no tracklet, person or camera (-1), labels unknown.

    Args:
        table: the tracklets.
        reader: reads the frames.
        plan: the clips.
    """

    def __init__(self, table: TrackletTable, reader: FrameReader, plan: ClipPlan) -> None:
        self.table, self.reader, self.plan = table, reader, plan

    def __len__(self) -> int:
        return len(self.plan.tracklets)

    def __getitems__(self, clips: Sequence[int]) -> ClipBatch:
        """The batch of these clips; padding may only stand at its end."""
        real = [clip for clip in clips if clip != PADDING]
        tracklets = self.plan.tracklets[real].tolist()
        wanted = [
            (self.table.paths[tracklet], self.plan.frames[clip])
            for tracklet, clip in zip(tracklets, real, strict=True)
        ]
        frames = self.reader.read(wanted, self.plan.frames.shape[1], total=len(clips))
        return self.table.batch(frames, tracklets + [PADDING] * (len(clips) - len(real)))


class FullBatches(Sampler[list[int]]):
    """``n`` clips in their order, in batches of one size; the last one is filled up with padding.

    Args:
        n: clips.
        batch_size: clips in a batch.
        job: the rank that reads. Each rank takes neighbouring batches, none other than those of one rank, so that the
            network says the same of them; one that is left without gets a batch of padding.
    """

    def __init__(self, n: int, batch_size: int, job: Job = ALONE) -> None:
        if batch_size < 1:
            raise ConfigError(f"test.batch_size: expected at least one clip, got {batch_size}")
        self.n, self.batch_size = n, batch_size
        share = -(-n // (batch_size * job.size)) * batch_size
        self.firsts = range(job.rank * share, min((job.rank + 1) * share, n), batch_size) or range(n, n + 1)

    def __len__(self) -> int:
        return len(self.firsts)

    def __iter__(self) -> Iterator[list[int]]:
        for first in self.firsts:
            clips = list(range(first, min(first + self.batch_size, self.n)))
            yield clips + [PADDING] * (self.batch_size - len(clips))


class TrackletMean:
    """Average of what the network says of the clips of each tracklet, batch by batch.

    Args:
        n: tracklets.
        dtype: dtype of the sums; in float64 the order of the clips does not show in float32.
    """

    def __init__(self, n: int, dtype: torch.dtype = torch.float64) -> None:
        self.n, self.dtype = n, dtype
        self._sums: Tensor | None = None

    def add(self, values: Tensor, tracklets: Tensor) -> None:
        """Take in a batch.

        Args:
            values: ``(B, ...)``, floating.
            tracklets: int64 ``(B,)``, index of each clip's tracklet; -1 is padding and counts for nothing.
        """
        if values.shape[:1] != tracklets.shape:
            shapes = f"{tuple(values.shape)} and {tuple(tracklets.shape)}"
            raise ValueError(f"expected values (B, ...) and tracklets (B,), got {shapes}")
        if self._sums is None:
            self._sums = torch.zeros(self.n + 1, *values.shape[1:], dtype=self.dtype, device=values.device)
            self._counts = torch.zeros(self.n + 1, dtype=self.dtype, device=values.device)
        index = tracklets.to(values.device)
        index = index.where(index >= 0, self.n)  # padding goes to a row of its own
        weight = torch.ones_like(index, dtype=self.dtype)
        self._sums.index_add_(0, index, values.detach().to(self.dtype))
        self._counts.index_add_(0, index, weight)

    def add_ranks(self) -> None:
        """Take in what all ranks have; each must have taken in a batch, be it of padding."""
        if self._sums is not None:
            add_up([self._sums, self._counts])

    def result(self) -> Tensor:
        """float32 ``(n, ...)``.

        Raises:
            ValueError: a tracklet had no clip; the message says which.
        """
        if self._sums is None:
            raise ValueError(f"expected clips of {self.n} tracklets, got none")
        counts = self._counts[: self.n]
        missing = (counts == 0).nonzero().flatten()
        if len(missing):
            raise ValueError(
                f"{len(missing)} of {self.n} tracklets had no clip, the first is {int(missing[0])}"
            )
        return (self._sums[: self.n] / counts.view(-1, *[1] * (self._sums.ndim - 1))).float()


def average_per_tracklet(values: Tensor, tracklets: Tensor, n: int) -> Tensor:
    """Average the rows of each tracklet: ``(C, ...)`` and int64 ``(C,)`` give float32 ``(n, ...)``.

    An index of -1 is padding. See :class:`TrackletMean`, which does it batch by batch.
    """
    mean = TrackletMean(n)
    mean.add(values, tracklets)
    return mean.result()
