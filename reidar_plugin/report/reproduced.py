"""A paper's table beside what was run here: as printed, under the released code's conditions, and ours.

Figures of papers and figures that were run never share a column. Every column says in its head which of the two it is.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tabulate import tabulate

from reidar_plugin.io.atomic import write_atomically
from reidar_plugin.metrics.seed_intervals import seeded_mean, spread
from reidar_plugin.report.page.content import Table
from reidar_plugin.report.page.table_page import table_page
from reidar_plugin.report.published import Cell, PublishedTable
from reidar_plugin.report.results import Results
from reidar_plugin.report.seeded_tests import Test, stacked

__all__ = ["Outcome", "markdown", "record_of", "tables_of", "write_reproduced"]

#: Figures of actions, and where results keep them.
ACTIONS = {"action precision": "precision", "action recall": "recall", "action f1": "f1"}

PRINTED, RELEASED, OURS = "PRINTED in the paper", "RUN HERE, released code's conditions", "RUN HERE, ours"
GROUPS = {PRINTED: "printed", RELEASED: "released", OURS: "ours"}


class Outcome(NamedTuple):
    """A cell and the results of its runs that are done."""

    cell: Cell
    protocol: str  #: that they are read under; empty for the first that was tested
    ours: Mapping[str, Mapping[int, Results]]  #: split or street -> seed -> results
    released: Mapping[str, Mapping[int, Results]]
    ours_planned: int  #: runs, done or not
    released_planned: int


def record_of(
    table: PublishedTable,
    outcomes: Sequence[Outcome],
    *,
    title: str = "",
    warning: str = "",
    options: Sequence[str] = (),
    level: float = 0.95,
    resamples: int = 10_000,
) -> dict[str, Any]:
    """Everything that the table says, in plain values.

    Args:
        table: as the paper has it.
        outcomes: of its cells.
        title: what it was run on; empty for the data sets of the paper.
        warning: what has to be said beside every figure.
        options: ``KEY VALUE ...`` that every run was given.
        level: of the intervals.
        resamples: draws of the intervals.
    """
    return {
        "table": table.name,
        "title": table.title,
        "paper": table.paper,
        "section": table.section,
        "printed under": list(table.was),
        "note": table.note,
        "run on": title,
        "warning": warning,
        "options": list(options),
        "level": level,
        "figures": list(table.figures),
        "rows": [
            {
                "row": each.cell.row,
                "part": each.cell.part,
                "printed": dict(each.cell.printed),
                "doubt": each.cell.doubt,
                "why not run": each.cell.why,
                "config": each.cell.ours,
                "released config": each.cell.released,
                "ours planned": each.ours_planned,
                "released planned": each.released_planned,
                "ours": _side(each.ours, each.protocol, table.figures, level, resamples),
                "released": _side(each.released, each.protocol, table.figures, level, resamples),
            }
            for each in outcomes
        ],
    }


def tables_of(record: Mapping[str, Any]) -> list[Table]:
    """The record as tables: side by side, then what was run under every protocol."""
    doubts = list(dict.fromkeys(row["doubt"] or row["why not run"] for row in record["rows"]))
    doubts = [text for text in doubts if text]
    figures = record["figures"]
    sides = [(OURS, "ours")]
    if any(row["released planned"] for row in record["rows"]):
        sides.insert(0, (RELEASED, "released"))
    columns = ["row", *(f"{PRINTED}: {name}" for name in figures)]
    columns += [f"{title}: {name}" for title, _ in sides for name in figures]
    columns += ["run under", "runs", "notes"]
    rows = []
    for row in record["rows"]:
        note = row["doubt"] or row["why not run"]
        cells = [f"{row['row']}: {row['part']}" if row["part"] else row["row"]]
        cells += [row["printed"].get(name, "") for name in figures]
        cells += [_text(row, side, name) for _, side in sides for name in figures]
        done = row["ours"]["runs"] if row["ours"] else 0
        cells += [row["ours"]["protocol"] if row["ours"] else "", f"{done} of {row['ours planned']}"]
        rows.append([*cells, f"[{doubts.index(note) + 1}]" if note else ""])
    notes = [f"[{number}] {text}" for number, text in enumerate(doubts, start=1)]
    side_by_side = Table(record["title"], columns, rows, "\n".join(notes))
    protocols = [
        [
            row["row"] + (f": {row['part']}" if row["part"] else ""),
            title,
            name,
            *map(_number, values.values()),
        ]
        for row in record["rows"]
        for title, side in sides
        if row[side]
        for name, values in row[side]["protocols"].items()
    ]
    return [side_by_side] + (
        [Table("The same runs under every protocol", ["row", "what", "protocol", "rank-1", "mAP"], protocols)]
        if protocols
        else []
    )


def facts_of(record: Mapping[str, Any]) -> list[str]:
    """What has to be read with the tables, a paragraph each."""
    where = f"{record['paper']}, section {record['section']}." if record["paper"] else ""
    level = f"{100 * record['level']:g} %"
    return [
        *filter(None, [where]),
        *(f"Printed under: {text}" for text in record["printed under"]),
        *filter(None, [record["note"]]),
        *([f"Every run with: {' '.join(record['options'])}"] if record["options"] else []),
        f"Run here: percent, mean over runs with its {level} interval over seeds and people together (over people alone "
        "where there is one seed), then the standard deviation over seeds; figures of actions have that deviation alone. "
        "After the last epoch, not the best of many tests.",
    ]


def markdown(record: Mapping[str, Any]) -> str:
    """The record as a page of Markdown."""
    lines = [f"# {_heading(record)}", ""]
    if record["warning"]:
        lines += [f"> **{record['warning']}**", ""]
    for text in facts_of(record):
        lines += [text, ""]
    for number, table in enumerate(tables_of(record)):
        lines += [f"## {table.title}", ""] if number else []
        rows = [[cell.replace("|", "\\|") for cell in row] for row in table.rows]
        lines += [tabulate(rows, headers=table.columns, tablefmt="pipe", disable_numparse=True), ""]
        lines += [line + "  " for line in table.note.splitlines()] + [""]
    return "\n".join(lines).rstrip() + "\n"


def write_reproduced(record: Mapping[str, Any], path: Path) -> list[Path]:
    """Write ``<path>.json``, ``.md`` and ``.html``; returns their paths.

    Raises:
        ConfigError: Jinja2 is not installed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    page = table_page(_heading(record), record["warning"], facts_of(record), tables_of(record), GROUPS)
    texts = {".json": json.dumps(record, indent=2) + "\n", ".md": markdown(record), ".html": page}
    for ending, text in texts.items():
        write_atomically(_beside(path, ending), text.encode())
    return [_beside(path, ending) for ending in texts]


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _heading(record: Mapping[str, Any]) -> str:
    return f"{record['table']}: {record['title']}" + (f" ({record['run on']})" if record["run on"] else "")


def _side(
    runs: Mapping[str, Mapping[int, Results]],
    protocol: str,
    figures: Sequence[str],
    level: float,
    resamples: int,
) -> dict[str, Any] | None:
    """Figures of the runs of a cell; None where none is done."""
    if not any(runs.values()):
        return None
    first = next(results for seeds in runs.values() for results in seeds.values())
    names = [
        test["protocol"] for test in first.retrieval if not test["reranked"] and not test.get("action_weight")
    ]
    read = next((name for name in names if name.endswith(f" {protocol}")), names[0])
    found: dict[str, Any] = {}
    for figure in figures:
        value = _figure(runs, read, figure, level, resamples)
        if value is not None:
            found[figure] = value
    return {
        "protocol": read,
        "runs": sum(map(len, runs.values())),
        "seeds": {name: sorted(seeds) for name, seeds in runs.items()},
        "figures": found,
        "protocols": {
            name: {figure: _figure(runs, name, figure, level, resamples) for figure in ("rank-1", "mAP")}
            for name in names
        },
    }


def _figure(
    runs: Mapping[str, Mapping[int, Results]], protocol: str, figure: str, level: float, resamples: int
) -> dict[str, float | None] | None:
    """Mean, interval and deviation; None where the runs do not have it."""
    if figure in ACTIONS:
        values = [
            [
                float(value)
                for results in seeds.values()
                if results.actions and (value := results.actions["macro"][ACTIONS[figure]]) is not None
            ]
            for seeds in runs.values()
        ]
        return _plain([seeds for seeds in values if seeds])
    name, again = figure.removesuffix(" re-ranked"), figure.endswith(" re-ranked")
    tests = {
        where: [test for _, results in sorted(seeds.items()) if (test := _test(results, protocol, again))]
        for where, seeds in runs.items()
    }
    tests = {where: each for where, each in tests.items() if each}
    if not tests or not (name == "mAP" or name.startswith("rank-")):
        return None
    arrays = [stacked(each, name, where) for where, each in tests.items()]
    interval = seeded_mean(arrays, level, resamples)
    means = _plain([values.mean(axis=1).tolist() for values, _ in arrays])
    return {**(means or {}), "mean": interval.mean, "low": interval.low, "high": interval.high}


def _test(results: Results, protocol: str, reranked: bool) -> Test | None:
    """The test under a protocol, whichever split it is of."""
    for number, test in enumerate(results.retrieval):
        if (
            _kind(test["protocol"]) == _kind(protocol)
            and test["reranked"] == reranked
            and not test.get("action_weight")
        ):
            return Test(results, number)
    return None


def _kind(protocol: str) -> str:
    """Its last word, without the number of a split."""
    last = protocol.rpartition(" ")[2]
    return "split" if last.startswith("split-") else last


def _plain(values: Sequence[Sequence[float]]) -> dict[str, float | None] | None:
    """Mean over all runs, and the mean over the test sets of the deviation over seeds."""
    if not values:
        return None
    deviations = [spread(seeds).deviation for seeds in values if len(seeds) > 1]
    return {
        "mean": spread([each for seeds in values for each in seeds]).mean,
        "deviation": sum(deviations) / len(deviations) if deviations else None,
    }


def _text(row: Mapping[str, Any], side: str, figure: str) -> str:
    if row[side]:
        return _number(row[side]["figures"].get(figure))
    return "not run yet" if row[f"{side} planned"] else "-"


def _number(figure: Mapping[str, float | None] | None) -> str:
    if figure is None or figure["mean"] is None:
        return ""
    text = f"{100 * figure['mean']:.2f}"
    low, high, deviation = (figure.get(key) for key in ("low", "high", "deviation"))
    if low is not None and high is not None:
        text += f" [{100 * low:.1f}, {100 * high:.1f}]"
    return text + (f" ± {100 * deviation:.1f}" if deviation is not None else "")
