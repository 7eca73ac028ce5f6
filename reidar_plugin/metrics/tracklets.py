"""What retrieval is judged on: one feature a tracklet, whose it is, and which camera saw it."""

from typing import Any, NamedTuple

import torch
from torch import Tensor

__all__ = ["TrackletFeatures", "integer_vector"]


class TrackletFeatures(NamedTuple):
    """One side of a retrieval, the queries or the gallery; the three tensors share a device."""

    features: Tensor  #: floating ``(N, D)``
    pids: Tensor  #: int64 ``(N,)``; in MARS 0 is a distractor
    camids: Tensor  #: int64 ``(N,)``

    def take(self, chosen: Tensor) -> "TrackletFeatures":
        """The tracklets that a mask or an index ``(N,)`` chooses."""
        return TrackletFeatures(self.features[chosen], self.pids[chosen], self.camids[chosen])

    def followed_by(self, other: "TrackletFeatures") -> "TrackletFeatures":
        """These tracklets, then the others."""
        return TrackletFeatures(*(torch.cat(pair) for pair in zip(self, other, strict=True)))


def integer_vector(values: Any, name: str, device: torch.device | None = None) -> Tensor:
    """Identities or cameras as int64 ``(N,)``, from a tensor, an array or a list.

    Args:
        values: integers.
        name: what they are, for the error.
        device: where the result lives; the place of ``values`` if None.
    """
    vector = torch.as_tensor(values, device=device)
    if vector.ndim != 1:
        raise ValueError(f"{name}: expected one integer a tracklet, got shape {tuple(vector.shape)}")
    if vector.numel() and (vector.is_floating_point() or vector.dtype == torch.bool):
        raise TypeError(f"{name}: expected integers, got {vector.dtype}")
    return vector.long()
