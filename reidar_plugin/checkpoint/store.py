"""Checkpoints on disk: written whole or not at all, read without running code, pruned to the last few."""

import os
import pickle
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch

from reidar_plugin.errors import ConfigError, ReidarError
from reidar_plugin.io.atomic import PART, flush_to_disk, replacing
from reidar_plugin.io.console import say
from reidar_plugin.io.ordinary import ordinary
from reidar_plugin.io.safe_load import (
    UNREADABLE,
    DamagedFileError,
    PlainFileError,
    check_before_torch,
    load_plain,
    unreadable,
)

__all__ = [
    "BEST",
    "BrokenCheckpointError",
    "CheckpointError",
    "CheckpointStore",
    "Position",
    "read_checkpoint",
    "read_content",
]

#: Name of the best checkpoint, the host's.
BEST = "model-best.pth.tar"

_NAME = re.compile(r"model\.pth\.tar-(\d+)(?:\+(\d+))?")

PROBE = 2**20  # bytes that a folder must take before training; any backbone's checkpoint has more


class CheckpointError(ReidarError, ValueError):
    """A checkpoint that cannot be written, read, or used here."""


class BrokenCheckpointError(CheckpointError):
    """A checkpoint that is not whole."""


class Position(NamedTuple):
    """How far training has come; the order of positions is that of time."""

    epoch: int  #: whole epochs
    step: int = 0  #: steps of the next one

    @property
    def file_name(self) -> str:
        """``model.pth.tar-3`` after 3 whole epochs, as the host calls it; ``model.pth.tar-3+20`` 20 steps later."""
        return f"model.pth.tar-{self.epoch}" + (f"+{self.step}" if self.step else "")

    def __str__(self) -> str:
        return _count(self.epoch, "epoch") + (f" and {_count(self.step, 'step')}" if self.step else "")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + "s" * (number != 1)


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """Read a checkpoint, ours or the host's, to the CPU; nothing in it is run.

    Raises:
        BrokenCheckpointError: the file is cut off or damaged.
        CheckpointError: it cannot be opened, it holds something that only running code could bring back, or it is
            no checkpoint.
    """
    state = read_content(path)
    if not isinstance(state, dict) or not isinstance(state.get("state_dict"), dict):
        raise CheckpointError(
            f"{path} is no checkpoint: it has no state_dict; weights alone go into model.load_weights"
        )
    return state


def read_content(path: str | Path) -> Any:
    """Read any file of ``torch.save``, a checkpoint or weights alone; raises as :func:`read_checkpoint` does."""
    path = Path(path)
    try:
        _check_sums(path)
        return load_plain(path)
    except DamagedFileError as error:
        raise BrokenCheckpointError(str(error)) from error
    except PlainFileError as error:
        raise CheckpointError(str(error)) from error


def _check_sums(path: Path) -> None:
    """Look at the check sums of all parts of a file, which torch itself does not; before torch 1.6 there were none."""
    try:
        os.close(ordinary(os.fspath(path), os.O_RDONLY))
        archive = zipfile.is_zipfile(path)
        known = archive or _of_old_format(path)
        if known:
            check_before_torch(path)  # before all of it is
        damaged = _damaged_part(path) if archive else None
    except PlainFileError:
        raise
    except UNREADABLE as error:
        raise unreadable(path, error) from error
    if not known:
        raise BrokenCheckpointError(f"{path} is not whole ({path.stat().st_size:,} bytes), or no checkpoint")
    if damaged is not None:
        raise BrokenCheckpointError(f"{path} is damaged in {damaged!r}")


def _damaged_part(path: Path) -> str | None:
    with zipfile.ZipFile(path) as archive:
        return archive.testzip()


def _of_old_format(path: Path) -> bool:
    magic = pickle.dumps(torch.serialization.MAGIC_NUMBER, protocol=2)
    with path.open("rb") as file:
        return file.read(len(magic)) == magic


class CheckpointStore:
    """The checkpoints of a run, in ``<save_dir>/model``, where the host keeps its own.

    Args:
        folder: made with the first checkpoint.
        keep: how many of the last ones stay; 0 for all. The best one is a file of its own and always stays.
    """

    def __init__(self, folder: str | Path, keep: int = 2) -> None:
        if keep < 0:
            raise ConfigError(f"reidar.train.keep: expected how many checkpoints stay (0: all), got {keep}")
        self.folder, self.keep = Path(folder), keep

    def positions(self) -> list[Position]:
        """Of the checkpoints there are, newest first."""
        names = [_NAME.fullmatch(path.name) for path in self.folder.glob("model.pth.tar-*")]
        return sorted((Position(int(m[1]), int(m[2] or 0)) for m in names if m), reverse=True)

    def path(self, position: Position) -> Path:
        """Where the checkpoint of that position is, or would be."""
        return self.folder / position.file_name

    def newest(self) -> tuple[Path, dict[str, Any]] | None:
        """The newest whole checkpoint; one that is not whole is passed over, and that is said.

        Raises:
            CheckpointError: the newest cannot be opened, or is none of ours; older ones are no way round that.
        """
        for position in self.positions():
            try:
                return self.path(position), read_checkpoint(self.path(position))
            except BrokenCheckpointError as error:
                say(f"{error}; trying the checkpoint before it")
        return None

    def check_writable(self) -> None:
        """Find out before training, not after it, that nothing could be saved; sweep up after a killed writer."""

        def touch() -> None:
            self.folder.mkdir(parents=True, exist_ok=True)
            for left in self.folder.glob(f".*{PART}"):
                left.unlink()
            probe = self.folder / f".probe{PART}"
            try:
                probe.write_bytes(bytes(PROBE))
                flush_to_disk(probe)
            finally:
                probe.unlink(missing_ok=True)

        _explained(touch, self.folder, "choose another data.save_dir or free it")

    def save(self, state: dict[str, Any], position: Position) -> Path:
        """Write a checkpoint and drop those that are too old.

        Later ones, which were not whole or training would have gone on from them, stay until they are written again.

        Raises:
            CheckpointError: it could not be written; the ones before it are as they were.
        """
        path = self.path(position)
        self._replace(path, lambda part: _write(state, part))
        so_far = [each for each in self.positions() if each <= position]
        for old in so_far[self.keep :] if self.keep else []:
            _explained(self.path(old).unlink, self.path(old), f"{path.name} is saved; start again")
        return path

    def mark_best(self, path: Path) -> Path:
        """Keep a copy of that checkpoint as the best."""
        best = self.folder / BEST
        self._replace(best, lambda part: shutil.copyfile(path, part))
        return best

    def _replace(self, path: Path, write: Callable[[Path], object]) -> None:
        """Write a file so that there is never half of one; a failure is told in one line."""

        def replace() -> None:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as part:
                write(part)

        _explained(replace, path, "what was saved before is intact; free space and start again")


def _write(state: dict[str, Any], part: Path) -> None:
    try:
        with part.open("wb") as file:
            torch.save(state, file)
    except RuntimeError as error:  # torch's archive writer hides what the system said
        if isinstance(error.__context__, OSError):
            raise error.__context__ from error
        raise


def _explained(act: Callable[[], None], path: Path, cure: str) -> None:
    try:
        act()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be written: {error.strerror or error}; {cure}") from error
