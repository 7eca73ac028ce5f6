"""What a run is, so that a checkpoint of another one is told apart in one line."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
import yaml

from reidar_plugin.data.facts import Facts

__all__ = ["RunIdentity", "config_changes", "describe_training"]

#: Config keys, or their groups, that may change while a run goes on.
FREE = (
    "data.root",
    "data.save_dir",
    "data.workers",
    "data.targets",
    "model.load_weights",
    "model.resume",
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
class RunIdentity:
    """Everything without which the weights mean nothing."""

    model: str
    identities: int  #: K, people in training
    actions: tuple[str, ...] = ()  #: of the label space; empty without an action network
    attributes: tuple[str, ...] = ()
    training: str = ""  #: :func:`describe_training`

    def as_plain(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()
        }

    def differences(self, saved: Mapping[str, Any], tested: bool = False) -> list[str]:
        """Where a checkpoint's own identity differs, each as ``what: theirs, here ours``.

        A fact that the checkpoint lacks is passed over: it came with a version of the plugin.

        Args:
            saved: :meth:`as_plain` of the checkpoint.
            tested: only what matters at test, where nobody of training is met again.
        """
        ours = self.as_plain()
        keys = [key for key in ours if key in saved and not (tested and key in ("identities", "training"))]
        return [f"{key}: {saved[key]}, here {ours[key]}" for key in keys if saved[key] != ours[key]]


def describe_training(facts: Facts) -> str:
    """The training tracklets in words that differ where a person, a camera, a label or a number of frames does.

    Args:
        facts: of the tracklets, in order.
    """
    digest = hashlib.sha256()
    frames = torch.tensor([len(paths) for paths in facts.paths])
    for values in (facts.pids, facts.camids, frames, facts.labels, facts.attributes):
        digest.update(values.numpy().tobytes() + b"|")
    return f"{len(facts):,} tracklets with people and labels {digest.hexdigest()[:12]}"


def config_changes(saved: str, ours: str) -> list[str]:
    """Keys whose values differ between two configs as yaml, and that a run cannot change while it goes on.

    A key that only one of them has is passed over: it came or went with a version of the plugin. ``train.max_epoch``
    is free unless the host's cosine schedule ends there.

    Returns:
        ``key: theirs, here ours`` of each.
    """
    before, now = (dict(_leaves(yaml.safe_load(text) or {})) for text in (saved, ours))
    tied = ("train.max_epoch",) if _follows_cosine(now) else ()
    keys = [key for key in before if key in now and (key in tied or not _is_free(key))]
    return [f"{key}: {before[key]!r}, here {now[key]!r}" for key in keys if before[key] != now[key]]


def _follows_cosine(config: Mapping[str, Any]) -> bool:
    return config.get("reidar.train.schedule") == "host" and config.get("train.lr_scheduler") == "cosine"


def _is_free(key: str) -> bool:
    return any(key == free or key.startswith(free + ".") for free in FREE)


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in tree.items():
        found += (
            _leaves(value, f"{prefix}{name}.") if isinstance(value, dict) else [(f"{prefix}{name}", value)]
        )
    return found
