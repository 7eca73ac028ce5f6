"""The fingerprint of a run, by which a checkpoint of another run is told apart."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch

from reidar_plugin.config.files import full_config
from reidar_plugin.config.settings import leaves
from reidar_plugin.data.tracklet_table import TrackletTable
from reidar_plugin.errors import shown
from reidar_plugin.io.plain_text import parse_yaml
from reidar_plugin.models.joint import FEATURE

__all__ = ["RunFingerprint", "config_changes", "describe_training", "model_changes", "values_of"]

#: Config keys, or their groups, that may change while a run goes on.
FREE = (
    "data.root",
    "data.save_dir",
    "data.workers",
    "data.targets",
    "data.transforms",
    "model.load_weights",
    "model.resume",
    "reidar.model.fetch",
    "train.max_epoch",
    "train.start_epoch",
    "train.print_freq",
    "test",
    "use_gpu",
    "reidar.test",
    "reidar.data.start_method",
    "reidar.train.resume",
    "reidar.train.save_every",
    "reidar.train.keep",
    "reidar.train.best",
    "reidar.train.compile",
)


@dataclass(frozen=True)
class RunFingerprint:
    """What a checkpoint must agree with: the model, the label spaces and the training set of its run."""

    model: str
    identities: int  #: K, people in training
    actions: tuple[str, ...] = ()  #: of the label space; empty without an action network
    attributes: tuple[str, ...] = ()
    training: str = ""  #: :func:`describe_training`

    def as_plain(self) -> dict[str, Any]:
        """The fingerprint as a checkpoint keeps it."""
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()
        }

    def differences(self, saved: Mapping[str, Any], tested: bool = False) -> list[str]:
        """Where a checkpoint's fingerprint differs, each as ``what: theirs, here ours``.

        An entry that the checkpoint lacks is passed over: it came with a later version of the plugin.

        Args:
            saved: :meth:`as_plain` of the checkpoint.
            tested: compare only what matters at test, where nobody of training is met again.
        """
        ours = self.as_plain()
        keys = [key for key in ours if key in saved and not (tested and key in ("identities", "training"))]
        return [
            f"{key}: {_told(str(saved[key]))}, here {_told(str(ours[key]))}"
            for key in keys
            if type(saved[key]) is not type(ours[key]) or saved[key] != ours[key]
        ]


def describe_training(table: TrackletTable) -> str:
    """Number and digest of the training tracklets; another person, camera, label or number of frames changes it.

    Args:
        table: the training tracklets, in order.
    """
    digest = hashlib.sha256()
    frames = torch.tensor([len(paths) for paths in table.paths])
    for values in (table.pids, table.camids, frames, table.labels, table.attributes):
        digest.update(values.numpy().tobytes() + b"|")
    return f"{len(table):,} tracklets with people and labels {digest.hexdigest()[:12]}"


def config_changes(saved: str, ours: str) -> list[str]:
    """Keys whose values differ between two configs as yaml, and that a run cannot change while it goes on.

    A key that came with a later version of the plugin had its default before it; one that went is passed over.
    ``train.max_epoch`` is free unless the host's cosine schedule ends there.

    Args:
        saved: config of the checkpoint's run; empty where it had none, and nothing is compared.
        ours: config of the run that would go on.

    Returns:
        ``key: theirs, here ours`` of each.
    """
    if not saved:
        return []
    before, now = values_of(saved), values_of(ours)
    tied = ("train.max_epoch",) if _follows_cosine(now) else ()
    return _changed(before, now, [key for key in now if key in tied or not _is_free(key)])


def model_changes(saved: str, ours: str) -> list[str]:
    """Keys that change what a model says while its weights keep their names and shapes, where two configs differ.

    Args:
        saved: config that the model was trained with, as yaml; empty for none, and nothing is compared.
        ours: config that the model is built with, as yaml; empty likewise.

    Returns:
        ``key: theirs, here ours`` of each.
    """
    if not saved or not ours:
        return []
    before, now = values_of(saved), values_of(ours)
    return _changed(before, now, _without_weights(now))


def _without_weights(config: Mapping[str, Any]) -> list[str]:
    """Keys of the network that the config builds, those among them that it reads."""
    keys = ["reidar.model.last_stride"]
    if config["reidar.model.num_actions"] != 0:
        keys += ["reidar.model.action_activation", "reidar.model.action_source"]
        if config["reidar.model.action_source"] != FEATURE:
            keys.append("reidar.model.action_pooling")
    if config["model.name"] == "asanet":
        return keys + [key for key in config if key.startswith("reidar.model.asanet.")]
    keys.append("reidar.model.pooling")
    if config["reidar.model.pooling"] in ("attention", "light"):
        keys.append("reidar.model.attention_relu")
    return keys


def _changed(before: Mapping[str, Any], now: Mapping[str, Any], keys: Iterable[str]) -> list[str]:
    return [
        f"{key}: {_told(repr(before[key]))}, here {_told(repr(now[key]))}"
        for key in keys
        if key in before and before[key] != now[key]
    ]


def _told(text: str) -> str:
    """On one line, of a long one the beginning and the end."""
    return shown(text, 200)[1:-1]


def values_of(config: str) -> dict[str, Any]:
    """The value of every key of a config as yaml, by default where it lacks one."""
    defaults = full_config().dump()
    return {key: value for text in (defaults, config) for key, value in leaves(parse_yaml(text) or {})}


def _follows_cosine(config: Mapping[str, Any]) -> bool:
    return config.get("reidar.train.schedule") == "host" and config.get("train.lr_scheduler") == "cosine"


def _is_free(key: str) -> bool:
    return any(key == free or key.startswith(free + ".") for free in FREE)
