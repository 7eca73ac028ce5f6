"""Errors that are the user's to mend: one line each, shown without a traceback by the launchers."""

import difflib
import textwrap
from collections.abc import Iterable

__all__ = ["ConfigError", "HostError", "PictureError", "ReidarError", "nearest", "summary"]


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


def summary(error: BaseException) -> str:
    """An error of somebody else in a few words: its type, and the first sentence of its first line if it has any."""
    lines = str(error).strip().splitlines()
    if not lines:
        return type(error).__name__
    sentence = lines[0].partition(". ")[0]
    return f"{type(error).__name__}: {textwrap.shorten(sentence, 160, placeholder=' ...')}"
