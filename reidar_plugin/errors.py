"""Errors that the user can repair: one line each, shown without a traceback by the launchers.

An error of ours that a config, a file or a data set can cause is a :class:`ReidarError`: one of those below, or a class
of the package that raises it. Each is also the built-in error that says the same, so that callers may catch either. What
only a mistake in code can cause is a plain ``ValueError`` or ``TypeError``, and keeps its traceback.
"""

import difflib
import reprlib
import textwrap
from collections.abc import Iterable, Sequence

__all__ = [
    "ConfigError",
    "ExistingFileError",
    "HostError",
    "InputError",
    "MissingFileError",
    "PictureError",
    "ReidarError",
    "UnwritableFileError",
    "cut",
    "nearest",
    "shown",
    "some",
    "summary",
]


class ReidarError(Exception):
    """What was expected, what came, what to do: in one line."""


class ConfigError(ReidarError, ValueError):
    """A config, a flag or a name in it that cannot be used."""


class InputError(ReidarError, ValueError):
    """Data, a file's content or an option that cannot be used."""


class MissingFileError(ReidarError, FileNotFoundError):
    """A file or a folder that is not there."""


class ExistingFileError(ReidarError, FileExistsError):
    """A file or a folder that stands where another is to be written."""


class UnwritableFileError(ReidarError, OSError):
    """A file that cannot be written."""

    def __str__(self) -> str:
        return f"{self.filename}: {self.strerror}" if self.filename else super().__str__()


class HostError(ReidarError, ImportError):
    """torchreid is missing, cannot be imported, or is not the torchreid that the plugin knows."""


class PictureError(ReidarError, OSError):
    """A frame that cannot be read; the message starts with its path."""


def nearest(name: str, names: Iterable[str]) -> str:
    """`` did you mean 'x'?`` for the closest of ``names``, an empty string where none is close."""
    close = difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)
    return f" did you mean {shown(close[0])}?" if close else ""


_SHORT = reprlib.Repr()  # a few lines of YAML can stand for more than any memory holds
_SHORT.maxstring = _SHORT.maxother = 100


def cut(text: str, most: int = 100) -> str:
    """A text as a message holds it: of a long one the beginning and the end."""
    return text if len(text) <= most else f"{text[: most - 25]} ... {text[-20:]}"


def shown(value: object, most: int = 100) -> str:
    """What came, as a message quotes it: its ``repr``, of a long one the beginning and the end."""
    try:
        text = repr(value) if isinstance(value, str | bytes | int | float) else _SHORT.repr(value)
    except ValueError:  # Python spells no number of thousands of digits
        text = f"a value of type {type(value).__name__} with thousands of digits"
    return cut(text, most)


def some(names: Sequence[str], most: int = 20) -> str:
    """The first of these names, of each the beginning and the end; ``none`` where there are none."""
    return ", ".join(cut(name, 60) for name in names[:most]) + ", ..." * (len(names) > most) or "none"


def summary(error: BaseException) -> str:
    """An error of somebody else in a few words: its type, and the first sentence of its first line if it has any."""
    lines = str(error).strip().splitlines()
    if not lines:
        return type(error).__name__
    sentence = lines[0].partition(". ")[0]
    return f"{type(error).__name__}: {textwrap.shorten(sentence, 160, placeholder=' ...')}"
