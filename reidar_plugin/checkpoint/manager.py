"""Saving the checkpoints of a run, and going on from them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from reidar_plugin.checkpoint.compatibility import check_weights, find_continuation
from reidar_plugin.checkpoint.fingerprint import RunFingerprint
from reidar_plugin.checkpoint.history import RunHistory
from reidar_plugin.checkpoint.state import OURS, Stateful, restore, snapshot
from reidar_plugin.checkpoint.store import BEST, CheckpointError, CheckpointStore, Position
from reidar_plugin.errors import shown
from reidar_plugin.io.console import say
from reidar_plugin.io.folder_lock import FolderLock
from reidar_plugin.ranks.job import current

__all__ = ["CheckpointManager"]


class CheckpointManager:
    """Saves and restores everything that training needs.

    Args:
        model: the model, saved under the host's key.
        optimizer: its optimiser, saved under the host's key.
        scheduler: its learning rate schedule, saved under the host's key; None for none.
        parts: everything else with a state, by the name under which it is saved.
        history: history of the run; saved as the part ``record``.
        fingerprint: what a checkpoint must agree with before the run goes on from it.
        config: the config of the run, as yaml; empty for none.
        keep: how many of the last checkpoints stay; 0 for all.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: Stateful,
        scheduler: Stateful | None,
        parts: Mapping[str, Stateful],
        history: RunHistory,
        fingerprint: RunFingerprint,
        config: str = "",
        keep: int = 2,
    ) -> None:
        self._trained = (model, optimizer, scheduler)
        self.parts: dict[str, Stateful] = {**parts, "record": history}
        self.history, self.fingerprint, self.config, self.keep = history, fingerprint, config, keep
        self.store: CheckpointStore | None = None  #: None until :meth:`open`
        self.lock = FolderLock("")  #: of save_dir; a run takes it before it writes there
        self._whole: Path | None = None  # the checkpoint last written or read

    def open(self, save_dir: str | Path) -> CheckpointStore:
        """Keep checkpoints in the folder ``model`` of ``save_dir`` from now on."""
        store = CheckpointStore(Path(save_dir) / "model", self.keep)
        if self.store is None or self.store.folder != store.folder:
            self.lock.release()
            self.lock = FolderLock(save_dir)
        self.store = store
        return self.store

    def resume(self, mode: str, named: str) -> Position | None:
        """Go on from a checkpoint, if there is one; see :func:`~.compatibility.find_continuation`.

        Args:
            mode: ``reidar.train.resume``, ``auto`` or ``off``.
            named: ``model.resume``, or empty.

        Returns:
            Where training was; None to start afresh.
        """
        store = self._opened()
        found = find_continuation(store, self.fingerprint, self.config, mode, named)
        if found is None:
            return None
        path, state = found
        try:
            position = restore(state, *self._trained, self.parts)
        except CheckpointError as error:
            raise CheckpointError(f"{path}: {error}; go on from an earlier one") from error
        ranks = state[OURS].get("ranks", 1)
        if ranks != current().size:
            say(
                f"{path.name} was saved by {shown(ranks)} ranks, here are {current().size}: the same batches follow, but "
                "dropout and the last bits of sums differ"
            )
        self._whole = path
        best = self.history.best
        if path.parent.resolve() != store.folder.resolve():
            self.history.forget_tests()  # what is in that folder is no best of this one
        elif best is not None and best.epoch == position.epoch and not position.step:
            self.mark_best(path)  # making that copy may be what was interrupted
        return position

    def check_weights(self, path: str) -> None:
        """Refuse to test weights that do not fit the model; see :func:`~.compatibility.check_weights`.

        Args:
            path: path of the file that they were loaded from; empty where nothing was loaded, which is said.
        """
        if path:
            check_weights(path, self._trained[0], self.fingerprint, self.config)
        else:
            say(
                "testing the network as it was built: neither model.load_weights nor model.resume names a checkpoint"
            )

    def save(self, position: Position) -> Path:
        """Write a checkpoint of this moment; returns its path. Of several ranks the first one writes."""
        store = self._opened()
        self._whole = store.path(position)
        if current().first:
            self.lock.keep()
            about: dict[str, Any] = {
                "identity": self.fingerprint.as_plain(),
                "config": self.config,
                "ranks": current().size,
            }
            store.save(snapshot(*self._trained, self.parts, position, self.history.rank1, **about), position)
        return self._whole

    def mark_best(self, path: Path) -> Path:
        """Keep a copy of that checkpoint as the best; returns its path."""
        return self._opened().mark_best(path) if current().first else self.best_path

    def last(self) -> str:
        """Path of the checkpoint last written or gone on from, in words; newer files in the folder may be broken."""
        return "none yet" if self._whole is None else str(self._whole)

    @property
    def best_path(self) -> Path:
        """Path of the best checkpoint, whether it is there or not."""
        return self._opened().folder / BEST

    def _opened(self) -> CheckpointStore:
        if self.store is None:
            raise ValueError("expected open(save_dir) before checkpoints are saved or read, got no folder")
        return self.store
