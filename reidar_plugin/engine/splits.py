"""Where :func:`run_splits` was before 0.2; it is in :mod:`reidar_plugin.launch.splits` now."""

from reidar_plugin.launch.splits import run_splits

__all__ = ["run_splits"]
