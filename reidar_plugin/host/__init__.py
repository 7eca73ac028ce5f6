"""torchreid as the plugin sees it: either of its two layouts, its private tables, its config.

``from reidar_plugin.host import reid`` is the toolbox itself, imported when it is first asked for.
"""

from typing import TYPE_CHECKING, Any

from reidar_plugin.host import torchreid
from reidar_plugin.host.torchreid import (
    HostInfo,
    alias_clone_layout,
    choices,
    dataset_table,
    describe,
    is_replaced,
    model_table,
    original_of,
    owner,
    replace,
    replace_all,
    restore,
    restore_all,
    unalias_clone_layout,
)

__all__ = [
    "HostInfo",
    "alias_clone_layout",
    "choices",
    "dataset_table",
    "describe",
    "is_replaced",
    "model_table",
    "original_of",
    "owner",
    "reid",
    "replace",
    "replace_all",
    "restore",
    "restore_all",
    "unalias_clone_layout",
]

if TYPE_CHECKING:
    reid: Any


def __getattr__(name: str) -> Any:
    if name == "reid":
        return torchreid.reid
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
