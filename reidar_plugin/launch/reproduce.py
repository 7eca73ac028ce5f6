"""A paper's table, run: its configs x seeds x splits or streets, and the table that holds them beside what is printed."""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from reidar_plugin.errors import MissingFileError
from reidar_plugin.io.console import say
from reidar_plugin.launch.grounds import Ground, Streets, data_of
from reidar_plugin.launch.run_cost import cost_lines
from reidar_plugin.launch.runs import Launcher, Run, finished, run_all
from reidar_plugin.launch.table_plan import TablePlan
from reidar_plugin.report.reproduced import Outcome, markdown, record_of, write_reproduced
from reidar_plugin.report.results import Results
from reidar_plugin.synthped.workers import cores

__all__ = ["commands", "reproduce", "work_lines"]


def reproduce(
    plan: TablePlan, *, at_once: int = 0, dry: bool = False, launch: Launcher | None = None
) -> dict[str, Any]:
    """Say what it will cost, run what is not finished, print and write the table.

    Args:
        plan: the table, where it is run, and how often.
        at_once: runs at the same time; 0 for one a core, and for all of them where another machine runs them.
        dry: stop after the cost and the table of what is there already, and write nothing.
        launch: starts a run elsewhere, such as a :class:`~reidar_plugin.launch.cluster.Cluster`; None for here.

    Returns:
        What the table shows, in plain values; also written to ``<folder>/tables/<table>.json``, if not dry.
    """
    table, ground, runs, data = plan.table, plan.ground, plan.runs, plan.data
    left = [run for run in runs if finished(run) is None]
    at_once = at_once or (max(1, len(left)) if launch else cores())
    say(f"{table.name}: {len(runs)} runs, {len(runs) - len(left)} of them done. Data:")
    for line in ground.needs(data):
        say(line)
    if isinstance(ground, Streets):
        if left and not dry:
            ground.draw(data)
        costs = cost_lines(left, at_once) if not dry or ground.drawn(data) else work_lines(left, ground)
    else:
        costs = work_lines(left, ground)
    for line in costs:
        say(line)
    path = plan.folder / "tables" / "-".join(filter(None, (table.name.replace("/", "-"), ground.label)))
    if dry:
        record = _record(plan)
        say(f"\n{markdown(record)}")
        return record
    write_reproduced(_record(plan), path)  # what is missing for the page is told before anything runs
    _check_there(ground, left)
    run_all(runs, at_once, max(1, cores() // at_once), launch=launch)
    record = _record(plan)
    files = write_reproduced(record, path)
    say(f"\n{markdown(record)}\n{', '.join(map(str, files))}")
    return record


def work_lines(left: Sequence[Run], ground: Ground) -> Iterator[str]:
    """What the runs that are left have to do, counted from the published sizes of their data sets; nothing is measured."""
    steps_of_all, frames_of_all = 0, 0
    told = set()
    for run in left:
        cfg = run.cfg()
        if cfg.test.evaluate:
            text, steps, frames = "a test", 0, 0
        else:
            clips = cfg.train.batch_size
            steps = ground.people(data_of(cfg)) // (clips // cfg.sampler.num_instances) * cfg.train.max_epoch
            frames = steps * clips * cfg.video.seq_len
            text = f"{steps:,} steps of {clips} clips of {cfg.video.seq_len} frames, {cfg.data.height} x {cfg.data.width}"
        if run.variant not in told:
            told.add(run.variant)
            yield f"  {run.variant}: {text}"
        steps_of_all, frames_of_all = steps_of_all + steps, frames_of_all + frames
    if left:
        yield (
            f"  together {steps_of_all:,} steps, {frames_of_all / 1e6:,.1f} million frames, and {len(left)} tests. Hours: "
            "not measured; they are the steps times the seconds of a step on the machine that is used (docs/benchmarks.md)"
        )


def commands(plan: TablePlan) -> Iterator[str]:
    """A line a run that is left, for any scheduler; a run that follows another comes after it.

    Once all have ended, :func:`reproduce` finds them done and makes the table.
    """
    for run in plan.runs:
        if finished(run) is not None:
            continue
        line = shlex.join(["python", "tools/main.py", *run.words])
        if run.carries and run.after is not None:
            call = f"carry_over({str(run.after.folder)!r}, {str(run.folder)!r})"
            start = shlex.join(
                ["python", "-c", f"from reidar_plugin.launch.chains import carry_over; {call}"]
            )
            line = f"{start} && {line}"
        yield line + (f"  # after {run.after.folder}" if run.after else "")


def _record(plan: TablePlan) -> dict[str, Any]:
    outcomes = [
        Outcome(
            each.cell,
            each.protocol,
            _found(each.ours),
            _found(each.released),
            len(each.ours),
            len(each.released),
        )
        for each in plan.cells
    ]
    ground = plan.ground
    return record_of(plan.table, outcomes, title=ground.title, warning=ground.warning, options=plan.options)


def _found(runs: Sequence[Run]) -> dict[str, dict[int, Results]]:
    found: dict[str, dict[int, Results]] = {}
    for run in runs:
        results = finished(run)
        if results is not None:
            found.setdefault(run.data, {})[run.seed] = results
    return found


def _check_there(ground: Ground, left: Sequence[Run]) -> None:
    """A data set that is missing is told at once, not by the first run that wants it."""
    if ground.synthetic:
        return
    for cfg in {run.data: run.cfg() for run in left}.values():
        if not Path(cfg.data.root).is_dir():
            raise MissingFileError(
                f"no folder {cfg.data.root}: expected the data sets in it; name it by --root (docs/data.md), or try the "
                "table on a street with --data synthped --small"
            )
