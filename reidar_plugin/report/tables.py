"""Tables of what is in ``results.json``, and of nothing else."""

from collections.abc import Mapping
from typing import Any

from tabulate import tabulate

from reidar_plugin.errors import InputError
from reidar_plugin.metrics.actions import PAPER_MAP
from reidar_plugin.metrics.intervals import PairedTest
from reidar_plugin.report.records import Results

__all__ = ["action_table", "comparison_table", "paired_table", "retrieval_table"]


def retrieval_table(results: Results) -> str:
    """Every protocol's figures in percent with their intervals, and a line that says what each protocol is."""
    rows = [_retrieval_row(record) for record in results.retrieval]
    if not rows:
        return "No retrieval was tested."
    notes = [f"{_title(record)}: {record['summary']}; {record['distance']}." for record in results.retrieval]
    level = results.retrieval[0]["intervals"]["level"]
    notes.append(f"Percent; in brackets {level:.0%} bootstrap intervals over the valid queries.")
    return "\n".join([_table(rows), *dict.fromkeys(notes)])


def action_table(results: Results) -> str:
    """Each action's figures in percent, the means, and the figure that the papers call mAP under its real name."""
    actions = results.actions
    if actions is None:
        return "No action was judged."
    rows = [{"action": name, **_action_row(record)} for name, record in actions["per_action"].items()]
    rows += [{"action": f"{mean} mean", **_action_row(actions[mean])} for mean in ("macro", "micro")]
    counts = actions["counts"]
    notes = [
        f"mAP {_percent(actions['mAP'])}; {PAPER_MAP} {_percent(actions[PAPER_MAP])}. Percent.",
        f"{counts['known']:,} tracklets; {counts['unknown']:,} more of unknown actions are left out.",
    ]
    return "\n".join([_table(rows), *notes])


def comparison_table(named: Mapping[str, Results], protocol: str) -> str:
    """Several models under one protocol, a row each.

    Args:
        named: results by the name that the row gets.
        protocol: title as in the results, e.g. ``MARS usual``.
    """
    rows = []
    for name, results in named.items():
        records = [record for record in results.retrieval if record["protocol"] == protocol]
        if not records:
            tested = ", ".join(record["protocol"] for record in results.retrieval) or "none"
            raise InputError(f"{name} was not tested under {protocol!r}; its protocols are {tested}")
        for record in records:
            row = {"model": name, **_retrieval_row(record)}
            actions = results.actions or {"mAP": None, "macro": {"f1": None}}
            rows.append(
                {**row, "action mAP": _percent(actions["mAP"]), "action F1": _percent(actions["macro"]["f1"])}
            )
    return _table(rows)


def paired_table(tests: Mapping[str, PairedTest], first: str, second: str) -> str:
    """Paired tests, a row each: how much better the second model is.

    Args:
        tests: by what they compare, e.g. ``MARS usual mAP``.
        first, second: names of the models.
    """
    rows = [
        {
            "": name,
            f"{second} - {first}": f"{100 * test.difference.mean:+.2f}",
            "interval": f"{100 * test.difference.low:+.2f} .. {100 * test.difference.high:+.2f}",
            "p": f"{test.p_value:.4f}",
            "queries better": f"{test.better:,}",
            "worse": f"{test.worse:,}",
        }
        for name, test in tests.items()
    ]
    return _table(rows)


def _retrieval_row(record: dict[str, Any]) -> dict[str, str]:
    counts = record["counts"]
    figures = {
        name: _percent(value) + _ends(record["intervals"].get(name))
        for name, value in record["metrics"].items()
    }
    size = f"{counts['valid']:,} of {counts['queries']:,} x {counts['gallery']:,}"
    return {"protocol": _title(record), "valid queries x gallery": size, **figures}


def _title(record: dict[str, Any]) -> str:
    return record["protocol"] + (" (re-ranked)" if record["reranked"] else "")


def _ends(interval: list[float] | None) -> str:
    return "" if interval is None else f" [{100 * interval[0]:.1f}, {100 * interval[1]:.1f}]"


def _action_row(record: dict[str, Any]) -> dict[str, str]:
    row = {"precision": "precision", "recall": "recall", "F1": "f1", "AP": "average_precision"}
    figures = {title: _percent(record[key]) for title, key in row.items()}
    if "support" not in record:
        return {**figures, "tracklets": "", "threshold": ""}
    return {**figures, "tracklets": f"{record['support']:,}", "threshold": f"{record['threshold']:.3f}"}


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f}"


def _table(rows: list[dict[str, str]]) -> str:
    _, *others = rows[0]
    left = ["left" if name in ("protocol", "") else "right" for name in others]
    return tabulate(rows, headers="keys", colalign=["left", *left], disable_numparse=True)
