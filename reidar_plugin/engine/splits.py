"""Data sets with several splits (PRID2011, iLIDS-VID: 10): a run for each, and the mean of their results."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from yacs.config import CfgNode

from reidar_plugin.metrics.intervals import Interval
from reidar_plugin.report.results import read_results

__all__ = ["mean_of_splits", "split_configs"]


def split_configs(cfg: CfgNode, splits: Iterable[int] = range(10)) -> list[CfgNode]:
    """A config for each split, in a folder of its own: ``<save_dir>/split-<n>``.

    Run each (launch.run, or a launch script with ``data.split_id`` and ``data.save_dir``), then
    :func:`mean_of_splits` the folders. A run that was interrupted goes on, one that is done costs nothing.
    """
    configs = []
    for split in splits:
        own = cfg.clone()
        own.data.split_id, own.data.save_dir = split, str(Path(cfg.data.save_dir) / f"split-{split}")
        configs.append(own)
    return configs


def mean_of_splits(folders: Sequence[str | Path]) -> dict[str, Interval]:
    """Means of a data set's splits, each with its lowest and highest split, from their results.json.

    Args:
        folders: one a split.

    Returns:
        By figure: rank-1, ..., mAP, mINP; of the first protocol of each, not re-ranked.

    Raises:
        ValueError: fewer than two splits, the same one twice, or splits that were not tested alike.
    """
    records = [read_results(folder).retrieval[0] for folder in folders]
    splits = [record["protocol"] for record in records]
    kinds = {(record["protocol"].rpartition("split-")[0], record["distance"]) for record in records}
    if len(records) < 2 or len(set(splits)) < len(splits) or len(kinds) > 1 or not next(iter(kinds))[0]:
        given = ", ".join(f"{record['protocol']} ({record['distance']})" for record in records) or "none"
        raise ValueError(
            f"a mean over splits needs different splits of one data set and one distance, got {given}"
        )
    figures = {name: [record["metrics"][name] for record in records] for name in records[0]["metrics"]}
    return {name: Interval(sum(each) / len(each), min(each), max(each)) for name, each in figures.items()}
