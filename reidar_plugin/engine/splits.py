"""Former import path of :func:`reidar_plugin.launch.splits.run_splits`."""

from reidar_plugin.launch.splits import run_splits

__all__ = ["run_splits"]
