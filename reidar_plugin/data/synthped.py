"""Where SynthPed was before 0.2; it is in :mod:`reidar_plugin.synthped` now."""

from reidar_plugin.synthped import PRESETS, make

__all__ = ["PRESETS", "make"]
