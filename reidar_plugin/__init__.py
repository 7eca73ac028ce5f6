"""Joint person re-identification and action recognition in video, inside torchreid.

    >>> import reidar_plugin, torchreid
    >>> reidar_plugin.enable()          # torchreid now knows our models and datasets
    reidar_plugin ... enabled on torchreid ...
    >>> model = torchreid.models.build_model("reidar_osnet_x0_25", num_classes=625, loss="reidar", pretrained=False)

Importing this package imports nothing else and changes nothing: each public name is imported when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reidar_plugin.config import add_reidar_config
    from reidar_plugin.data.manager import ClipDataManager
    from reidar_plugin.engine.joint import JointEngine
    from reidar_plugin.inference.predictor import Predictor
    from reidar_plugin.launch.runner import default_config, run
    from reidar_plugin.losses.objective import Objective
    from reidar_plugin.models.joint import build_joint
    from reidar_plugin.plugin.registration import disable, enable, register_model
    from reidar_plugin.report.results import read_results

__version__ = "0.1.0"

__all__ = [
    "ClipDataManager",
    "JointEngine",
    "Objective",
    "Predictor",
    "add_reidar_config",
    "build_joint",
    "default_config",
    "disable",
    "enable",
    "read_results",
    "register_model",
    "run",
]

#: Public name -> the module that defines it.
_HOMES = {
    "ClipDataManager": "data.manager",
    "JointEngine": "engine.joint",
    "Objective": "losses.objective",
    "Predictor": "inference.predictor",
    "add_reidar_config": "config",
    "build_joint": "models.joint",
    "default_config": "launch.runner",
    "disable": "plugin.registration",
    "enable": "plugin.registration",
    "read_results": "report.results",
    "register_model": "plugin.registration",
    "run": "launch.runner",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
