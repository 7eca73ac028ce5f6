"""Errors that are the user's to mend: one line each, shown without a traceback by the launchers."""

import difflib
from collections.abc import Iterable

__all__ = ["ConfigError", "HostError", "PictureError", "ReidarError", "nearest"]


class ReidarError(Exception):
    """What was expected, what came, what to do: in one line."""


class ConfigError(ReidarError, ValueError):
    """A config, a flag or a name in it that cannot be used."""


class HostError(ReidarError, ImportError):
    """torchreid is missing, cannot be imported, or is not the torchreid that the plugin knows."""


class PictureError(ReidarError, OSError):
    """A frame that cannot be read; the message starts with its path."""


def nearest(name: str, names: Iterable[str]) -> str:
    """`` did you mean 'x'?`` for the closest of ``names``, an empty string where none is close."""
    close = difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)
    return f" did you mean {close[0]!r}?" if close else ""
