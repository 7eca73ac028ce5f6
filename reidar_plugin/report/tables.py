"""Tables of what is in ``results.json``, and of nothing else."""

from collections.abc import Mapping, Sequence
from typing import Any

from tabulate import tabulate

from reidar_plugin.errors import InputError
from reidar_plugin.metrics.actions import PAPER_MAP
from reidar_plugin.metrics.intervals import PairedTest
from reidar_plugin.report.results import Results

__all__ = [
    "action_notes",
    "action_rows",
    "action_table",
    "comparison_table",
    "paired_table",
    "protocol_title",
    "retrieval_notes",
    "retrieval_rows",
    "retrieval_table",
    "splits_table",
]


def retrieval_table(results: Results) -> str:
    """Every protocol's figures in percent with their intervals, and a line that says what each protocol is."""
    if not results.retrieval:
        return "No retrieval was tested."
    return "\n".join([_table(retrieval_rows(results)), *retrieval_notes(results)])


def retrieval_rows(results: Results) -> list[dict[str, str]]:
    """Every protocol's figures, a row each, column -> text."""
    return [_retrieval_row(test) for test in results.retrieval]


def retrieval_notes(results: Results) -> list[str]:
    """What each protocol is, and what the brackets mean; some retrieval was tested."""
    tests = results.retrieval
    notes = [_note(test) for test in tests]
    level = tests[0]["intervals"]["level"]
    notes.append(f"Percent; in brackets {level:.0%} bootstrap intervals over the valid queries.")
    return list(dict.fromkeys(notes))


def _note(test: Mapping[str, Any]) -> str:
    if test.get("action_weight") and not test["reranked"]:
        return f"with actions: the same; {test['distance']}."
    return f"{protocol_title(test)}: {test['summary']}; {test['distance']}."


def action_table(results: Results) -> str:
    """Each action's figures in percent, the means, and the figure that the papers call mAP under its real name."""
    if results.actions is None:
        return "No action was judged."
    return "\n".join([_table(action_rows(results.actions)), *action_notes(results.actions)])


def action_rows(actions: Mapping[str, Any]) -> list[dict[str, str]]:
    """Each action's figures and the means, a row each, column -> text."""
    rows = [{"action": name, **_action_row(figures)} for name, figures in actions["per_action"].items()]
    return rows + [{"action": f"{mean} mean", **_action_row(actions[mean])} for mean in ("macro", "micro")]


def action_notes(actions: Mapping[str, Any]) -> list[str]:
    """The figure that the papers call mAP under its real name, and who was judged."""
    counts = actions["counts"]
    return [
        f"mAP {_percent(actions['mAP'])}; {PAPER_MAP} {_percent(actions[PAPER_MAP])}. Percent.",
        f"{counts['known']:,} tracklets; {counts['unknown']:,} more of unknown actions are left out.",
    ]


def comparison_table(named: Mapping[str, Results], protocol: str) -> str:
    """Several models under one protocol, a row each.

    Args:
        named: results of each model, by the name that its row gets.
        protocol: title of the protocol as in the results, e.g. ``MARS usual``.
    """
    rows = []
    for name, results in named.items():
        tests = [test for test in results.retrieval if test["protocol"] == protocol]
        if not tests:
            tested = ", ".join(test["protocol"] for test in results.retrieval) or "none"
            raise InputError(f"{name} was not tested under {protocol!r}; its protocols are {tested}")
        actions = results.actions or {"mAP": None, "macro": {"f1": None}}
        judged = {"action mAP": _percent(actions["mAP"]), "action F1": _percent(actions["macro"]["f1"])}
        rows += [{"model": name, **_retrieval_row(test), **judged} for test in tests]
    return _table(rows)


def splits_table(results: Sequence[Results]) -> str:
    """Figures of every split in percent, then their mean, their lowest and their highest value.

    PRID2011 and iLIDS-VID have ten splits: each is a test of its own, and the figure to report is the mean.

    Args:
        results: results of different splits of one data set, tested under one distance.
    """
    tests = [test for one in results for test in one.retrieval]
    names = [test["protocol"].rpartition(" ") for test in tests]
    splits = {split for _, _, split in names if split.startswith("split-")}
    kinds = {(data, test["distance"]) for (data, _, _), test in zip(names, tests, strict=True)}
    if len(splits) < 2 or len(splits) < len(tests) or len(kinds) > 1:
        given = ", ".join(f"{test['protocol']} ({test['distance']})" for test in tests) or "none"
        raise InputError(f"a mean needs different splits of one data set and one distance, got {given}")
    if any(test["metrics"].keys() != tests[0]["metrics"].keys() for test in tests):
        raise InputError("a mean needs the same metrics of all splits; test them with one test.ranks")
    columns = {name: [test["metrics"][name] for test in tests] for name in tests[0]["metrics"]}
    rows = [
        {"protocol": test["protocol"], **{name: _percent(test["metrics"][name]) for name in columns}}
        for test in tests
    ]
    title = f"{names[0][0]} mean of {len(tests)} splits"
    means = {name: _percent(sum(values) / len(values)) for name, values in columns.items()}
    ends = {name: f"{100 * min(values):.1f} .. {100 * max(values):.1f}" for name, values in columns.items()}
    return _table([*rows, {"protocol": title, **means}, {"protocol": "lowest .. highest", **ends}])


def paired_table(tests: Mapping[str, PairedTest], first: str, second: str) -> str:
    """Paired tests, a row each: how much better the second model is.

    Args:
        tests: paired tests, by what they compare, e.g. ``MARS usual mAP``.
        first: name of the model that is subtracted.
        second: name of the model that is judged.
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


def _retrieval_row(test: dict[str, Any]) -> dict[str, str]:
    counts = test["counts"]
    figures = {
        name: _percent(value) + _ends(test["intervals"].get(name)) for name, value in test["metrics"].items()
    }
    size = f"{counts['valid']:,} of {counts['queries']:,} x {counts['gallery']:,}"
    return {"protocol": protocol_title(test), "valid queries x gallery": size, **figures}


def protocol_title(test: Mapping[str, Any]) -> str:
    """A protocol, whether its distances count actions, and whether they were re-ranked."""
    acting = " with actions" if test.get("action_weight") else ""  # older results have no such key
    return test["protocol"] + acting + (" (re-ranked)" if test["reranked"] else "")


def _ends(interval: list[float] | None) -> str:
    return "" if interval is None else f" [{100 * interval[0]:.1f}, {100 * interval[1]:.1f}]"


def _action_row(figures: dict[str, Any]) -> dict[str, str]:
    keys = {"precision": "precision", "recall": "recall", "F1": "f1", "AP": "average_precision"}
    row = {title: _percent(figures[key]) for title, key in keys.items()}
    if "support" not in figures:
        return {**row, "tracklets": "", "threshold": ""}
    return {**row, "tracklets": f"{figures['support']:,}", "threshold": f"{figures['threshold']:.3f}"}


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f}"


def _table(rows: list[dict[str, str]]) -> str:
    _, *others = rows[0]
    left = ["left" if name in ("protocol", "") else "right" for name in others]
    return tabulate(rows, headers="keys", colalign=["left", *left], disable_numparse=True)
