"""Turning the plugin on: what it registers in torchreid, and which of torchreid's faults it patches meanwhile."""

from typing import Any

__all__ = ["disable", "enable", "is_enabled", "is_own_model", "is_user_model", "register_model"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from reidar_plugin.plugin import registration

        return getattr(registration, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
