"""Data sets with several splits (PRID2011, iLIDS-VID: 10): a run for each, and the mean of their results."""

from collections.abc import Callable, Iterable
from pathlib import Path

from yacs.config import CfgNode

from reidar_plugin.io.console import say
from reidar_plugin.report.results import read_results
from reidar_plugin.report.tables import splits_table

__all__ = ["SPLIT_SETS", "run_splits", "split_configs", "split_folder"]

SPLIT_SETS = ("ilidsvid", "prid2011")  #: data sets that have ten splits


def split_folder(save_dir: str | Path, split: int) -> Path:
    """Where the run of a split goes."""
    return Path(save_dir) / f"split-{split}"


def split_configs(cfg: CfgNode, splits: Iterable[int] = range(10)) -> list[CfgNode]:
    """A config for each split, in a folder of its own: ``<save_dir>/split-<n>``."""
    configs = []
    for split in splits:
        own = cfg.clone()
        own.data.split_id, own.data.save_dir = split, str(split_folder(cfg.data.save_dir, split))
        configs.append(own)
    return configs


def run_splits(cfg: CfgNode, run: Callable[[CfgNode], object], splits: Iterable[int] = range(10)) -> str:
    """Run every split, and print the mean of their results with the lowest and the highest.

    Called again, it goes on where it was stopped: runs that are done are only tested again.

    Args:
        cfg: the whole config; ``data.split_id`` does not matter.
        run: trains and tests what a config asks for, and leaves its results.json in ``data.save_dir``.
        splits: numbers of the splits.

    Returns:
        The table.
    """
    configs = split_configs(cfg, splits)
    for own in configs:
        run(own)
    table = splits_table([read_results(own.data.save_dir) for own in configs])
    say(table)
    return table
