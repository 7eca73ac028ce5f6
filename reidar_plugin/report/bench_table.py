"""What a bench found: a row a variant, with the spread over seeds and how sure the difference to the first variant is."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tabulate import tabulate

from reidar_plugin.io.atomic import write_atomically
from reidar_plugin.metrics.intervals import Interval
from reidar_plugin.metrics.seed_intervals import SeededTest, seeded_difference, spread
from reidar_plugin.report.results import Results
from reidar_plugin.report.seeded_tests import Test, stacked

__all__ = ["FIGURES", "bench_record", "bench_table", "write_bench"]

#: Of each query, and compared between variants.
FIGURES = ("rank-1", "mAP")

#: Results of the finished runs: variant -> street -> seed -> results.
Outcomes = Mapping[str, Mapping[str, Mapping[int, Results]]]


def bench_record(outcomes: Outcomes, level: float = 0.95, resamples: int = 10_000) -> dict[str, Any]:
    """All figures of a bench in plain values.

    Args:
        outcomes: results of the finished runs; the first variant is what the others are held against. A difference is taken
            over the seeds and streets that both variants have.
        level, resamples: options of the intervals, see :func:`~reidar_plugin.metrics.seed_intervals.seeded_difference`.
    """
    first = next(iter(outcomes))
    record: dict[str, Any] = {"against": first, "level": level, "resamples": resamples, "variants": {}}
    for name, streets in outcomes.items():
        runs = [results for seeds in streets.values() for results in seeds.values()]
        row: dict[str, Any] = {
            "runs": {street: sorted(seeds) for street, seeds in streets.items()},
            "figures": {figure: _over_seeds(streets, figure) for figure in FIGURES},
            "with actions": _with_actions(streets, level, resamples),
            "actions": _actions(list(streets.values())),
            "protocols": sorted({results.retrieval[0]["protocol"] for results in runs}),
        }
        if name != first:
            row["differences"] = {
                figure: _difference(_pairs(outcomes[first], streets), figure, level, resamples)
                for figure in FIGURES
            }
        record["variants"][name] = row
    return record


def bench_table(record: Mapping[str, Any]) -> str:
    """The record as text."""
    rows = []
    for name, row in record["variants"].items():
        cells = {"variant": name, "runs": str(sum(map(len, row["runs"].values())))}
        for figure in FIGURES:
            cells[figure] = _spread(row["figures"][figure])
        for figure in FIGURES:
            cells[f"{figure} - {record['against']}"] = _interval(row.get("differences", {}).get(figure))
        for figure, gain in row["with actions"].items():
            cells[f"{figure}, actions counted"] = _spread(gain["figure"])
            cells[f"{figure}, counted - not"] = _interval(gain["difference"])
        cells["action mAP"] = _spread(row["actions"].get("mAP"))
        for action, said in row["actions"].get("per_action", {}).items():
            cells[f"AP {action} (share)"] = f"{_spread(said['AP'])} ({100 * said['share']:.1f})"
            cells[f"recall {action}"] = _spread(said["recall"])
        rows.append(cells)
    columns = list(dict.fromkeys(key for cells in rows for key in cells))
    table = tabulate(
        [[column, *(cells.get(column, "-") for cells in rows)] for column in columns[1:]],
        headers=["", *(cells["variant"] for cells in rows)],
        disable_numparse=True,
    )
    protocols = sorted({protocol for row in record["variants"].values() for protocol in row["protocols"]})
    return (
        f"{table}\n\n{', '.join(protocols)}. Percent: mean over runs, after ± the standard deviation over seeds (mean of "
        f"the streets').\nDifferences in points, [{100 * record['level']:g} % interval over seeds and people together], too "
        "narrow where seeds are few and differ more than people do. An "
        "action's share of the test tracklets is its average precision by chance."
    )


def write_bench(record: Mapping[str, Any], folder: str | Path) -> Path:
    """Write ``bench.json`` and ``bench.txt`` into a folder; returns the path of the first."""
    path = Path(folder) / "bench.json"
    write_atomically(path, (json.dumps(record, indent=2) + "\n").encode())
    write_atomically(path.with_suffix(".txt"), (bench_table(record) + "\n").encode())
    return path


def _over_seeds(streets: Mapping[str, Mapping[int, Results]], figure: str) -> dict[str, float | None]:
    """Mean over all runs, and the mean over the streets of the deviation over seeds."""
    return _over_tests(
        {street: [Test(run, 0) for run in seeds.values()] for street, seeds in streets.items() if seeds},
        figure,
    )


def _over_tests(tests: Mapping[str, Sequence[Test]], figure: str) -> dict[str, float | None]:
    values = [[float(test.record["metrics"][figure]) for test in street] for street in tests.values()]
    return _plain([each for runs in values for each in runs], values)


def _actions(streets: Sequence[Mapping[int, Results]]) -> dict[str, Any]:
    found = [[run.actions for run in seeds.values() if run.actions is not None] for seeds in streets]
    known = [actions for street in found for actions in street]
    if not known:
        return {}

    def over(value: Callable[[Mapping[str, Any]], float]) -> dict[str, float | None]:
        return _plain([value(each) for each in known], [list(map(value, street)) for street in found])

    def row(name: str) -> dict[str, Any]:
        shares = [each["per_action"][name]["support"] / each["counts"]["known"] for each in known]
        return {
            "AP": over(lambda each: float(each["per_action"][name]["average_precision"] or 0)),
            "recall": over(lambda each: float(each["per_action"][name]["recall"] or 0)),
            "share": float(np.mean(shares)),
        }

    return {
        "mAP": over(lambda each: float(each["mAP"])),
        "per_action": {name: row(name) for name in known[0]["per_action"]},
    }


def _with_actions(
    streets: Mapping[str, Mapping[int, Results]], level: float, resamples: int
) -> dict[str, dict[str, Any]]:
    """What counting actions in the distances gives (``reidar.test.action_weight``); empty where no run was tested so."""
    acting = {
        street: {seed: test for seed, results in seeds.items() if (test := _acting_test(results)) is not None}
        for street, seeds in streets.items()
    }
    if not any(acting.values()):
        return {}
    pairs = {
        street: [(Test(streets[street][seed], 0), test) for seed, test in sorted(seeds.items())]
        for street, seeds in acting.items()
    }
    return {
        figure: {
            "figure": _over_tests(
                {street: list(seeds.values()) for street, seeds in acting.items() if seeds}, figure
            ),
            "difference": _difference(pairs, figure, level, resamples),
        }
        for figure in FIGURES
    }


def _acting_test(results: Results) -> Test | None:
    """The first protocol with actions counted."""
    acting = [index for index, test in enumerate(results.retrieval) if test.get("action_weight")]
    return Test(results, acting[0]) if acting else None


#: Pairs of tests to be compared, by street.
_Pairs = Mapping[str, Sequence[tuple[Test, Test]]]


def _pairs(first: Mapping[str, Mapping[int, Results]], second: Mapping[str, Mapping[int, Results]]) -> _Pairs:
    """The first test of both, for the streets and seeds that both have."""
    return {
        street: [
            (Test(first[street][seed], 0), Test(runs[seed], 0))
            for seed in sorted(set(runs) & set(first.get(street, {})))
        ]
        for street, runs in second.items()
    }


def _difference(pairs: _Pairs, figure: str, level: float, resamples: int) -> dict[str, float] | None:
    tests = []
    for street, of_street in pairs.items():
        if of_street:
            figures, people = stacked([test for pair in of_street for test in pair], figure, street)
            tests.append(SeededTest(figures[0::2], figures[1::2], people))
    return seeded_difference(tests, level, resamples)._asdict() if tests else None


def _plain(values: Sequence[float], groups: Sequence[Sequence[float]]) -> dict[str, float | None]:
    deviations = [spread(group).deviation for group in groups if len(group) > 1]
    return {
        "mean": spread(values).mean,
        "deviation": float(np.mean(deviations)) if deviations else None,
    }


def _spread(figure: Mapping[str, float | None] | None) -> str:
    if figure is None or figure["mean"] is None:
        return "-"
    deviation = "" if figure["deviation"] is None else f" ± {100 * figure['deviation']:.1f}"
    return f"{100 * figure['mean']:.1f}{deviation}"


def _interval(difference: Mapping[str, float] | None) -> str:
    if difference is None:
        return "-"
    found = Interval(**difference)
    return f"{100 * found.mean:+.1f} [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"
