"""Only files are read, wherever a file is named."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reidar_plugin.checkpoint.store import read_checkpoint
from reidar_plugin.data.frames import read_picture
from reidar_plugin.errors import ReidarError
from reidar_plugin.inference.answer_folder import RECORD, AnswerFolder
from reidar_plugin.inference.calibration import Calibration
from reidar_plugin.inference.cameras import read_cameras
from reidar_plugin.inference.mot_files import read_tracks
from reidar_plugin.io.arrays import load_array
from reidar_plugin.io.download import digest_of
from reidar_plugin.io.folder_lock import LOCK, FolderLock
from reidar_plugin.io.ordinary import content_of
from reidar_plugin.io.safe_load import load_plain
from reidar_plugin.launch.bench_plan import read_variants
from reidar_plugin.synthped import make

READERS = (
    content_of,
    digest_of,
    load_array,
    load_plain,
    read_checkpoint,
    read_picture,
    read_cameras,
    read_tracks,
    read_variants,
    Calibration.load,
)


def answers(path: Path) -> object:
    (path.parent / "answers").mkdir()
    path.rename(path.parent / "answers" / RECORD)
    return AnswerFolder(path.parent / "answers")


def folder_lock(path: Path) -> object:
    path.rename(path.parent / LOCK)
    return FolderLock(path.parent).take()


def street_lock(path: Path) -> object:
    path.rename(path.parent / ".mars.lock")
    return make(path.parent, "tiny", people=4, workers=1)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
@pytest.mark.parametrize(
    "read", [*READERS, answers, street_lock, folder_lock], ids=lambda read: read.__qualname__
)
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_is_no_file_is_not_waited_for(read: Callable[[Path], object], kind: str, tmp_path: Path) -> None:
    """A pipe that nobody writes to keeps whoever opens it, and this device gives zeros without end."""
    path = tmp_path / "named"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises((ReidarError, OSError), match=r"Is a pipe or a device|No such device|symbolic links"):
        read(path)


def test_a_file_and_a_link_to_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"a\r\nb")
    (tmp_path / "link").symlink_to("file")
    assert content_of(tmp_path / "link") == content_of(str(tmp_path / "file")) == b"a\r\nb"
    with pytest.raises(IsADirectoryError):
        content_of(tmp_path)
