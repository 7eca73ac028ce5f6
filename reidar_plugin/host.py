"""The one file that knows torchreid: its two layouts and what it keeps private."""

import importlib
from types import ModuleType
from typing import Any

__all__ = ["reid"]


def _find() -> ModuleType:
    importlib.import_module("torchreid")
    try:
        return importlib.import_module("torchreid.reid")
    except ModuleNotFoundError:
        return importlib.import_module("torchreid")


def __getattr__(name: str) -> Any:
    """``from reidar_plugin.host import reid`` gives the package that holds ``data``, ``models``, ``engine``, ..."""
    if name == "reid":
        return _find()
    raise AttributeError(name)
