"""A bench: variants of a config, several seeds, several streets of SynthPed, and a table that says what differs.

Every run is an ordinary one in a folder of its own, ``<folder>/<street>/<variant>/seed-<n>``: a bench that was
stopped goes on where it stopped, and runs that are done are not repeated. The table is made from their results files.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reidar_plugin.errors import ConfigError
from reidar_plugin.io.console import say
from reidar_plugin.launch.bench_plan import Variants, planned
from reidar_plugin.launch.run_cost import cost_lines
from reidar_plugin.launch.runs import finished, run_all
from reidar_plugin.report.bench_table import bench_record, bench_table, write_bench
from reidar_plugin.report.results import Results
from reidar_plugin.synthped import make
from reidar_plugin.synthped.workers import cores

__all__ = ["bench"]


def bench(
    variants: Variants,
    streets: Sequence[int],
    seeds: Sequence[int],
    folder: Path,
    *,
    preset: str = "town",
    options: Sequence[str] = (),
    at_once: int = 0,
    dry: bool = False,
) -> dict[str, Any]:
    """Draw the streets, say what it will cost, run what is not finished, print and write the table.

    Args:
        variants: what is compared.
        streets: generator seeds of SynthPed.
        seeds: of the training.
        folder: where everything goes.
        preset: of SynthPed.
        options: ``KEY VALUE ...`` for every run.
        at_once: runs at the same time; 0 for one a core.
        dry: stop after the cost and what is there already.

    Returns:
        What the table shows, in plain values; also written to ``bench.json``.
    """
    for name, given in (("streets", streets), ("seeds", seeds)):
        if not given or len(set(given)) < len(given):
            raise ConfigError(f"{name}: expected each number once, got {' '.join(map(str, given)) or 'none'}")
    if at_once < 0:
        raise ConfigError(f"expected 1 or more runs at once, or 0 for one a core, got {at_once}")
    drawn = {f"{preset}-{seed}": folder / "streets" / f"{preset}-{seed}" for seed in streets}
    runs = planned(variants, drawn, seeds, folder, options)
    for root, seed in zip(drawn.values(), streets, strict=True):
        make(root, preset, seed=seed, folder="synthped")
    at_once = at_once or cores()
    left = [run for run in runs if finished(run) is None]
    say(f"{len(runs)} runs, {len(runs) - len(left)} of them done")
    for line in cost_lines(left, at_once):
        say(line)
    if not dry:
        run_all(runs, at_once, max(1, cores() // at_once))
    found: dict[str, dict[str, dict[int, Results]]] = {}
    for run in runs:
        results = finished(run)
        if results is not None:
            found.setdefault(run.variant, {}).setdefault(run.data, {})[run.seed] = results
    if not found:
        return {}
    if (first := next(iter(variants.options))) not in found:
        say(f"no run of {first} is finished, which the others are to be held against: there is no table yet")
        return {}
    record = bench_record({first: found[first], **found})
    say(f"\n{bench_table(record)}\n\nfigures: {write_bench(record, folder)}")
    return record
