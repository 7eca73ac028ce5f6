"""The stamp in a set's folder says what the set is, so that nothing else is overwritten and half a set goes on."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reidar_plugin.data.mat_files import TableError
from reidar_plugin.errors import ConfigError, ExistingFileError, cut, shown
from reidar_plugin.io.atomic import PART, explained, write_atomically
from reidar_plugin.io.console import say
from reidar_plugin.io.ordinary import ordinary
from reidar_plugin.io.plain_text import PlainTextError, parse_json

__all__ = ["STAMP", "check_same", "home_of", "locked", "making", "open_part", "read_stamp", "write_stamp"]

STAMP = "synthped.json"
"""Name of the file in a set's folder that says what the set is; it is written last."""


def home_of(root: str | Path, folder: str) -> Path:
    """The folder of a set.

    Args:
        root: where it goes.
        folder: its name.

    Raises:
        ConfigError: that is more than a name, or none.
    """
    parts = Path(folder).parts
    if len(parts) != 1 or Path(folder).name in ("", "..") or "\0" in folder:
        raise ConfigError(
            f"folder: expected the name of a folder in {root}, got {shown(folder)}; root says where it goes"
        )
    return Path(root).expanduser() / folder


def read_stamp(home: Path) -> dict[str, Any] | None:
    """Read what a folder says about its set; None for a folder that is no SynthPed set.

    Raises:
        TableError: its ``synthped.json`` cannot be read.
    """
    path = home / STAMP
    if not path.is_file():
        return None
    try:
        stamp = parse_json(path.read_bytes())
    except PlainTextError as error:
        raise TableError(f"{path}: not readable as JSON ({error}); delete {home} and make it anew") from error
    if not isinstance(stamp, dict):
        raise TableError(f"{path}: expected a JSON object, got {stamp!r:.40}; delete {home} and make it anew")
    return stamp


def write_stamp(home: Path, stamp: dict[str, Any]) -> None:
    """Say in a folder what its set is."""
    write_atomically(home / STAMP, (json.dumps(stamp, indent=1) + "\n").encode())


def check_same(home: Path, stamp: dict[str, Any]) -> None:
    """Refuse a folder that holds something else than the set that is asked for."""
    found = read_stamp(home)
    if found is None:
        raise ExistingFileError(f"{home}: exists and is no SynthPed set; choose another root or folder")
    _compare(home, found, stamp)


def _compare(where: Path, found: dict[str, Any], asked: dict[str, Any]) -> None:
    other = [
        f"{key} {cut(str(found.get(key)))} (asked for: {cut(str(asked[key]))})"
        for key in asked
        if found.get(key) != asked[key]
    ]
    if other:
        said = "; ".join(other)
        raise ConfigError(f"{where}: holds a SynthPed set with {said}. Delete it or choose another folder")


def open_part(part: Path, stamp: dict[str, Any]) -> None:
    """A folder to draw into; one that is there must have been begun with the same arguments."""
    begun = read_stamp(part)
    if begun is not None:
        _compare(part, begun, stamp)
    part.mkdir(exist_ok=True)
    for left in part.glob(f".{STAMP}.*{PART}"):  # of one that was killed
        left.unlink()
    write_stamp(part, {**stamp, "finished": False})


@contextmanager
def making(home: Path, stamp: dict[str, Any]) -> Iterator[Path | None]:
    """Within the block a set is drawn into an unfinished folder, which gets its name at the end.

    Args:
        home: the folder of the set.
        stamp: what is asked for.

    Yields:
        The unfinished folder, for :func:`open_part` when it is known what to draw; None where the set is there already.

    Raises:
        ConfigError: there is a set made with other arguments.
        UnwritableFileError: the disk is full, or fails.
    """
    with explained(home, "what was drawn stays, and the same call goes on with it"):
        home.parent.mkdir(parents=True, exist_ok=True)
        with locked(home):
            if home.exists():
                check_same(home, stamp)
                yield None
                return
            part = home.with_name(f".{home.name}.part")
            yield part
            part.rename(home)


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Let one process at a time make a set, and say so where this one has to wait; the lock goes with the process that
    holds it.
    """
    waits = f"{home}: another process is making it; waiting until that one is done, or ends"
    with open(home.with_name(f".{home.name}.lock"), "a", opener=ordinary) as file:
        if sys.platform == "win32":
            import msvcrt

            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            except OSError:
                say(waits)
                msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(waits)
                fcntl.flock(file, fcntl.LOCK_EX)
        yield
