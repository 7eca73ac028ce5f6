"""What a config must satisfy before anything is built: names that exist, keys that go together, keys that are read."""

import os
from collections.abc import Iterable
from typing import Any

import torch
from yacs.config import CfgNode

from reidar_plugin import host
from reidar_plugin.config import JOINT
from reidar_plugin.data.samplers import OWN_ORDERS
from reidar_plugin.errors import ConfigError, nearest, shown
from reidar_plugin.launch.idle_keys import check_idle_keys
from reidar_plugin.models.registry import frames_of_training, timm_name, why_not
from reidar_plugin.models.timm_networks.package import check_name
from reidar_plugin.plugin import registration
from reidar_plugin.ranks.job import current

__all__ = ["LOSSES", "TRANSFORMS", "check_config", "check_datasets", "check_run"]

#: Values of ``loss.name``: the host's two, and the joint objective.
LOSSES = ("softmax", "triplet", JOINT)

#: Values of ``data.transforms``; the host ignores every other word.
TRANSFORMS = ("random_flip", "random_crop", "random_patch", "color_jitter", "random_erase")

#: The launch script's flags that take several words, by the key that they set.
_LIST_FLAGS = {"sources": "-s", "targets": "-t", "transforms": "--transforms"}
_SHOWN = 10  # names in a message


def check_config(cfg: CfgNode, own_losses: Iterable[str] = ()) -> list[str]:
    """Refuse what the host would take for something else, die of later, or not read at all.

    Args:
        cfg: the whole config, merged.
        own_losses: values of ``loss.name`` that the launch script itself knows.

    Returns:
        A line for each harmless key without effect; see :mod:`~reidar_plugin.launch.idle_keys`.

    Raises:
        ConfigError: a name that nobody knows (the nearest is named), two keys that do not go together, or a key
            that was set and has no effect.
    """
    _check_flags(cfg)
    if cfg.loss.name not in own_losses:
        _check_name("loss.name", cfg.loss.name, LOSSES)
    _check_name("data.type", cfg.data.type, ("image", "video"))
    _check_device(cfg)
    _check_ranks(cfg)
    _check_model(cfg)
    for key, names in host.choices().items():
        group, name = key.split(".")
        ours = OWN_ORDERS if key == "sampler.train_sampler" and cfg.loss.name == JOINT else ()
        _check_name(key, cfg[group][name], (*names, *ours))
    for name in _words(cfg.data.transforms):
        _check_name("data.transforms", name.lower(), TRANSFORMS)
    _check_video(cfg)
    _check_losses(cfg)
    if not 0 <= cfg.train.seed < 2**32:
        raise ConfigError(f"train.seed: expected a number from 0 to 2^32 - 1, got {cfg.train.seed}")
    if max(cfg.test.ranks, default=1) > 50 or min(cfg.test.ranks, default=1) < 1:
        raise ConfigError(f"test.ranks: the host computes ranks 1 to 50, got {list(cfg.test.ranks)}")
    return check_idle_keys(cfg)


def check_run(cfg: CfgNode, quiet: bool = False) -> list[str]:
    """All that a run checks before it builds anything; the plugin is on for its config afterwards.

    Args:
        cfg: the whole config, merged.
        quiet: do not print which torchreid is in use.

    Returns:
        As :func:`check_config`.
    """
    notes = check_config(cfg)
    registration.enable(cfg, quiet)
    check_datasets(cfg)
    return notes


def _check_ranks(cfg: CfgNode) -> None:
    if current().size > 1 and cfg.loss.name != JOINT:
        raise ConfigError(
            f"loss.name {cfg.loss.name!r} is trained by the host's engine, which knows of no ranks: start it without "
            f"torchrun, or set loss.name {JOINT}"
        )


def check_datasets(cfg: CfgNode) -> None:
    """Refuse a dataset that nobody knows; last of all, since a script may register its own.

    Raises:
        ConfigError: no dataset, an unknown one (the nearest is named), or one of the other type.
    """
    for key in ("sources", "targets"):
        names = _words(cfg.data[key])
        if not names:
            raise ConfigError(
                f"data.{key} names no dataset; choose from {', '.join(host.dataset_table(cfg.data.type))}"
            )
        for name in names:
            _check_dataset(f"data.{key}", name, cfg.data.type)


def _check_flags(cfg: CfgNode) -> None:
    """A flag of several words takes all up to the next flag, and with them the pairs that were meant as options."""
    for key, flag in _LIST_FLAGS.items():
        words = _words(cfg.data[key])
        dotted = next((index for index, word in enumerate(words) if "." in word), None)
        if dotted is not None:
            taken, meant = " ".join(words[dotted:]), " ".join(words[:dotted]) or "NAME"
            raise ConfigError(
                f"data.{key}: {words[dotted]!r} is a config key, not a name; the flag {flag} takes all words up to the "
                f"next flag, so put another flag before the pairs: {flag} {meant} --root DIR {taken}"
            )


def _check_device(cfg: CfgNode) -> None:
    if cfg.get("use_gpu", False) and not torch.cuda.is_available():
        raise ConfigError(
            "use_gpu True needs a GPU, and torch finds none here; leave use_gpu out, or set it False"
        )


def _check_model(cfg: CfgNode) -> None:
    reason = why_not().get(cfg.model.name)
    if reason is not None:
        raise ConfigError(f"model.name {shown(cfg.model.name)} cannot be built: {reason}")
    if network := timm_name(cfg.model.name):
        check_name(network)
    elif not registration.is_own_model(cfg.model.name):
        _check_name("model.name", cfg.model.name, registration.model_names())
    for key in ("load_weights", "resume"):
        if cfg.model[key] and not os.path.isfile(cfg.model[key]):
            raise ConfigError(f"model.{key}: there is no file {shown(cfg.model[key])}")


def _check_video(cfg: CfgNode) -> None:
    ours = registration.is_own_model(cfg.model.name)
    if cfg.data.type == "image" and (ours or cfg.loss.name == JOINT):
        what = f"model {cfg.model.name!r}" if ours else f"loss.name {JOINT!r}"
        raise ConfigError(f"{what} is for video and data.type is 'image'; set data.type video")
    if cfg.loss.name == JOINT and not (ours or registration.is_user_model(cfg.model.name)):
        twin = f"{JOINT}_{cfg.model.name}"
        cure = (
            f"set model.name {twin}"
            if registration.is_own_model(twin)
            else "choose asanet, or a model whose name starts with 'reidar_'"
        )
        raise ConfigError(
            f"loss.name {JOINT!r} trains the plugin's models, and model.name is {cfg.model.name!r}; {cure}"
        )
    if cfg.loss.name == JOINT and cfg.video.seq_len % (frames := frames_of_training(cfg.model.name)):
        raise ConfigError(
            f"video.seq_len {cfg.video.seq_len}: {cfg.model.name} trains on clips of {frames}, {2 * frames}, ... frames"
        )
    if cfg.data.type == "video" and cfg.loss.name != JOINT and cfg.video.sample_method == "all":
        sizes = (1 if cfg.test.evaluate else cfg.train.batch_size, cfg.test.batch_size)
        if sizes != (1, 1):  # the host dies while it stacks tracklets of different lengths
            raise ConfigError(
                "video.sample_method 'all' gives clips of different lengths, so that the host's engines need "
                f"train.batch_size and test.batch_size 1, got {sizes[0]} and {sizes[1]}; "
                f"loss.name {JOINT!r} tests on all frames in any batch"
            )


def _check_losses(cfg: CfgNode) -> None:
    if cfg.loss.name == "triplet" and cfg.loss.triplet.weight_x == 0 and cfg.train.fixbase_epoch:
        raise ConfigError(
            f"train.fixbase_epoch {cfg.train.fixbase_epoch} trains the classifier alone, and "
            "loss.triplet.weight_x 0 leaves it out; set one of them"
        )
    if cfg.loss.name != JOINT:
        return
    node = cfg.reidar
    raw = "erasing" in node.loss.terms and node.loss.erasing.form == "scores"
    if raw and not node.model.attention_relu:
        raise ConfigError(
            "reidar.loss.erasing.form 'scores' minimises scores that have no lower end without their ReLU; "
            "set reidar.model.attention_relu True, or the form to 'attention'"
        )


def _words(value: Any) -> list[str]:
    """What a key of names holds; the host takes a single name for a list of one."""
    return [value] if isinstance(value, str) else list(value)


def _check_name(key: str, name: str, names: Any, also_near: Any = ()) -> None:
    if name in names:
        return
    hint = nearest(name, [*names, *also_near])
    more = f" or {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    choices = "" if more and hint else f" choose one of {', '.join(list(names)[:_SHOWN])}{more}"
    raise ConfigError(f"unknown {key} {shown(name)};{hint}{choices}")


def _check_dataset(key: str, name: str, data_type: str) -> None:
    other = "image" if data_type == "video" else "video"
    if name in host.dataset_table(other) and name not in host.dataset_table(data_type):
        raise ConfigError(
            f"{key}: {name!r} is {'an' if other == 'image' else 'a'} {other} dataset and data.type is {data_type!r}"
        )
    _check_name(key, name, host.dataset_table(data_type), also_near=host.dataset_table(other))
