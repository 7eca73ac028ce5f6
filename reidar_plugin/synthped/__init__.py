"""SynthPed: a drawn street with people to tell apart and actions to tell, in the layouts of MARS and LPW."""

from .generate import make
from .presets import PRESETS

__all__ = ["PRESETS", "make"]
