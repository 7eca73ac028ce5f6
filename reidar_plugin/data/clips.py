"""Which frames of a tracklet make a clip: index arithmetic only, no picture is touched.

n frames lie in the tracklet, T frames make a clip. In training one clip is drawn; at test the tracklet is
cut into a table of clips, ``(C, T)``. What 1, 3, 4, 5 and 165 frames give is written out in docs/clips.md.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from reidar_plugin.errors import ConfigError, nearest

__all__ = [
    "TEST_CLIPS",
    "TRAIN_CLIPS",
    "consecutive",
    "consecutive_clips",
    "constrained",
    "draw_clip",
    "first_of_parts",
    "interleaved_clips",
    "parts",
    "random",
    "released_parts",
    "tracklet_clips",
]

Indices: TypeAlias = NDArray[np.int64]
TrainClip: TypeAlias = Callable[[int, int, np.random.Generator], Indices]
TestClips: TypeAlias = Callable[[int, int], Indices]
_Scheme = TypeVar("_Scheme")


def parts(n: int, length: int, rng: np.random.Generator) -> Indices:
    r"""One frame at random from each of T equal parts, in time order: the papers' sampling.

    Part i holds the frames from :math:`\lfloor i n / T \rfloor` up to, and without,
    :math:`\lfloor (i + 1) n / T \rfloor`; where that is none (n < T) it holds the first of them alone.

    Args:
        n: frames in the tracklet, >= 1.
        length: T, frames in a clip.
        rng: source of chance.

    Returns:
        ``(T,)`` indices into the tracklet, ascending.
    """
    bounds = np.arange(length + 1) * n // length
    first = bounds[:-1]
    return rng.integers(first, np.maximum(bounds[1:], first + 1))


def released_parts(n: int, length: int, rng: np.random.Generator) -> Indices:
    r"""As :func:`parts`, with the parts of the released Re-ID-AR code.

    Each part has :math:`\max(\lfloor n / T \rfloor, 1)` frames, the last one also takes what is left over; a
    part beyond the end is the last frame.
    """
    size = max(n // length, 1)
    first = np.arange(length) * size
    last = first + size - 1
    last[-1] = max(first[-1], n - 1)
    return rng.integers(np.minimum(first, n - 1), np.minimum(last, n - 1) + 1)


def consecutive(n: int, length: int, rng: np.random.Generator) -> Indices:
    """T frames in a row from a random start (VPRFT); n < T repeats the last frame."""
    start = rng.integers(max(n - length, 0) + 1)
    return np.minimum(start + np.arange(length), n - 1)


def random(n: int, length: int, rng: np.random.Generator) -> Indices:
    """T frames at random, in time order; n < T takes every frame as often as any other, give or take one."""
    rounds, rest = divmod(length, n)
    return np.sort(np.concatenate([np.tile(np.arange(n), rounds), rng.choice(n, rest, replace=False)]))


def constrained(n: int, length: int, rng: np.random.Generator) -> Indices:
    r"""One frame at random from each stretch of :math:`s = \lceil n / T \rceil` frames (AGW, ASA-Net).

    A stretch beyond the end gives the last frame, so n < T repeats the last frame.
    """
    stride = -(-n // length)
    return np.minimum(np.arange(length) * stride + rng.integers(stride, size=length), n - 1)


def consecutive_clips(n: int, length: int) -> Indices:
    """All frames, T in a row; the last clip is filled up by repeating its own frames in turn.

    Args:
        n: frames in the tracklet, >= 1.
        length: T, frames in a clip.

    Returns:
        ``(C, T)`` indices into the tracklet.
    """
    first = np.arange(0, n, length)[:, None]
    size = np.minimum(n - first, length)  # (C, 1) frames that the clip really has
    return first + np.arange(length) % size


def interleaved_clips(n: int, length: int) -> Indices:
    r"""All frames; clip r holds frame r and every s-th after it, :math:`s = \lceil n / T \rceil` (AGW).

    Beyond the end the last frame is repeated. AGW reads at most 50 clips.
    """
    stride = -(-n // length)
    return np.minimum(np.arange(stride)[:, None] + np.arange(length) * stride, n - 1)


def first_of_parts(n: int, length: int) -> Indices:
    """One clip: the first frame of each of T equal parts (STE-NVAN)."""
    return (np.arange(length) * n // length)[None]


#: how a training clip is drawn: name -> f(n, T, rng) -> (T,)
TRAIN_CLIPS: dict[str, TrainClip] = {
    "parts": parts,
    "released_parts": released_parts,
    "consecutive": consecutive,
    "random": random,
    "constrained": constrained,
}

#: how a tracklet is cut at test: name -> f(n, T) -> (C, T)
TEST_CLIPS: dict[str, TestClips] = {
    "consecutive": consecutive_clips,
    "interleaved": interleaved_clips,
    "first_of_parts": first_of_parts,
}


def draw_clip(n: int, length: int, rng: np.random.Generator, scheme: str = "parts") -> Indices:
    """Draw a clip of ``length`` frames from a tracklet of ``n`` by the scheme of that name, ``(T,)``."""
    return _scheme(TRAIN_CLIPS, scheme, n, length)(n, length, rng)


def tracklet_clips(n: int, length: int, scheme: str = "consecutive", cap: int = 0) -> Indices:
    """Cut a tracklet of ``n`` frames into clips by the scheme of that name.

    Args:
        n: frames in the tracklet.
        length: T, frames in a clip.
        scheme: one of ``TEST_CLIPS``.
        cap: at most so many clips, the first ones; 0 for all. Released Re-ID-AR: 41, AGW: 50.

    Returns:
        ``(C, T)`` indices into the tracklet.
    """
    if cap < 0:
        raise ConfigError(f"clips a tracklet at test must be >= 0 (0: all), got {cap}")
    return _scheme(TEST_CLIPS, scheme, n, length)(n, length)[: cap or None]


def _scheme(table: Mapping[str, _Scheme], name: str, n: int, length: int) -> _Scheme:
    if name not in table:
        names = ", ".join(map(repr, table))
        raise ConfigError(f"unknown choice of frames {name!r};{nearest(name, table)} choose one of {names}")
    if n < 1:
        raise ValueError(f"a tracklet needs at least one frame, got {n}")
    if length < 1:
        raise ConfigError(f"a clip needs at least one frame, got {length}")
    return table[name]
