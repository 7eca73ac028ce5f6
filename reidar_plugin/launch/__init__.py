"""From a config or a command line to a run, here or in a process of its own.

The names below are imported when they are first asked for: a launch script must start before torchreid is imported.
"""

from typing import Any

__all__ = ["default_config", "hook", "main", "run"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from reidar_plugin.launch import hooks, runner

        return getattr(hooks if name == "hook" else runner, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
