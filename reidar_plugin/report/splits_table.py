"""PRID2011 and iLIDS-VID have ten splits: each is a test of its own, and the figure to report is their mean."""

from collections.abc import Sequence
from typing import NamedTuple

from tabulate import tabulate

from reidar_plugin.errors import InputError
from reidar_plugin.report.records import Results

__all__ = ["SplitMean", "mean_over_splits", "splits_table"]


class SplitMean(NamedTuple):
    """One figure over splits, as fractions."""

    mean: float
    lowest: float
    highest: float


def mean_over_splits(results: Sequence[Results]) -> tuple[str, dict[str, SplitMean]]:
    """Mean, lowest and highest split of every figure.

    Args:
        results: one a split: different splits of one data set, under one distance.

    Returns:
        Title, e.g. ``PRID2011 mean of 10 splits``, and the means by name.
    """
    records = [record for result in results for record in result.retrieval]
    tests = [record["protocol"].rpartition(" ") for record in records]
    splits = {split for _, _, split in tests if split.startswith("split-")}
    kinds = {(tests[place][0], record["distance"]) for place, record in enumerate(records)}
    if len(splits) < 2 or len(splits) < len(records) or len(kinds) > 1:
        given = ", ".join(f"{record['protocol']} ({record['distance']})" for record in records) or "none"
        raise InputError(f"a mean needs different splits of one data set and one distance, got {given}")
    columns = {name: [record["metrics"][name] for record in records] for name in records[0]["metrics"]}
    means = {name: SplitMean(sum(one) / len(one), min(one), max(one)) for name, one in columns.items()}
    return f"{tests[0][0]} mean of {len(records)} splits", means


def splits_table(results: Sequence[Results]) -> str:
    """Every split's figures in percent, and their mean."""
    title, means = mean_over_splits(results)
    records = [record for result in results for record in result.retrieval]
    rows = [
        [record["protocol"], *(f"{100 * value:.2f}" for value in record["metrics"].values())]
        for record in records
    ]
    rows.append([title, *(f"{100 * figure.mean:.2f}" for figure in means.values())])
    rows.append(
        [
            "lowest .. highest",
            *(f"{100 * one.lowest:.1f} .. {100 * one.highest:.1f}" for one in means.values()),
        ]
    )
    headers = ["protocol", *means]
    return tabulate(rows, headers, colalign=["left"] + ["right"] * len(means), disable_numparse=True)
