"""What is known of each tracklet, as arrays that a worker indexes."""

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

#: place of a tracklet that is none: what fills up the last batch at test
PADDING = -1


class Encoder(Protocol):
    """What turns names into a multi-hot row: a label space, or the groups of attributes."""

    def __len__(self) -> int: ...

    def encode(self, labels: frozenset[str] | None, /) -> NDArray[np.float32]:
        """float32 ``(M,)``; NaN throughout for None."""
        ...


class TrackletTable:
    """Paths, identity, camera, actions and attributes of N tracklets.

    Args:
        samples: the host's ``(paths, pid, camid, dsetid)``; only paths that are :class:`Frames` bear labels.
        space: of the actions; None for a task without actions.
        attributes: groups of attributes; None for a task without.
    """

    def __init__(
        self, samples: Sequence[Any], space: Encoder | None = None, attributes: Encoder | None = None
    ) -> None:
        self.paths: list[tuple[str, ...]] = [_paths(place, sample) for place, sample in enumerate(samples)]
        # One row more than tracklets: place -1 is the padding.
        self.pids = torch.tensor([*(sample[1] for sample in samples), PADDING])
        self.camids = torch.tensor([*(sample[2] for sample in samples), PADDING])
        self._labels = _encode(self.paths, "labels", space)
        self._attributes = _encode(self.paths, "attributes", attributes)

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def labels(self) -> Tensor:
        """float32 ``(N, M)`` multi-hot, a row of NaN where the actions are unknown."""
        return self._labels[:-1]

    @property
    def attributes(self) -> Tensor:
        """float32 ``(N, A)`` multi-hot, a row of NaN where the attributes are unknown."""
        return self._attributes[:-1]

    def batch(self, frames: Tensor, tracklets: Iterable[int]) -> ClipBatch:
        """Put the facts of the clips' tracklets beside their frames ``(B, T, H, W, 3)``."""
        places = torch.tensor(list(tracklets))
        return ClipBatch(
            frames=frames,
            pids=self.pids[places],
            camids=self.camids[places],
            labels=self._labels[places],
            attributes=self._attributes[places],
            tracklets=places,
        )


def _paths(place: int, sample: Any) -> tuple[str, ...]:
    if not isinstance(sample, (tuple, list)) or len(sample) < 3:
        raise TypeError(f"tracklet {place}: expected (paths, pid, camid, dsetid), got {sample!r}")
    paths = sample[0]
    if not isinstance(paths, (tuple, list)):
        raise TypeError(
            f"tracklet {place}: expected the paths of its frames, got {paths!r}; is it of an image dataset?"
        )
    if not paths:
        raise ConfigError(
            f"tracklet {place} (pid {sample[1]}, camid {sample[2]}) has no frames; leave it out"
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
