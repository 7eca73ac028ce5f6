"""The runs of a paper's table: each of its cells is a config x seeds x splits or streets, or a chain of configs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from yacs.config import CfgNode

from reidar_plugin.checkpoint.store import BEST
from reidar_plugin.launch import chains, subprocesses
from reidar_plugin.launch.bench_plan import Variants, read_variants
from reidar_plugin.launch.grounds import Ground, data_of
from reidar_plugin.launch.runs import Run
from reidar_plugin.report.published import Cell, PublishedTable

__all__ = ["PlannedCell", "TablePlan", "data_sets", "with_predecessors"]


class PlannedCell(NamedTuple):
    """The runs that give the figures of a cell."""

    cell: Cell
    ours: list[Run]
    released: list[Run]
    protocol: str  #: that they are read under; empty for the first that is tested


class _Stage(NamedTuple):
    """A config in a chain, on its way to a run."""

    label: str
    config: Path
    options: tuple[str, ...]  #: of the variant and the ground

    def cfg(self) -> CfgNode:
        return subprocesses.merged(self.config, self.options)


def data_sets(table: PublishedTable, configs: Path) -> list[str]:
    """Data sets that a table's configs name, in order of their first appearance."""
    names = [config for cell in table.cells for spec in (cell.ours, cell.released) for config in _split(spec)]
    return list(dict.fromkeys(data_of(subprocesses.merged(configs / name)) for name in dict.fromkeys(names)))


def with_predecessors(planned: Sequence[PlannedCell]) -> list[Run]:
    """All runs, each once, those that others follow from before them, seed by seed."""
    runs: dict[Run, None] = {}
    for run in (run for cell in planned for run in (*cell.ours, *cell.released)):
        chain = [run]
        while chain[-1].after is not None:
            chain.append(chain[-1].after)
        runs |= dict.fromkeys(reversed(chain))
    return sorted(runs, key=lambda run: run.seed)


def _split(spec: str) -> list[str]:
    """The configs of ``A > B`` or ``A on B``."""
    return spec.replace(" on ", " > ").split(" > ") if spec else []


@dataclass(frozen=True)
class TablePlan:
    """A paper's table as it is to be run: cells that share a config share its runs."""

    table: PublishedTable
    ground: Ground  #: where it is run
    seeds: Sequence[int]  #: of the training
    folder: Path  #: of all runs and tables
    configs: Path  #: the folder ``configs/``
    options: tuple[str, ...] = ()  #: ``KEY VALUE ...`` for every run

    @cached_property
    def cells(self) -> list[PlannedCell]:
        """Every cell with its runs."""
        return [
            PlannedCell(cell, self._ours(cell), self._of_spec(cell.released), self._protocol(cell))
            for cell in self.table.cells
        ]

    @property
    def runs(self) -> list[Run]:
        """All runs, each once, see :func:`with_predecessors`."""
        return with_predecessors(self.cells)

    @property
    def data(self) -> list[str]:
        """Data sets that it needs, see :func:`data_sets`."""
        return data_sets(self.table, self.configs)

    @cached_property
    def _variants(self) -> Variants | None:
        bench = self.table.bench if self.ground.synthetic else ""
        return read_variants(self.configs / bench) if bench else None

    def _ours(self, cell: Cell) -> list[Run]:
        if self._variants is None:
            return self._of_spec(cell.ours)
        own = self._variants.options[cell.variant]
        stage = self._stage(
            f"{Path(self.table.bench).stem}-{cell.variant}", self._variants.config, tuple(own)
        )
        data = data_of(subprocesses.merged(self.configs / self.table.cells[0].ours))
        return [
            self._run([stage], [data], seed, draw) for seed in self.seeds for draw in self.ground.draws(data)
        ]

    def _of_spec(self, spec: str) -> list[Run]:
        names = _split(spec)
        if not names:
            return []
        stages = [
            self._stage(name.removesuffix(".yaml").replace("/", "-"), self.configs / name) for name in names
        ]
        data = [data_of(subprocesses.merged(self.configs / name)) for name in names]
        make = self._cross if " on " in spec else self._run
        return [make(stages, data, seed, draw) for seed in self.seeds for draw in self.ground.draws(data[-1])]

    def _stage(self, label: str, config: Path, own: tuple[str, ...] = ()) -> _Stage:
        fitted = self.ground.options(subprocesses.merged(config, own))
        return _Stage(label, config, (*fitted, *own, *self.options))

    def _run(self, stages: Sequence[_Stage], data: Sequence[str], seed: int, draw: int) -> Run:
        """The last of a chain, each of which starts from the weights of the one before."""
        after = self._run(stages[:-1], data[:-1], seed, draw) if len(stages) > 1 else None
        label = "--then--".join(stage.label for stage in stages)
        run = self._placed(stages[-1], label, data[-1], seed, draw)
        if after is not None:
            run = replace(run, after=after, options=run.options + _words(chains.start_keys(run.folder)))
        if not self.table.rerank or after is not None:
            return run
        last = run.folder / "model" / f"model.pth.tar-{stages[-1].cfg().train.max_epoch}"
        return self._test(run, f"{label}--re-ranked", last)

    def _cross(self, stages: Sequence[_Stage], data: Sequence[str], seed: int, draw: int) -> Run:
        """The first config's best checkpoint on the data of the second."""
        trained = self._run(stages[:1], data[:1], seed, draw)
        spot = self.ground.spot(data[1], draw)
        targets = chains.plain_targets(stages[1].cfg().data.targets)
        tested = self._test(
            replace(trained, data=spot.name),
            f"{stages[0].label}--on--{stages[1].label}",
            trained.folder / "model" / BEST,
        )
        return replace(
            tested, after=trained, options=(*tested.options, *spot.options, "data.targets", str(targets))
        )

    def _placed(self, stage: _Stage, label: str, data: str, seed: int, draw: int) -> Run:
        draws = self.ground.draws(data)
        spot = self.ground.spot(data, draw if draw in draws else draws[0])
        folder = self.folder / spot.name / label / f"seed-{seed}"
        fixed = ("data.save_dir", str(folder), "train.seed", str(seed))
        return Run(spot.name, label, seed, folder, stage.config, (*stage.options, *spot.options, *fixed))

    def _test(self, run: Run, label: str, weights: Path) -> Run:
        """A run that tests what another has trained."""
        folder = self.folder / run.data / label / f"seed-{run.seed}"
        keys = _words(chains.test_keys(weights) | {"data__save_dir": folder})
        return replace(run, variant=label, folder=folder, options=run.options + keys, after=run)

    def _protocol(self, cell: Cell) -> str:
        """Of MARS' three, where it is MARS or a street; other data sets have one."""
        if self.ground.synthetic:
            return cell.protocol or "usual"
        names = _split(cell.ours)
        tested = data_of(subprocesses.merged(self.configs / names[-1])) if names else ""
        return cell.protocol if tested == "mars" else ""


def _words(keys: dict[str, object]) -> tuple[str, ...]:
    return tuple(word for key, value in keys.items() for word in (key.replace("__", "."), str(value)))
