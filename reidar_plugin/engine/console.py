"""The one place from which the engine talks: to the log through stdout, which the host's ``Logger`` copies to a file."""

import sys

__all__ = ["say"]


def say(line: str) -> None:
    """Write a line to stdout, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
