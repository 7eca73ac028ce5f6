"""A bench: variants of a config, several seeds, several streets of SynthPed, and a table that says what differs.

Every run is an ordinary one in a folder of its own, ``<folder>/<street>/<variant>/seed-<n>``: a bench that was
stopped goes on where it stopped, and runs that are done are not repeated. The table is made from their results files.
"""

import contextlib
import io
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
import yaml
from yacs.config import CfgNode

from reidar_plugin.data.manager import ClipDataManager
from reidar_plugin.engine.build import build_objective
from reidar_plugin.engine.interrupt import INTERRUPTED
from reidar_plugin.engine.train_step import TrainStep
from reidar_plugin.errors import ConfigError, nearest
from reidar_plugin.host import reid
from reidar_plugin.inference.precision import Precision
from reidar_plugin.io.console import say
from reidar_plugin.launch import subprocesses
from reidar_plugin.plugin import registration
from reidar_plugin.report.bench_table import bench_record, bench_table, write_bench
from reidar_plugin.report.results import Results, plain, read_results
from reidar_plugin.structures import Targets
from reidar_plugin.synthped import make
from reidar_plugin.synthped.workers import cores

__all__ = ["Cost", "Run", "Variants", "bench", "estimate", "finished", "planned", "read_variants", "run_all"]

#: Keys that may differ between a finished run and the one that would be started now.
ELSEWHERE = ("data.root", "data.save_dir", "data.workers", "use_gpu")


class Variants(NamedTuple):
    """What is compared."""

    config: Path  #: that all start from
    options: dict[
        str, list[str]
    ]  #: ``KEY VALUE ...`` of each, by its name; the first one is what others are held against

    def only(self, names: Sequence[str]) -> "Variants":
        """Some of them, in the order of the file; all where no name is given."""
        for name in names:
            if name not in self.options:
                raise ConfigError(
                    f"unknown variant {name!r};{nearest(name, self.options)} there are {', '.join(self.options)}"
                )
        kept = {name: keys for name, keys in self.options.items() if not names or name in names}
        return self._replace(options=kept)


@dataclass(frozen=True)
class Run:
    """One training."""

    street: str
    variant: str
    seed: int
    folder: Path
    config: Path
    options: tuple[str, ...]  #: all that the run changes in the config

    @property
    def words(self) -> list[str]:
        """Its command line, as tools/main.py takes it."""
        return subprocesses.arguments(self.config, options=self.options)

    def cfg(self) -> CfgNode:
        """Its whole config."""
        cfg = subprocesses.merged(self.config, self.options)
        cfg.use_gpu = torch.cuda.is_available()
        return cfg


class Cost(NamedTuple):
    """What a run takes, measured before it starts."""

    steps: int
    step_seconds: float
    test_batches: int
    batch_seconds: float

    @property
    def seconds(self) -> float:
        """Training and one test."""
        return self.steps * self.step_seconds + self.test_batches * self.batch_seconds


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
    drawn = {f"{preset}-{seed}": folder / "streets" / f"{preset}-{seed}" for seed in streets}
    for root, seed in zip(drawn.values(), streets, strict=True):
        make(root, preset, seed=seed, folder="synthped")
    runs = planned(variants, drawn, seeds, folder, options)
    at_once = at_once or cores()
    _say_cost(runs, at_once)
    if not dry:
        run_all(runs, at_once, max(1, cores() // at_once))
    found: dict[str, dict[str, dict[int, Results]]] = {}
    for run in runs:
        results = finished(run)
        if results is not None:
            found.setdefault(run.variant, {}).setdefault(run.street, {})[run.seed] = results
    if not found:
        return {}
    record = bench_record(found)
    say(f"\n{bench_table(record)}\n\nfigures: {write_bench(record, folder)}")
    return record


def read_variants(path: str | Path) -> Variants:
    """Read a file of variants.

    ``config`` names the config that all start from, beside the file; ``variants`` has a map of keys and values for
    each name, the first of which is what the others are held against::

        config: small.yaml
        variants:
          identity-only: {reidar.model.num_actions: 0, reidar.loss.terms: [smoothed_cross_entropy, ranked_list]}
          joint: {}
    """
    path = Path(path)
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or set(content) != {"config", "variants"}:
        raise ConfigError(f"{path}: expected config and variants, got {content!r:.80}")
    variants = content["variants"]
    if not isinstance(variants, dict) or not all(isinstance(keys, dict) for keys in variants.values()):
        raise ConfigError(f"{path}: expected a map of keys for each variant, got {variants!r:.80}")
    options = {
        str(name): [word for key, value in keys.items() for word in (str(key), str(value))]
        for name, keys in variants.items()
    }
    return Variants(path.parent / content["config"], options)


def planned(
    variants: Variants,
    streets: Mapping[str, Path],
    seeds: Sequence[int],
    folder: str | Path,
    options: Sequence[str] = (),
) -> list[Run]:
    """All runs, seed by seed, so that a bench that is stopped early has all variants of the seeds that it did.

    Args:
        variants: what is compared.
        streets: root of each data set, by the name that the street has in the bench.
        seeds: of the training.
        folder: of the bench.
        options: ``KEY VALUE ...`` for every run; those of a variant win.
    """
    runs = []
    for seed in seeds:
        for street, root in streets.items():
            for name, own in variants.options.items():
                place = Path(folder) / street / name / f"seed-{seed}"
                fixed = ("data.root", str(root), "data.save_dir", str(place), "train.seed", str(seed))
                words = (*options, *own, *fixed)
                run = Run(street, name, seed, place, variants.config, words)
                run.cfg()  # an unknown key is told before anything is started
                runs.append(run)
    return runs


def finished(run: Run) -> Results | None:
    """Results of a run that is done; None where it has to be started, or to go on.

    Raises:
        ConfigError: what lies in its folder is of another config.
    """
    if not (run.folder / "results.json").is_file():
        return None
    results, cfg = read_results(run.folder), run.cfg()
    there, here = _flat(results.config), _flat(plain(cfg))
    keys = sorted(key for key in here if key not in ELSEWHERE and there.get(key) != here[key])
    if keys:
        changes = ", ".join(f"{key} {there.get(key)!r}, now {here[key]!r}" for key in keys[:3])
        raise ConfigError(
            f"{run.folder} holds a run of another config ({changes}); name the variant or the bench otherwise, or "
            "delete that folder"
        )
    return results if results.notes.get("epochs") == cfg.train.max_epoch else None


def estimate(run: Run, steps: int = 3) -> Cost:
    """Measure a few steps and test batches of a run on made-up frames, and count what it will do on its data set.

    Args:
        run: whose data set is there already.
        steps: of each kind that are timed, after one that is not.
    """
    cfg = run.cfg()
    registration.enable(cfg, quiet=True)
    with contextlib.redirect_stdout(io.StringIO()):  # the host prints a table of each data set
        data = ClipDataManager.from_config(cfg)
    model = reid.models.build_model(
        cfg.model.name, data.num_train_pids, cfg.loss.name, pretrained=False, use_gpu=False
    ).to(memory_format=torch.channels_last)
    objective = build_objective(cfg, data, model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    step = TrainStep(model, objective, [optimizer], Precision("float32", torch.device("cpu")))
    clips, test = cfg.train.batch_size, cfg.test.batch_size
    table, size = data.train_table, (cfg.video.seq_len, 3, cfg.data.height, cfg.data.width)
    chosen = torch.arange(clips) % len(table)
    targets = Targets(
        table.pids[chosen],
        table.labels[chosen],
        table.attributes[chosen],
        torch.zeros(clips, size[0], dtype=torch.bool),
    )
    frames = torch.randn(clips, *size)
    train = _seconds(lambda: step(frames, targets), steps)
    frames = torch.randn(test, *size)
    model.eval()
    with torch.no_grad():
        tested = _seconds(lambda: model(frames), steps)
    batches = sum(len(loader) for parts in data.test_loader.values() for loader in parts.values())
    return Cost(len(data.train_loader) * cfg.train.max_epoch, train, batches, tested)


def _say_cost(runs: Sequence[Run], at_once: int) -> None:
    """What is left to do, by a short measurement of each variant on the first street."""
    left = [run for run in runs if finished(run) is None]
    say(f"{len(runs)} runs, {len(runs) - len(left)} of them done")
    samples = {run.variant: run for run in reversed(left)}
    costs = {name: estimate(run) for name, run in samples.items()}
    for name, cost in costs.items():
        say(
            f"  {name}: {cost.steps:,} steps of {cost.step_seconds:.2f} s and a test of {cost.test_batches:,} batches of "
            f"{cost.batch_seconds:.2f} s, {cost.seconds / 60:.0f} minutes a run"
        )
    total = sum(costs[run.variant].seconds for run in left)
    if left:
        say(
            f"  together {total / 3600:.1f} hours of a core, {total / at_once / 3600:.1f} with {at_once} at once"
        )


def run_all(runs: Sequence[Run], at_once: int, threads: int, pause: float = 0.2) -> None:
    """Run what is not finished, so many at a time, each in a process of its own that prints into its log alone.

    Args:
        runs: all of the bench.
        at_once: processes.
        threads: of torch, in each.
        pause: seconds between two looks at the processes.

    Raises:
        RunError: a run failed; the others are stopped, having saved.
        SystemExit: after Ctrl-C, with 130; all have saved.
    """
    waiting = [run for run in runs if finished(run) is None]
    total, start = len(waiting), time.monotonic()
    running: dict[Run, subprocesses.Quiet] = {}
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                run = waiting.pop(0)
                running[run] = subprocesses.Quiet(run.words, threads)
            time.sleep(pause)
            for run in [run for run, process in running.items() if process.ended()]:
                running.pop(run).check()
                done = total - len(waiting) - len(running)
                spent = time.monotonic() - start
                say(
                    f"{done}/{total} {run.street} {run.variant} seed {run.seed}: done after {spent / 60:.1f} min"
                )
    except BaseException as stop:
        by_hand = isinstance(stop, KeyboardInterrupt)
        for process in running.values():
            process.stop(signal.SIGINT if by_hand else signal.SIGTERM)
        if by_hand:
            say("stopped; all runs have saved, and the same command goes on from there")
            raise SystemExit(INTERRUPTED) from None
        raise


def _seconds(call: Callable[[], object], times: int) -> float:
    call()
    start = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - start) / times


def _flat(node: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.items():
        inner = _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {prefix + key: value}
        found.update(inner)
    return found
