"""Identities, cameras and labels of all tracklets as tensors."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reidar_plugin.data.tracklets import Frames
from reidar_plugin.errors import ConfigError, ReidarError
from reidar_plugin.structures import ClipBatch

__all__ = ["PADDING", "Encoder", "TrackletTable"]

#: Index of the padding that fills the last batch at test.
PADDING = -1


class Encoder(Protocol):
    """Converter of names to a label row: a label space or an attribute space."""

    def __len__(self) -> int: ...

    def encode(self, labels: frozenset[str] | None, /) -> NDArray[np.float32]:
        """Convert names to a float32 row ``(M,)``; all NaN for None."""
        ...


class TrackletTable:
    """Paths, identities, cameras, actions and attributes of N tracklets.

    Args:
        samples: samples ``(paths, pid, camid, dsetid)`` of the host; paths have labels if they are :class:`Frames`.
        space: label space of the actions; None for a task without actions.
        attributes: label space of the attributes; None for a task without attributes.

    Raises:
        ConfigError: a tracklet has no frames, or a label that its space does not know.
    """

    def __init__(
        self, samples: Sequence[Any], space: Encoder | None = None, attributes: Encoder | None = None
    ) -> None:
        self.paths: list[tuple[str, ...]] = [_paths(index, sample) for index, sample in enumerate(samples)]
        # The tensors have one row more than there are tracklets: index -1 is the padding.
        self.pids = torch.tensor([*(sample[1] for sample in samples), PADDING])
        self.camids = torch.tensor([*(sample[2] for sample in samples), PADDING])
        self._labels = _encode(self.paths, "labels", space)
        self._attributes = _encode(self.paths, "attributes", attributes)

    def __len__(self) -> int:
        return len(self.paths)

    def samples(self) -> list[tuple[tuple[str, ...], int, int, int]]:
        """The tracklets as samples of the host, ``(paths, pid, camid, 0)``."""
        pids, camids = self.pids[:-1].tolist(), self.camids[:-1].tolist()
        return [(paths, pid, camid, 0) for paths, pid, camid in zip(self.paths, pids, camids, strict=True)]

    @property
    def labels(self) -> Tensor:
        """Multi-hot actions, float32 ``(N, M)``; a row of NaN where they are unknown."""
        return self._labels[:-1]

    @property
    def attributes(self) -> Tensor:
        """Multi-hot attributes, float32 ``(N, A)``; a row of NaN where they are unknown."""
        return self._attributes[:-1]

    def batch(self, frames: Tensor, tracklets: Iterable[int]) -> ClipBatch:
        """Build a batch from decoded frames.

        Args:
            frames: uint8 ``(B, T, H, W, 3)``.
            tracklets: index of the tracklet of each clip, or ``PADDING``.
        """
        indices = torch.tensor(list(tracklets))
        return ClipBatch(
            frames=frames,
            pids=self.pids[indices],
            camids=self.camids[indices],
            labels=self._labels[indices],
            attributes=self._attributes[indices],
            tracklets=indices,
        )


def _paths(index: int, sample: Any) -> tuple[str, ...]:
    if not isinstance(sample, (tuple, list)) or len(sample) < 3:
        raise TypeError(f"tracklet {index}: expected (paths, pid, camid, dsetid), got {sample!r}")
    paths = sample[0]
    if not isinstance(paths, (tuple, list)):
        raise TypeError(
            f"tracklet {index}: expected the paths of its frames, got {paths!r}; is it of an image dataset?"
        )
    if not paths:
        raise ConfigError(
            f"tracklet {index} (pid {sample[1]}, camid {sample[2]}) has no frames; leave it out"
        )
    return tuple(paths) if isinstance(paths, list) else paths


def _encode(paths: Sequence[tuple[str, ...]], kind: str, space: Encoder | None) -> Tensor:
    rows = np.full((len(paths) + 1, 0 if space is None else len(space)), np.nan, np.float32)
    if space is None:
        return torch.from_numpy(rows)
    for row, frames in zip(rows, paths, strict=False):
        if isinstance(frames, Frames):
            try:
                row[:] = space.encode(getattr(frames, kind))
            except ReidarError as error:
                raise ConfigError(f"tracklet {frames.key!r} of {frames[0]}: {error}") from error
    return torch.from_numpy(rows)
