"""A tool as the shell sees it: how it ends is its status."""

from collections.abc import Callable, Sequence

from reidar_plugin.launch.guard import guard

__all__ = ["guarded"]


def guarded(main: Callable[[Sequence[str]], int | None]) -> Callable[[Sequence[str]], int]:
    """The tool under the guard that it runs under as a command."""
    return lambda words: guard(lambda: main(words), last=False)
