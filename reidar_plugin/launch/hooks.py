"""The plugin's share in the toolbox's launch script: some of its functions are replaced by ones that do it first.

A launch script defines what it calls: its config, its data, its engine. :func:`hook` replaces these functions
by ones that run the plugin's checks, turn the plugin on for the config, and build data and engine by
:mod:`reidar_plugin.launch.runner` where ``loss.name`` is ``reidar``. For every other loss the script's own functions do it.
"""

from collections.abc import Callable
from typing import Any

from yacs.config import CfgNode

from reidar_plugin.config import JOINT, add_reidar_config
from reidar_plugin.config.files import CheckedConfig, checked
from reidar_plugin.io.console import say
from reidar_plugin.launch import runner
from reidar_plugin.launch.validation import check_config, check_datasets
from reidar_plugin.plugin import registration
from reidar_plugin.ranks.job import current

__all__ = ["HOOKS", "hook"]

#: Functions that a launch script must define; ``check_cfg`` is replaced as well where there is one.
HOOKS = ("main", "get_default_config", "build_datamanager", "build_engine")


def hook(functions: dict[str, Any]) -> None:
    """Replace the hooked functions in the namespace of a launch script.

    Args:
        functions: the script's globals, after its definitions have run.
    """
    own = dict(functions)
    own_losses = _losses_of(own["build_engine"])
    notes: list[str] | None = None  # of the checks, once they have run

    def get_default_config() -> CheckedConfig:
        return checked(add_reidar_config(own["get_default_config"]()))

    def check_cfg(cfg: CfgNode) -> Any:
        nonlocal notes
        # before the toolbox opens its log and describes the machine
        notes = check_config(cfg, own_losses)
        return own["check_cfg"](cfg)

    def build_datamanager(cfg: CfgNode) -> Any:
        lines = check_config(cfg, own_losses) if notes is None else notes
        registration.enable(cfg)
        check_datasets(cfg)
        for line in lines:
            say(line)
        return runner.build_datamanager(cfg) if cfg.loss.name == JOINT else own["build_datamanager"](cfg)

    def build_engine(cfg: CfgNode, *parts: Any, **named: Any) -> Any:
        build = runner.build_engine if cfg.loss.name == JOINT else own["build_engine"]
        return build(cfg, *parts, **named)

    def Logger(fpath: str | None = None) -> Any:
        return own["Logger"](fpath if current().first else None)  # one rank keeps the log

    for replacement in (get_default_config, check_cfg, build_datamanager, build_engine, Logger):
        if replacement.__name__ in functions:  # older scripts have no check_cfg
            functions[replacement.__name__] = replacement


def _losses_of(build_engine: Callable[..., Any]) -> tuple[str, ...]:
    """Words of a script's ``build_engine``: a loss of the user's own is compared with one of them there."""
    code = getattr(build_engine, "__code__", None)
    return tuple(word for word in (code.co_consts if code else ()) if isinstance(word, str))
