"""A run's checkpoints: what goes into them, and going on from them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from reidar_plugin.checkpoint.compatibility import find_continuation
from reidar_plugin.checkpoint.fingerprint import RunFingerprint
from reidar_plugin.checkpoint.history import RunHistory
from reidar_plugin.checkpoint.state import Stateful, restore, snapshot
from reidar_plugin.checkpoint.store import BEST, CheckpointStore, Position

__all__ = ["CheckpointManager"]


class CheckpointManager:
    """Saves and restores everything that training needs.

    Args:
        model, optimizer, scheduler: under the host's keys in a checkpoint.
        parts: everything else with a state.
        record: of the run; one of the parts, under its own name.
        identity: what a checkpoint must agree with.
        config: of the run, as yaml.
        keep: how many of the last checkpoints stay.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: Stateful,
        scheduler: Stateful | None,
        parts: Mapping[str, Stateful],
        record: RunHistory,
        identity: RunFingerprint,
        config: str,
        keep: int,
    ) -> None:
        self._trained = (model, optimizer, scheduler)
        self.parts: dict[str, Stateful] = {**parts, "record": record}
        self.record, self.identity, self.config, self.keep = record, identity, config, keep
        self.store: CheckpointStore | None = None
        self._whole: Path | None = None  # the checkpoint last written or read

    def open(self, save_dir: str | Path) -> CheckpointStore:
        """Keep checkpoints under that folder from now on."""
        self.store = CheckpointStore(Path(save_dir) / "model", self.keep)
        return self.store

    def resume(self, mode: str, named: str) -> Position | None:
        """Go on from a checkpoint, if there is one; see :func:`~.continuation.find_continuation`.

        Returns:
            Where training was; None to start afresh.
        """
        store = self._opened()
        found = find_continuation(store, self.identity, self.config, mode, named)
        if found is None:
            return None
        path, state = found
        position = restore(state, *self._trained, self.parts)
        self._whole = path
        best = self.record.best
        if path.parent.resolve() != store.folder.resolve():
            self.record.best, self.record.tested = None, 0  # what is in that folder is no best of this one
        elif best is not None and best.epoch == position.epoch and not position.step:
            store.mark_best(path)  # making that copy may be what was interrupted
        return position

    def save(self, position: Position) -> Path:
        """Write a checkpoint of this moment."""
        facts: dict[str, Any] = {"identity": self.identity.as_plain(), "config": self.config}
        state = snapshot(*self._trained, self.parts, position, self.record.rank1, **facts)
        self._whole = self._opened().save(state, position)
        return self._whole

    def mark_best(self, path: Path) -> Path:
        """Keep a copy of that checkpoint as the best."""
        return self._opened().mark_best(path)

    def last(self) -> str:
        """Path of the checkpoint last written, or gone on from, in words; newer files in the folder may be broken."""
        return "none yet" if self._whole is None else str(self._whole)

    @property
    def best_path(self) -> Path:
        """Where the best one is."""
        return self._opened().folder / BEST

    def _opened(self) -> CheckpointStore:
        if self.store is None:
            raise ValueError("expected open(save_dir) before checkpoints are saved or read, got no folder")
        return self.store
