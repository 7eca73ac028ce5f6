"""The folder of a gallery: who may write to it, and when what was written is on the disk."""

import os
import shutil
from collections.abc import Set
from pathlib import Path

from filelock import FileLock, Timeout

from reidar_plugin.inference.gallery_rows import GalleryError

__all__ = ["copy_folder", "lock_folder", "sync_folder"]

_LOCK = ".writer.lock"


def lock_folder(folder: Path) -> FileLock:
    """Become the one writer of a gallery, which is made if it is missing; a killed process leaves no lock behind."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / _LOCK)
        lock.acquire(timeout=0)
    except Timeout:
        raise GalleryError(
            f"{folder}: this gallery is open for writing already; let the other writer finish"
        ) from None
    except OSError as error:
        raise GalleryError(f"{folder} cannot be written: {error.strerror or error}") from error
    return lock


def copy_folder(source: Path, target: Path) -> None:
    """Copy all files that make the gallery, whole or not at all; a file becomes a link to the same data if it can."""
    part = target.with_name(f".{target.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(source, part, copy_function=_link, ignore=shutil.ignore_patterns(_LOCK))
        part.rename(target)
    except OSError as error:
        raise GalleryError(f"{target} cannot be written: {error.strerror or error}") from error


def sync_folder(folder: Path, known: Set[str]) -> set[str]:
    """Bring to the disk what LanceDB wrote, which leaves that to the system; its files never change once they are written,
    but for hints (``.json``).

    Args:
        folder: of the gallery.
        known: files that are on the disk already.

    Returns:
        Files that are on the disk now, and need not go there again.
    """
    found: set[str] = set()
    for home, _, names in os.walk(folder):
        paths = {os.path.join(home, name) for name in names}
        found |= {path for path in paths if not path.endswith(".json")}
        for path in (*(paths - known), home):
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
    return found


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk, or one without links
        shutil.copy2(source, target)
