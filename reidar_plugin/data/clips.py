"""Selection of the frames of a clip: index arithmetic only, no picture is read.

A tracklet has n frames, a clip T frames. In training one clip is drawn from each tracklet; at test the tracklet is
cut into clips ``(C, T)``. docs/clips.md lists what tracklets of 1, 3, 4, 5 and 165 frames give.
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
    "strided",
    "tracklet_clips",
]

STRIDE = 8  #: frames from one to the next in :func:`strided`

Indices: TypeAlias = NDArray[np.int64]
TrainClip: TypeAlias = Callable[[int, int, np.random.Generator], Indices]
TestClips: TypeAlias = Callable[[int, int], Indices]
_Scheme = TypeVar("_Scheme")


def parts(n: int, length: int, rng: np.random.Generator) -> Indices:
    r"""One random frame of each of T equal parts, in time order: the sampling of the papers.

    Part i holds the frames from :math:`\lfloor i n / T \rfloor` up to, but without,
    :math:`\lfloor (i + 1) n / T \rfloor`; if that is empty (n < T) it holds only the first of them.

    Args:
        n: number of frames in the tracklet, >= 1.
        length: number T of frames in a clip.
        rng: random generator.

    Returns:
        ``(T,)`` indices into the tracklet, ascending.
    """
    bounds = np.arange(length + 1) * n // length
    first = bounds[:-1]
    return rng.integers(first, np.maximum(bounds[1:], first + 1))


def released_parts(n: int, length: int, rng: np.random.Generator) -> Indices:
    r"""Like :func:`parts`, with the parts of the released Re-ID-AR code.

    Each part has :math:`\max(\lfloor n / T \rfloor, 1)` frames, the last one also the remaining frames; a part
    beyond the end is the last frame.
    """
    size = max(n // length, 1)
    first = np.arange(length) * size
    last = first + size - 1
    last[-1] = max(first[-1], n - 1)
    return rng.integers(np.minimum(first, n - 1), np.minimum(last, n - 1) + 1)


def consecutive(n: int, length: int, rng: np.random.Generator) -> Indices:
    """T consecutive frames from a random start (VPRFT); for n < T the last frame is repeated."""
    start = rng.integers(max(n - length, 0) + 1)
    return np.minimum(start + np.arange(length), n - 1)


def random(n: int, length: int, rng: np.random.Generator) -> Indices:
    """T random frames in time order; for n < T each frame is taken equally often, up to one."""
    rounds, rest = divmod(length, n)
    return np.sort(np.concatenate([np.tile(np.arange(n), rounds), rng.choice(n, rest, replace=False)]))


def constrained(n: int, length: int, rng: np.random.Generator) -> Indices:
    r"""One random frame of each run of :math:`s = \lceil n / T \rceil` frames (AGW, ASA-Net).

    A run beyond the end gives the last frame, so for n < T the last frame is repeated.
    """
    stride = -(-n // length)
    return np.minimum(np.arange(length) * stride + rng.integers(stride, size=length), n - 1)


def strided(n: int, length: int, rng: np.random.Generator) -> Indices:
    """Every 8th frame from a random start (AP3D, TCLNet); of tracklets shorter than 8 T, :func:`random` frames."""
    if n < STRIDE * length:
        return random(n, length, rng)
    return rng.integers(n - STRIDE * (length - 1)) + STRIDE * np.arange(length)


def consecutive_clips(n: int, length: int) -> Indices:
    """All frames, cut into runs of T; the last clip is filled by repeating its own frames in turn.

    Args:
        n: number of frames in the tracklet, >= 1.
        length: number T of frames in a clip.

    Returns:
        ``(C, T)`` indices into the tracklet.
    """
    first = np.arange(0, n, length)[:, None]
    size = np.minimum(n - first, length)  # (C, 1) frames that the clip really has
    return first + np.arange(length) % size


def interleaved_clips(n: int, length: int) -> Indices:
    r"""All frames; clip r holds frame r and each s-th frame after it, :math:`s = \lceil n / T \rceil` (AGW).

    Beyond the end the last frame is repeated. AGW uses at most 50 clips.
    """
    stride = -(-n // length)
    return np.minimum(np.arange(stride)[:, None] + np.arange(length) * stride, n - 1)


def first_of_parts(n: int, length: int) -> Indices:
    """One clip: the first frame of each of T equal parts (STE-NVAN)."""
    return (np.arange(length) * n // length)[None]


#: Sampling of training clips by name: f(n, T, rng) -> ``(T,)``.
TRAIN_CLIPS: dict[str, TrainClip] = {
    "parts": parts,
    "released_parts": released_parts,
    "consecutive": consecutive,
    "random": random,
    "constrained": constrained,
    "strided": strided,
}

#: Cutting of test tracklets by name: f(n, T) -> ``(C, T)``.
TEST_CLIPS: dict[str, TestClips] = {
    "consecutive": consecutive_clips,
    "interleaved": interleaved_clips,
    "first_of_parts": first_of_parts,
}


def draw_clip(n: int, length: int, rng: np.random.Generator, scheme: str = "parts") -> Indices:
    """Draw a training clip from a tracklet.

    Args:
        n: number of frames in the tracklet, >= 1.
        length: number T of frames in a clip.
        rng: random generator.
        scheme: name in ``TRAIN_CLIPS``.

    Returns:
        ``(T,)`` indices into the tracklet, ascending.

    Example:
        >>> draw_clip(40, 4, np.random.default_rng(0))
        array([ 8, 16, 25, 32])
    """
    return _scheme(TRAIN_CLIPS, scheme, n, length)(n, length, rng)


def tracklet_clips(n: int, length: int, scheme: str = "consecutive", cap: int = 0) -> Indices:
    """Cut a tracklet into test clips.

    Args:
        n: number of frames in the tracklet, >= 1.
        length: number T of frames in a clip.
        scheme: name in ``TEST_CLIPS``.
        cap: keep at most this number of clips, the first ones; 0 keeps all. Released Re-ID-AR: 41, AGW: 50.

    Returns:
        ``(C, T)`` indices into the tracklet.

    Example:
        >>> tracklet_clips(6, 4)
        array([[0, 1, 2, 3],
               [4, 5, 4, 5]])
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
