"""Where :class:`JointEngine` was before 0.2; new code imports it from :mod:`reidar_plugin.engine`."""

from reidar_plugin.engine.engine import JointEngine

__all__ = ["JointEngine"]
