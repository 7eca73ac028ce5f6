"""Which checkpoint a run goes on from, and whether it may."""

from pathlib import Path
from typing import Any

from reidar_plugin.engine.checkpoint import CheckpointError, CheckpointStore, read_checkpoint
from reidar_plugin.engine.console import say
from reidar_plugin.engine.identity import RunIdentity, config_changes
from reidar_plugin.engine.snapshot import OURS
from reidar_plugin.errors import ConfigError

__all__ = ["check_same_run", "check_weights", "find_continuation"]

Found = tuple[Path, dict[str, Any]]


def find_continuation(
    store: CheckpointStore, identity: RunIdentity, config: str, mode: str = "auto", named: str = ""
) -> Found | None:
    """The checkpoint to go on from.

    The newest whole one of the run's own folder comes first, so that the same command goes on after a kill; then
    the one that ``model.resume`` names.

    Args:
        store: of the run.
        identity: of the run.
        config: of the run, as yaml.
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
        check_same_run(*found, identity, config)
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
        say(f"{named} is a checkpoint of the host: model and optimiser go on, centres and chance start anew")
        return None
    _check_identity(Path(named), state, identity)
    return Path(named), state


def check_same_run(path: Path, state: dict[str, Any], identity: RunIdentity, config: str) -> None:
    """Refuse a checkpoint of another model, label space, number of identities, or config."""
    if OURS not in state:
        raise CheckpointError(f"{path} is of another engine of torchreid; choose another data.save_dir")
    _check_identity(path, state, identity)
    changed = config_changes(state[OURS]["config"], config)
    if changed:
        more = f", and {len(changed) - 5} more" if len(changed) > 5 else ""
        raise CheckpointError(
            f"{path} is of a run with another config ({'; '.join(changed[:5])}{more}): "
            "take that config, or choose another data.save_dir"
        )


def check_weights(path: str | Path, identity: RunIdentity) -> None:
    """Refuse to test weights of another model or label space; other identities do no harm at test."""
    state = read_checkpoint(path)
    saved = state.get(OURS, {}).get("identity")
    if saved is None:
        return
    differences = [line for line in identity.differences(saved) if not line.startswith("identities:")]
    if differences:
        raise CheckpointError(f"{path} is of another run: {'; '.join(differences)}")


def _check_identity(path: Path, state: dict[str, Any], identity: RunIdentity) -> None:
    differences = identity.differences(state[OURS]["identity"])
    if differences:
        raise CheckpointError(
            f"{path} is of another run: {'; '.join(differences)}; "
            "take the same model and data, or choose another data.save_dir"
        )
