"""SynthPed: a drawn street with people to tell apart and actions to tell, in the layouts of MARS and LPW."""

from reidar_plugin.synthped.generate import make
from reidar_plugin.synthped.presets import PRESETS

__all__ = ["PRESETS", "make"]
