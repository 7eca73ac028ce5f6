"""Where the configs of a table are run: on the data sets that they name, or on streets of SynthPed in their place."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import yaml
from yacs.config import CfgNode

from reidar_plugin.config.settings import value_at
from reidar_plugin.data.checker import OFFICIAL
from reidar_plugin.launch.splits import SPLIT_SETS
from reidar_plugin.synthped import make
from reidar_plugin.synthped.presets import preset_of

__all__ = ["Ground", "RealData", "Spot", "Streets", "data_of"]


class Spot(NamedTuple):
    """A data set that runs can be on, and all that sends a run there."""

    name: str
    options: tuple[str, ...]


class Ground(Protocol):
    """Where a table is run."""

    title: str  #: for the table
    label: str  #: of its files; may be empty
    warning: str  #: what has to be said beside every figure
    synthetic: bool

    def draws(self, data: str) -> Sequence[int]:
        """Numbers of the splits, or the streets, that a data set is run on."""

    def spot(self, data: str, draw: int) -> Spot:
        """One of them."""

    def options(self, cfg: CfgNode) -> list[str]:
        """``KEY VALUE ...`` that make a config fit."""

    def needs(self, data: Sequence[str]) -> list[str]:
        """A line for each data set that has to be there."""

    def people(self, data: str) -> int:
        """How many people are trained on, by the published size of a data set."""


class RealData:
    """The data sets that the configs name.

    Args:
        root: folder of the data sets.
        splits: of those that have several.
    """

    title, label, warning, synthetic = "", "", "", False

    def __init__(self, root: Path, splits: Sequence[int] = (0,)) -> None:
        self.root, self._splits = root, splits

    def draws(self, data: str) -> Sequence[int]:
        return self._splits if data in SPLIT_SETS else (0,)

    def spot(self, data: str, draw: int) -> Spot:
        root = ("data.root", str(self.root))
        if data not in SPLIT_SETS:
            return Spot(data, root)
        return Spot(f"{data}-split-{draw}", (*root, "data.split_id", str(draw)))

    def options(self, cfg: CfgNode) -> list[str]:
        return []

    def needs(self, data: Sequence[str]) -> list[str]:
        return [f"  {name}: {_size(name)}; see docs/data.md" for name in data]

    def people(self, data: str) -> int:
        return OFFICIAL[data][0].people


class Streets:
    """Streets of SynthPed. Every data set of a table is a street of its own: the first has the seed that is asked for, the
    next a seed 100 higher, and so on.

    Args:
        folder: where they are drawn.
        preset: of SynthPed.
        seeds: of the street of the first data set.
        order: the data sets of the table.
        settings: file of what is changed in the configs.
        small: also small networks and few epochs.
    """

    synthetic = True

    def __init__(
        self,
        folder: Path,
        preset: str,
        seeds: Sequence[int],
        order: Sequence[str],
        settings: Path,
        small: bool = False,
    ) -> None:
        self.folder, self.preset, self._seeds, self._order, self._small = folder, preset, seeds, order, small
        self._people = preset_of(preset).people[0]
        content = yaml.safe_load(settings.read_text(encoding="utf-8"))
        self._blocks = [*content["street"], *(content["small"] if small else ())]
        self.title = f"SynthPed {preset}, street {' '.join(map(str, seeds))}" + ", small" * small
        self.label = "-".join([f"synthped-{preset}", *map(str, seeds)]) + "-small" * small
        networks = (
            "a small network trained for a few epochs" if small else "networks without ImageNet weights"
        )
        self.warning = (
            f"The figures that were run here are of SynthPed, a drawn street, and of {networks}: they reproduce nothing, "
            "and cannot be held against what is printed, which is of real data."
        )

    def draws(self, data: str) -> Sequence[int]:
        return self._seeds

    def spot(self, data: str, draw: int) -> Spot:
        name = f"{self.preset}-{draw + 100 * self._order.index(data)}"
        return Spot(name + "-small" * self._small, ("data.root", str(self.folder / name)))

    def options(self, cfg: CfgNode) -> list[str]:
        return changes(self._blocks, cfg)

    def needs(self, data: Sequence[str]) -> list[str]:
        return [
            f"  {self.spot(name, draw).name} in the place of {name}" for name in data for draw in self._seeds
        ]

    def people(self, data: str) -> int:
        return self._people

    def drawn(self, data: Sequence[str]) -> bool:
        """Whether all streets are there."""
        return all((home / "synthped").is_dir() for home, _ in self._homes(data))

    def draw(self, data: Sequence[str]) -> None:
        """Draw what is not there yet."""
        for home, seed in self._homes(data):
            make(home, self.preset, seed=seed, folder="synthped")

    def _homes(self, data: Sequence[str]) -> list[tuple[Path, int]]:
        seeds = [seed + 100 * self._order.index(name) for name in data for seed in self._seeds]
        return [(self.folder / f"{self.preset}-{seed}", seed) for seed in seeds]


def changes(blocks: Sequence[Mapping[str, Any]], cfg: CfgNode) -> list[str]:
    """``KEY VALUE ...`` of the blocks whose ``when`` a config fulfils; what stands later wins."""
    keys: dict[str, Any] = {}
    for block in blocks:
        if all(value_at(cfg, key) == value for key, value in block.get("when", {}).items()):
            keys |= block["set"]
    return [word for key, value in keys.items() for word in (key, str(value))]


def data_of(cfg: CfgNode) -> str:
    """Name of the data set that a config trains on, without labels."""
    return cfg.data.sources[0].removesuffix("_actions")


def _size(name: str) -> str:
    train, query, gallery = OFFICIAL[name]
    return (
        f"{train.tracklets:,} tracklets of {train.people:,} people to train on, {query.tracklets:,} queries, "
        f"{gallery.tracklets:,} in the gallery"
    )
