"""Former import path of :mod:`reidar_plugin.synthped`."""

from reidar_plugin.synthped import PRESETS, make

__all__ = ["PRESETS", "make"]
