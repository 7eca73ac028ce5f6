"""Turning the plugin on and off: what it puts into torchreid's tables, and how it takes it out again."""

import functools
import sys
from collections.abc import Callable
from typing import Any

from torch import nn
from yacs.config import CfgNode

import reidar_plugin
from reidar_plugin import host
from reidar_plugin.config import reidar_node
from reidar_plugin.errors import ConfigError
from reidar_plugin.io import download
from reidar_plugin.io.console import say
from reidar_plugin.plugin import host_patches

__all__ = [
    "Builder",
    "disable",
    "enable",
    "is_enabled",
    "is_own_model",
    "is_user_model",
    "model_names",
    "register_model",
]

#: What the host's ``build_model`` calls: ``builder(num_classes=, loss=, pretrained=, use_gpu=)``.
Builder = Callable[..., nn.Module]

_user_models: dict[str, Builder] = {}  # of register_model; they outlive disable()
_STATE = "__reidar_plugin__"  # on the host's package: table -> name of ours -> what it displaced


def enable(cfg: CfgNode | None = None, quiet: bool = False) -> None:
    """Make the plugin's models and datasets known to torchreid, and patch the host's faults.

    Calling it again is harmless: the tables are brought up to date with ``cfg``, nothing is wrapped twice.

    Args:
        cfg: a host config with the ``reidar`` node, whose values the models and datasets are built with;
            None for the defaults.
        quiet: do not print the line that says which torchreid is in use.

    Raises:
        HostError: torchreid cannot be imported, or is not the one the plugin knows.
        ConfigError: the config lacks the ``reidar`` node, or a name of ours is taken in the host by somebody else.
    """
    if cfg is not None and "reidar" not in cfg:
        raise ConfigError(
            "the config has no 'reidar' node; call reidar_plugin.add_reidar_config(cfg) before enable(cfg)"
        )
    download.allow(cfg is None or cfg.reidar.model.fetch)
    first = not is_enabled()
    try:
        _fill("models", host.model_table(), {**_own_models(cfg), **_user_models})
        _fill("video", host.dataset_table("video"), _own_datasets(cfg))
        host_patches.install()
        host.replace(host.reid.models, "build_model", functools.partial(_with_unlisted_names, cfg=cfg))
    except BaseException:
        if first:  # on or off, never half
            disable()
        raise
    if first and not quiet:
        found = host.describe()
        say(f"reidar_plugin {reidar_plugin.__version__} enabled on torchreid {found.version} at {found.path}")


def disable() -> None:
    """Leave torchreid as it was before :func:`enable`; without effect where the plugin is off."""
    if not is_enabled():
        return
    download.allow(True)
    _clear("models", host.model_table())
    _clear("video", host.dataset_table("video"))
    del vars(host.reid)[_STATE]
    host.restore(host.reid.models, "build_model")
    host_patches.uninstall()
    host.unalias_clone_layout()


def is_enabled() -> bool:
    """Whether :func:`enable` was called and :func:`disable` was not, since; also across a reload of this module."""
    return "torchreid" in sys.modules and _STATE in vars(host.reid)


def is_own_model(name: str) -> bool:
    """Whether that model is the plugin's own; the plugin need not be on."""
    from reidar_plugin.models.registry import is_ours

    return is_ours(name) and not is_user_model(name)


def is_user_model(name: str) -> bool:
    """Whether that model came by :func:`register_model`."""
    return name in _user_models


def model_names() -> list[str]:
    """Every model that can be built while the plugin is on: the host's, ours, and those of :func:`register_model`.

    Without those of timm and unusual video networks, which are known when they are asked for.
    """
    return list({**host.model_table(), **_own_models(None), **_user_models})


def register_model(name: str, builder: Builder) -> None:
    """Add a model to torchreid's table: ``torchreid.models.build_model(name, ...)`` and ``model.name`` find it.

    It may be called before or after :func:`enable`, and is in the host's table while the plugin is on. Its input may
    be ``(B, T, 3, H, W)``: the host's complexity count then measures it on a clip of one frame.

    Args:
        name: what configs call it.
        builder: called as ``builder(num_classes=, loss=, pretrained=, use_gpu=)``, returns an ``nn.Module``.

    Raises:
        TypeError: ``builder`` cannot be called.
        ConfigError: the name is taken; the message says by whom.
    """
    if not callable(builder):
        raise TypeError(
            f"register_model({name!r}): expected a callable that builds the model, got {builder!r}"
        )
    holder = _user_models.get(name) or host.model_table().get(name) or _own_model(name)
    if holder is not None and not _same(holder, builder):
        raise ConfigError(
            f"model name {name!r} is already registered by {host.owner(holder)}; choose another name"
        )
    _user_models[name] = builder
    if is_enabled():
        _fill("models", host.model_table(), {name: builder})


def _same(holder: object, entry: object) -> bool:
    """The same entry, or one of the same name and module: a notebook's cell may run twice, a reload makes all anew."""
    owner = host.owner(entry)
    return holder is entry or (host.owner(holder) == owner and "<" not in owner)


def _ours(table_name: str) -> dict[str, Any]:
    """Names of ours in a table of the host -> what they displaced there, None for nothing."""
    return vars(host.reid).setdefault(_STATE, {}).setdefault(table_name, {})


def _fill(table_name: str, table: dict[str, Any], entries: dict[str, Any]) -> None:
    ours = _ours(table_name)
    for name, entry in entries.items():
        if name not in ours:
            holder = table.get(name)
            if holder is not None and not _same(holder, entry):
                raise ConfigError(
                    f"{table_name} name {name!r} is already registered in torchreid by {host.owner(holder)}; "
                    f"take that entry out before enabling the plugin"
                )
            ours[name] = holder
        table[name] = entry


def _clear(table_name: str, table: dict[str, Any]) -> None:
    for name, displaced in _ours(table_name).items():
        if displaced is None:
            table.pop(name, None)
        else:
            table[name] = displaced


def _own_models(cfg: CfgNode | None) -> dict[str, Builder]:
    from reidar_plugin.models.registry import builders

    return builders(cfg)


def _own_model(name: str, cfg: CfgNode | None = None) -> Builder | None:
    from reidar_plugin.models.registry import builder

    return builder(name, cfg)


def _with_unlisted_names(original: Builder, cfg: CfgNode | None) -> Builder:
    """The host's ``build_model``, for which a name of ours that is in no list is in the table once it is asked for.

    The host's table is a plain dict that it lists before it looks up, so that a name cannot come by being looked up.
    """

    from reidar_plugin.models.registry import is_unlisted

    @functools.wraps(original)
    def build_model(name: str, *args: Any, **kwargs: Any) -> nn.Module:
        if is_unlisted(name) and (found := _own_model(name, cfg)):
            _fill("models", host.model_table(), {name: found})
        return original(name, *args, **kwargs)

    return build_model


def _own_datasets(cfg: CfgNode | None) -> dict[str, Callable[..., Any]]:
    from reidar_plugin.data.registry import datasets

    return datasets(reidar_node() if cfg is None else cfg.reidar)
