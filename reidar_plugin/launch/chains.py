"""Runs that start from, or test, what another run has trained: the steps of transfers, cross-dataset tests and tables."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reidar_plugin import host
from reidar_plugin.launch import subprocesses

__all__ = ["carry_over", "plain_targets", "start_keys", "test_keys"]


def carry_over(before: str | Path, folder: str | Path) -> dict[str, int]:
    """Write what a run starts from that follows another: weights of its best checkpoint, but no classifier.

    Args:
        before: folder of the run that has ended.
        folder: of the one that starts; see :func:`start_keys`.

    Returns:
        Number of tensors that go over, by part of the model.
    """
    return subprocesses.write_start(subprocesses.best_checkpoint(before), _start(folder))


def start_keys(folder: str | Path) -> dict[str, Any]:
    """Keys of a run that starts from what :func:`carry_over` wrote into its folder."""
    return {"model__load_weights": _start(folder), "model__pretrained": "False"}


def test_keys(weights: str | Path) -> dict[str, Any]:
    """Keys of a run that only tests a checkpoint."""
    return {"model__load_weights": weights, "model__pretrained": "False", "test__evaluate": "True"}


def plain_targets(names: Sequence[str]) -> list[str]:
    """The host's own data sets where there are such: they need neither labels nor attributes."""
    known = host.dataset_table("video")
    return [short if (short := name.removesuffix("_actions")) in known else name for name in names]


def _start(folder: str | Path) -> Path:
    return Path(folder, "start.pth.tar")
