"""Random numbers and sines that are the same to the last bit on every machine.

Nothing of SynthPed calls ``numpy.sin``, BLAS or a floating-point sum: what is used instead is raw random bits and
single additions, multiplications, divisions and square roots, which IEEE 754 fixes to the last bit.
"""

import hashlib
from collections.abc import Sequence
from typing import TypeVar, overload

import numpy as np

__all__ = ["Array", "SeededRandom", "turn_cos", "turn_sin"]

#: Any numpy array; shapes stand in the docstrings.
Array = np.ndarray
T = TypeVar("T")


class SeededRandom:
    """A stream of random numbers that belongs to a key, e.g. ``SeededRandom(seed, "person", 17)``.

    The bits are Philox counters: numpy guarantees that the stream of a bit generator never changes, unlike that of
    ``Generator``. The key is hashed, so the streams of neighbouring keys have nothing in common.

    Args:
        key: numbers and words that name the stream; the same key gives the same numbers.
    """

    def __init__(self, *key: int | str) -> None:
        digest = hashlib.blake2b(repr(key).encode(), digest_size=16).digest()
        self._bits = np.random.Philox(key=np.frombuffer(digest, "<u8").astype(np.uint64))

    @overload
    def uniform(self, low: float = ..., high: float = ..., size: None = ...) -> float: ...

    @overload
    def uniform(self, low: float, high: float, size: int) -> Array: ...

    def uniform(self, low: float = 0.0, high: float = 1.0, size: int | None = None) -> float | Array:
        """Numbers in [low, high): one float, or ``(size,)`` float64."""
        if size is None:
            return low + (high - low) * ((int(self._bits.random_raw()) >> 11) * 2.0**-53)
        return low + (high - low) * ((self._bits.random_raw(size) >> np.uint64(11)) * 2.0**-53)

    def integer(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self.uniform() * (high - low + 1))

    def happens(self, probability: float) -> bool:
        """True with that probability."""
        return self.uniform() < probability

    def choice(self, options: Sequence[T], weights: Sequence[float] | None = None) -> T:
        """One of the options, with probabilities in proportion to the weights (equal without weights)."""
        if weights is None:
            return options[int(self.uniform() * len(options))]
        total = 0.0
        for weight in weights:
            total += weight
        mark = self.uniform() * total
        for option, weight in zip(options, weights, strict=True):
            mark -= weight
            if mark < 0:
                return option
        return options[-1]

    def permutation(self, length: int) -> Array:
        """The numbers from 0 to length - 1 in random order."""
        return np.argsort(self._bits.random_raw(length), kind="stable")

    def smooth_line(self, length: int, step: int = 12) -> Array:
        """A smooth random curve in [-1, 1], ``(length,)``: every ``step`` frames it reaches a new random value."""
        goals = self.uniform(-1.0, 1.0, size=length // step + 2)
        at = np.arange(length)
        part = at % step / step
        ease = part * part * (3.0 - 2.0 * part)
        return goals[at // step] * (1.0 - ease) + goals[at // step + 1] * ease


def turn_sin(turns: Array | float) -> Array:
    """Sine of an angle given in whole turns, to 0.001; the same bits on every machine."""
    x = turns - np.floor(np.asarray(turns, dtype=np.float64) + 0.5)  # [-0.5, 0.5)
    arc = x * (8.0 - 16.0 * np.abs(x))
    return arc + 0.225 * (arc * np.abs(arc) - arc)


def turn_cos(turns: Array | float) -> Array:
    """Cosine of an angle given in whole turns, to 0.001; the same bits on every machine."""
    return turn_sin(np.asarray(turns, dtype=np.float64) + 0.25)
