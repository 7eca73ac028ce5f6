"""How large a set is: five presets, and the lengths of tracklets as MARS has them."""

from dataclasses import dataclass

import numpy as np

from reidar_plugin.errors import ConfigError, nearest
from reidar_plugin.synthped.seeded_random import Array, SeededRandom

__all__ = ["LENGTHS", "PRESETS", "Preset", "preset_of", "tracklet_lengths"]


@dataclass(frozen=True)
class Preset:
    """Size of a set; pairs are for training and for testing."""

    people: tuple[int, int]  #: number of people
    tracklets: tuple[int, int]  #: number of tracklets of these people
    cameras: int  #: number of cameras
    size: tuple[int, int]  #: height and width of the pictures
    stretch: float  #: factor on the lengths of MARS' tracklets


PRESETS = {
    "tiny": Preset(people=(10, 10), tracklets=(36, 44), cameras=2, size=(64, 32), stretch=0.10),
    "laptop": Preset(people=(160, 96), tracklets=(960, 576), cameras=4, size=(128, 64), stretch=0.25),
    "town": Preset(people=(400, 200), tracklets=(2400, 2800), cameras=6, size=(128, 64), stretch=0.25),
    "city": Preset(people=(1500, 200), tracklets=(4600, 1200), cameras=4, size=(128, 64), stretch=0.25),
    "mars": Preset(people=(625, 634), tracklets=(8298, 8062), cameras=6, size=(256, 128), stretch=1.0),
}
"""The sizes that can be asked for by name.

``town`` is for comparisons of methods on a machine of a few cores: its test has 600 queries with a right answer in another
camera (seed 0), ``laptop`` has 232. ``city`` has many people with few tracklets each: a weak label is one a person, so
actions are learnt from people, not from pictures. ``mars`` has MARS' own numbers: 8,298 training tracklets, and of the
8,062 of known people in the test set 1,980 queries.
"""


def preset_of(name: str) -> Preset:
    """The preset of that name, or an error that names all."""
    if name not in PRESETS:
        raise ConfigError(
            f"unknown preset {name!r};{nearest(name, PRESETS)} choose one of {', '.join(PRESETS)}"
        )
    return PRESETS[name]


_STEPS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 1.0)
LENGTHS: dict[str, tuple[float, ...]] = {
    "train": (5, 9, 11, 13, 16, 20, 27, 36, 50, 75, 100, 145, 186, 240, 277, 325, 414, 900),
    "test": (2, 8, 10, 13, 16, 20, 28, 36, 51, 76, 100, 150, 189, 250, 300, 363, 431, 920),
    "distractor": (6, 7, 9, 10, 13, 17, 22, 29, 36, 49, 69, 100, 133, 187, 224, 280, 394, 734),
    "junk": (6, 7, 8, 9, 12, 14, 15, 18, 20, 24, 30, 53, 86, 129, 147, 190, 215, 226),
}
"""Quantiles of the lengths of MARS' tracklets, read off its published tables, at the steps of ``_STEPS``."""


def tracklet_lengths(kind: str, count: int, stretch: float, random: SeededRandom) -> list[int]:
    """Lengths of ``count`` tracklets in random order; they are evenly spread quantiles, so their sum hardly varies.

    Args:
        kind: whose lengths in MARS to follow: ``train``, ``test``, ``distractor`` or ``junk``.
        count: number of tracklets.
        stretch: factor on the lengths of MARS.
        random: decides the order.
    """
    marks = (np.arange(count) + 0.5) / count
    exact = _between(marks, np.array(_STEPS), np.array(LENGTHS[kind]))
    shortest = 4 if stretch < 1.0 else 2
    lengths = np.maximum(np.floor(exact * stretch + 0.5), shortest).astype(int)
    return lengths[random.permutation(count)].tolist()


def _between(x: Array, xs: Array, ys: Array) -> Array:
    """Linear interpolation, by plain arithmetic."""
    index = np.clip(np.searchsorted(xs, x, side="right") - 1, 0, len(xs) - 2)
    part = (x - xs[index]) / (xs[index + 1] - xs[index])
    return ys[index] + part * (ys[index + 1] - ys[index])
