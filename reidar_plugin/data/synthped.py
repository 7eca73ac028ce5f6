"""Former import path of :mod:`reidar_plugin.synthped` (until 0.2)."""

from reidar_plugin.synthped import PRESETS, make

__all__ = ["PRESETS", "make"]
