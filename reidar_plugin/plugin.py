"""Turning the plugin on and off: what it puts into torchreid's tables, and how it takes it out again."""

import functools
import sys
from collections.abc import Callable
from typing import Any

from torch import nn
from yacs.config import CfgNode

import reidar_plugin
from reidar_plugin import host, mends

__all__ = ["Builder", "disable", "enable", "is_enabled", "is_own_model", "is_user_model", "register_model"]

#: What the host's ``build_model`` calls: ``builder(num_classes=, loss=, pretrained=, use_gpu=)``.
Builder = Callable[..., nn.Module]

_user_models: dict[str, Builder] = {}  # of register_model; they outlive disable()
_installed: dict[
    str, list[str]
] = {}  # table -> names that are ours to take back; empty while the plugin is off


def enable(cfg: CfgNode | None = None, quiet: bool = False) -> None:
    """Make the plugin's models and datasets known to torchreid, and mend the host's faults.

    Calling it again is harmless: the tables are brought up to date with ``cfg``, nothing is wrapped twice.

    Args:
        cfg: a host config with the ``reidar`` node, whose values the models and datasets are built with;
            None for the defaults.
        quiet: do not print the line that says which torchreid is in use.

    Raises:
        HostError: torchreid cannot be imported, or is not the one the plugin knows.
        ValueError: a name of ours is taken in the host by somebody else.
    """
    first = not is_enabled()
    try:
        _fill("models", host.model_table(), {**_own_models(cfg), **_user_models})
        _fill("video", host.dataset_table("video"), _own_datasets(cfg))
        mends.install()
    except BaseException:
        if first:  # on or off, never half
            disable()
        raise
    if first and not quiet:
        found = host.describe()
        line = (
            f"reidar_plugin {reidar_plugin.__version__} enabled on torchreid {found.version} at {found.path}"
        )
        sys.stdout.write(line + "\n")


def disable() -> None:
    """Leave torchreid as it was before :func:`enable`; without effect where the plugin is off."""
    if not is_enabled():
        return
    _clear("models", host.model_table())
    _clear("video", host.dataset_table("video"))
    _installed.clear()
    mends.uninstall()
    host.unalias_clone_layout()


def is_enabled() -> bool:
    """Whether :func:`enable` was called and :func:`disable` was not, since."""
    return bool(_installed)


def is_own_model(name: str) -> bool:
    """Whether the plugin itself put that model into the host's table."""
    return name in _installed.get("models", []) and not is_user_model(name)


def is_user_model(name: str) -> bool:
    """Whether that model came by :func:`register_model`."""
    return name in _user_models


def register_model(name: str, builder: Builder) -> None:
    """Add a model to torchreid's table: ``torchreid.models.build_model(name, ...)`` and ``model.name`` find it.

    It may be called before or after :func:`enable`, and is in the host's table while the plugin is on. Its input may
    be ``(B, T, 3, H, W)``: the host's complexity count then measures it on a clip of one frame.

    Args:
        name: what configs call it.
        builder: called as ``builder(num_classes=, loss=, pretrained=, use_gpu=)``, returns an ``nn.Module``.

    Raises:
        TypeError: ``builder`` cannot be called.
        ValueError: the name is taken; the message says by whom.
    """
    if not callable(builder):
        raise TypeError(
            f"register_model({name!r}): expected a callable that builds the model, got {builder!r}"
        )
    holder = _user_models.get(name) or _inner(host.model_table().get(name)) or _own_models(None).get(name)
    if holder is not None and host.owner(holder) != host.owner(builder):
        raise ValueError(
            f"model name {name!r} is already registered by {host.owner(holder)}; choose another name"
        )
    _user_models[name] = builder
    if is_enabled():
        _fill("models", host.model_table(), {name: builder})


class _NotedBuilder:
    """A builder of ours in the host's table: notes what it builds, since its input may be a clip."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        functools.update_wrapper(self, getattr(builder, "func", builder))

    def __call__(self, *args: Any, **kwargs: Any) -> nn.Module:
        model = self.builder(*args, **kwargs)
        mends.remember_clip_model(model)
        return model


def _inner(entry: Any) -> Any:
    return entry.builder if isinstance(entry, _NotedBuilder) else entry


def _fill(table_name: str, table: dict[str, Any], entries: dict[str, Any]) -> None:
    ours = _installed.setdefault(table_name, [])
    for name, entry in entries.items():
        holder = _inner(table.get(name))
        if holder is not None and name not in ours and host.owner(holder) != host.owner(entry):
            raise ValueError(
                f"{table_name} name {name!r} is already registered in torchreid by {host.owner(holder)}; "
                f"take that entry out before enabling the plugin"
            )
        table[name] = _NotedBuilder(entry) if table_name == "models" else entry
        if name not in ours:
            ours.append(name)


def _clear(table_name: str, table: dict[str, Any]) -> None:
    for name in _installed.get(table_name, []):
        table.pop(name, None)


def _own_models(cfg: CfgNode | None) -> dict[str, Builder]:
    from reidar_plugin.models.catalogue import builders

    return builders(cfg)


def _own_datasets(cfg: CfgNode | None) -> dict[str, Callable[..., Any]]:
    from reidar_plugin.data.catalogue import datasets

    return datasets(None if cfg is None else cfg.reidar)
