"""Which checkpoint a run goes on from, and whether it may."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from reidar_plugin.checkpoint.fingerprint import RunFingerprint, config_changes, model_changes, values_of
from reidar_plugin.checkpoint.state import OURS, unwrapped
from reidar_plugin.checkpoint.store import (
    BrokenCheckpointError,
    CheckpointError,
    CheckpointStore,
    read_checkpoint,
)
from reidar_plugin.errors import ConfigError, summary
from reidar_plugin.io.console import say
from reidar_plugin.io.plain_text import PlainTextError
from reidar_plugin.io.safe_load import load_plain
from reidar_plugin.models.released import from_released, is_released
from reidar_plugin.models.weights import tensors_in
from reidar_plugin.ranks.collectives import texts_of_all

__all__ = ["check_ranks", "check_same_run", "check_weights", "find_continuation", "resuming", "unfilled"]

#: Keys that may differ from machine to machine: where things lie, and how they are read.
LOCAL = (
    "data.root",
    "data.save_dir",
    "data.workers",
    "model.load_weights",
    "model.resume",
    "reidar.data.start_method",
)

Found = tuple[Path, dict[str, Any]]


def find_continuation(
    store: CheckpointStore, fingerprint: RunFingerprint, config: str, mode: str = "auto", named: str = ""
) -> Found | None:
    """The checkpoint to go on from.

    The newest whole one of the run's own folder comes first, so that the same command goes on after a kill; then
    the one that ``model.resume`` names.

    Args:
        store: the checkpoints of the run.
        fingerprint: fingerprint of the run that would go on.
        config: the config of that run, as yaml.
        mode: ``auto``; ``off`` never looks into the folder, and stops where it holds checkpoints.
        named: ``model.resume``, or empty.

    Returns:
        Path and content; None to start afresh.

    Raises:
        CheckpointError: the checkpoint is of another run; the message says what differs.
    """
    own = store.positions()
    if mode == "off" and own:
        raise ConfigError(
            f"{store.folder} holds checkpoints of {own[0]} and reidar.train.resume is off: "
            "choose another data.save_dir, delete them, or set the key to auto"
        )
    inside = bool(named) and Path(named).resolve().parent == store.folder.resolve()
    if inside and own and Path(named).name != own[0].file_name:
        raise CheckpointError(
            f"model.resume names {Path(named).name}, and {store.folder} holds the newer {own[0].file_name}: "
            "delete what is newer, or choose another data.save_dir"
        )
    found = store.newest()
    if found is not None:
        check_same_run(*found, fingerprint, config)
        say(f"going on from {found[0]}")
        return found
    if own:
        raise CheckpointError(
            f"none of {len(own)} checkpoints in {store.folder} is whole; delete them to start afresh"
        )
    if not named:
        return None
    state = read_checkpoint(named)
    if OURS not in state:
        say(
            f"{named} is a checkpoint of the host: model and optimiser go on, centres and random numbers start anew"
        )
        return None
    check_same_run(
        Path(named), state, fingerprint, config, "start from its weights alone with model.load_weights"
    )
    return Path(named), state


def check_ranks(fingerprint: RunFingerprint, config: str) -> None:
    """Refuse to be one of several ranks that were started with another config, or that find other data.

    Args:
        fingerprint: fingerprint of this rank's run.
        config: its config, as yaml; empty for none.

    Raises:
        ConfigError: at every rank, where one differs from the first.
    """
    mine = fingerprint.as_plain() | {
        key: value for key, value in values_of(config).items() if key not in LOCAL
    }
    first, *others = (json.loads(text) for text in texts_of_all(json.dumps(mine)))
    for rank, other in enumerate(others, start=1):
        differing = [
            f"{key}: {first.get(key)!r} at rank 0, {other.get(key)!r} at rank {rank}"
            for key in first | other
            if first.get(key) != other.get(key)
        ]
        if differing:
            raise ConfigError(
                f"the ranks of this job are not of one run ({_first(differing, 5)}); start them with the same config and "
                "options, on the same data"
            )


def check_same_run(
    path: Path,
    state: dict[str, Any],
    fingerprint: RunFingerprint,
    config: str,
    way_out: str = "choose another data.save_dir",
) -> None:
    """Refuse a checkpoint of another model, label space, training set, or config.

    Args:
        path: path of the checkpoint.
        state: its content.
        fingerprint: fingerprint of the run that would go on from it.
        config: the config of that run, as yaml.
        way_out: what to do instead, in words.
    """
    if OURS not in state:
        raise CheckpointError(f"{path} is of another engine of torchreid; {way_out}")
    saved = state[OURS]
    if not isinstance(saved, dict) or not isinstance(saved.get("identity"), dict) or "config" not in saved:
        raise CheckpointError(f"{path} does not say of which run it is; {way_out}")
    differences = fingerprint.differences(saved["identity"])
    if differences:
        raise CheckpointError(
            f"{path} is of another run: {'; '.join(differences)}; take the same model and data, or {way_out}"
        )
    with _config_in(path):
        changed = config_changes(saved["config"], config)
    if changed:
        raise CheckpointError(
            f"{path} is of a run with another config ({_first(changed, 5)}): take that config, or {way_out}"
        )


@contextmanager
def _config_in(path: str | Path) -> Iterator[None]:
    try:
        yield
    except (PlainTextError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path} holds a config that is none ({summary(error)})") from error


@contextmanager
def resuming(path: str | Path) -> Iterator[None]:
    """Around the host's own resuming (``model.resume``): what it would die of becomes one line.

    Raises:
        CheckpointError: the file is no whole checkpoint, or does not fit what is resumed.
    """
    try:
        state = read_checkpoint(path)
    except BrokenCheckpointError as error:
        raise CheckpointError(f"{error}; copy it again, or name an earlier one in model.resume") from error
    if not isinstance(state.get("epoch"), int):
        raise CheckpointError(
            f"model.resume: {path} holds weights and no epoch, so that training cannot go on from it; "
            "name it in model.load_weights"
        )
    try:
        yield
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
    except (LookupError, ValueError, RuntimeError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{path} does not fit this run ({summary(error)}); "
            "take the config that it was trained with, or start from its weights alone with model.load_weights"
        ) from error


def check_weights(path: str | Path, model: nn.Module, fingerprint: RunFingerprint, config: str) -> None:
    """Refuse to test weights that do not fill the model, or those of another model or label space.

    The identity classifier takes no part in a test, and neither do the people of training.

    Args:
        path: path of a file, any that ``model.load_weights`` takes.
        model: the model to be tested.
        fingerprint: fingerprint of the run that tests.
        config: the config of that run, as yaml; empty for none.

    Raises:
        CheckpointError: the message says what is missing or differs.
    """
    content = load_plain(path)
    ours = content.get(OURS) if isinstance(content, dict) else None
    if isinstance(ours, dict) and "identity" in ours:
        if not isinstance(ours["identity"], dict):
            raise CheckpointError(
                f"{path} does not say of which run it is; load the weights of another checkpoint"
            )
        differences = fingerprint.differences(ours["identity"], tested=True)
        if differences:
            raise CheckpointError(f"{path} is of another run: {'; '.join(differences)}")
        with _config_in(path):
            changed = model_changes(ours.get("config", ""), config)
        if changed:
            raise CheckpointError(
                f"{path} was trained with {_first(changed, 5)}, which its weights do not show: take those values"
            )
    tensors = tensors_in(content, path)
    if is_released(tensors):
        tensors = from_released(tensors)
    wrong = unfilled(unwrapped(model), tensors)
    if wrong:
        raise CheckpointError(
            f"{path} does not fill the model, so that a test of it would mean nothing: {_first(wrong, 3)}; "
            "build the model that it was trained with"
        )


def unfilled(model: nn.Module, tensors: Mapping[str, Tensor]) -> list[str]:
    """What a test needs of a model and weights do not give, each in words; the identity classifier takes no part."""
    return [
        f"{name} is {tuple(tensors[name].shape)}, here {tuple(value.shape)}"
        if name in tensors
        else f"no {name}"
        for name, value in model.state_dict().items()
        if not name.startswith("classifier.") and not name.endswith("num_batches_tracked")
        if name not in tensors or tensors[name].shape != value.shape
    ]


def _first(lines: list[str], number: int) -> str:
    more = f", and {len(lines) - number} more" if len(lines) > number else ""
    return "; ".join(lines[:number]) + more
