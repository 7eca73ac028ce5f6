"""The folder of a recognition, which knows by its own record, ``run.json``, what in it was written by runs of this tool."""

import json
import secrets
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from glob import escape
from pathlib import Path
from typing import Any

from reidar_plugin.errors import ConfigError
from reidar_plugin.io.atomic import PART, explained, write_atomically
from reidar_plugin.io.folder_lock import FolderLock
from reidar_plugin.io.ordinary import content_of
from reidar_plugin.io.plain_text import parse_json

__all__ = ["RECORD", "AnswerFolder"]

RECORD = "run.json"


class AnswerFolder:
    """A folder of answers. Files of others in it are neither replaced nor deleted.

    One run at a time has it, until :meth:`close` or the end of a ``with``.

    Args:
        path: the folder, which is made if it is missing.

    Raises:
        ConfigError: its record is not one of ours.
        FolderInUseError: another process has it.
        UnwritableFileError: it cannot be made, or its record not be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = FolderLock(path, "OUT")
        with ExitStack() as undo, explained(path, "choose another folder"):
            path.mkdir(parents=True, exist_ok=True)
            self._lock.take()
            undo.callback(self._lock.release)
            told = self._read()
            undo.pop_all()
        #: begins with the folder's name, and no other folder has it
        self.id: str = told.get("id", f"{path.resolve().name}-{secrets.token_hex(6)}")
        self._ours: set[str] = set(told.get("files", ()))

    def __enter__(self) -> "AnswerFolder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let another process have it."""
        self._lock.release()

    def claim(self, names: Iterable[str]) -> None:
        """Note files, relative to the folder, before they are written, so that a killed run leaves none unknown.

        Raises:
            ConfigError: one is there already, and nobody knows who wrote it.
        """
        names = set(names)
        foreign = sorted(name for name in names - self._ours if (self.path / name).exists())
        if foreign:
            raise ConfigError(
                f"{self.path / foreign[0]} is there, and {RECORD} does not know it: it may be somebody's; move it away, "
                "or choose another folder"
            )
        with explained(self.path, "free space, or choose another folder"):
            for folder in {(self.path / name).parent for name in names}:
                folder.mkdir(exist_ok=True)
            self._write(self._ours | names)
            for path in (self.path / name for name in self._ours):
                for left in path.parent.glob(f".{escape(path.name)}.*{PART}"):  # of a run that was killed
                    left.unlink(missing_ok=True)

    def drop_others(self, names: Iterable[str]) -> None:
        """Delete what earlier runs wrote and this one does not."""
        names = set(names)
        needed = {self.path, *((self.path / name).parent for name in names)}
        for name in sorted(self._ours - names):
            path = self.path / name
            with explained(path, "start again"):
                path.unlink(missing_ok=True)
            if path.parent not in needed:
                with suppress(OSError):  # others are in it
                    path.parent.rmdir()
        self._write(names)

    def _read(self) -> dict[str, Any]:
        path = self.path / RECORD
        if not path.exists():
            return {}
        try:
            told = parse_json(content_of(path))
            if not (isinstance(told["id"], str) and all(_inside(name) for name in told["files"])):
                raise ValueError
        except (ValueError, LookupError, TypeError) as error:
            raise ConfigError(
                f"{path}: expected the record of a recognition, got something else; choose another folder"
            ) from error
        return dict(told)

    def _write(self, names: set[str]) -> None:
        self._lock.keep()
        self._ours = names
        text = json.dumps({"id": self.id, "files": sorted(names)}, indent=1)
        write_atomically(self.path / RECORD, f"{text}\n".encode())


def _inside(name: str) -> bool:
    """A record that somebody has changed must not lead out of its folder, nor name what no file is called."""
    path = Path(name)
    return bool(path.parts) and name.isprintable() and not path.is_absolute() and ".." not in path.parts
