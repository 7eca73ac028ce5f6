"""The one place from which the engine talks: to the log through stdout, which the host's ``Logger`` copies to a file."""

import sys

from reidar_plugin.errors import ReidarError
from reidar_plugin.io.progress import wipe

__all__ = ["say"]


def say(line: str) -> None:
    """Write a line to stdout, at once.

    Raises:
        ReidarError: the log cannot take it (a full disk).
    """
    wipe()
    try:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except OSError as error:
        raise ReidarError(
            f"the log cannot be written: {error.strerror or error}; checkpoints are intact"
        ) from error
