"""One writer a folder."""

import errno
import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reidar_plugin.errors import UnwritableFileError
from reidar_plugin.io import folder_lock
from reidar_plugin.io.folder_lock import LOCK, FolderInUseError, FolderLock

HOLD = """
import os, sys, time
from reidar_plugin.io.folder_lock import FolderLock
FolderLock(sys.argv[1]).take()
if sys.argv[2] == "fork" and os.fork() == 0:
    time.sleep(600)
print(os.getpid(), flush=True)
time.sleep(600)
"""


def holder(folder: Path, way: str = "") -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), way],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(folder_lock.__file__).parents[2])},
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == f"{process.pid}\n".encode()
    return process


def end(process: "subprocess.Popen[bytes]", all_of_it: bool = True) -> None:
    (os.killpg if all_of_it else os.kill)(process.pid, 9)
    process.wait()


def test_the_second_is_told_who_the_first_is(tmp_path: Path) -> None:
    first = holder(tmp_path / "new")
    try:
        host = os.uname().nodename
        with pytest.raises(
            FolderInUseError, match=f"new is being written by process {first.pid} on {host} since 20"
        ):
            FolderLock(tmp_path / "new").take()
    finally:
        end(first)


def test_a_killed_writer_leaves_no_lock_behind_even_where_its_workers_live_on(tmp_path: Path) -> None:
    first = holder(tmp_path, "fork")
    lock = FolderLock(tmp_path)
    with pytest.raises(FolderInUseError):
        lock.take()
    end(first, all_of_it=False)
    lock.take()
    assert json.loads((tmp_path / LOCK).read_text())["pid"] == os.getpid()
    os.killpg(first.pid, 9)


def test_released_it_is_free_and_says_nothing(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    lock.take()
    lock.take()
    lock.release()
    lock.release()
    assert (tmp_path / LOCK).read_bytes() == b""
    other = holder(tmp_path)
    end(other)


def test_what_a_holder_has_not_written_yet_is_no_error_of_its_own(tmp_path: Path) -> None:
    first = holder(tmp_path)
    try:
        (tmp_path / LOCK).write_text("{")
        with pytest.raises(FolderInUseError, match="being written by another process;"):
            FolderLock(tmp_path).take()
    finally:
        end(first)


@pytest.mark.parametrize(
    "noted",
    [
        *(b"[" * 200_000, b"[" * 9000, b"[1]", b"5", b"\xff\xfe", b"{}", b"NaN"),
        json.dumps({"pid": "a" * 100_000, "host": "x", "since": "y"}).encode(),
    ],
    ids=lambda noted: f"{noted[:9]!r} of {len(noted)}",
)
def test_a_note_that_is_none_is_another_process(tmp_path: Path, noted: bytes) -> None:
    lock = FolderLock(tmp_path)
    lock.path.write_bytes(noted)
    assert "is being written by another process; wait for it" in lock._refusal()


def test_a_note_is_cut_and_told_on_one_line(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    lock.path.write_text(json.dumps({"pid": "a" * 5000, "host": "x\ny", "since": {"b": ["c"] * 500}}))
    said = lock._who()
    assert said.startswith("process aaa")
    assert "on x\\ny since {" in said
    assert len(said) < 300


def test_a_file_system_without_locks_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*args: Any) -> None:
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(folder_lock.fcntl, "lockf", refuse)
    FolderLock(tmp_path).take()
    assert (
        "this file system has no locks, so a second run here would not be noticed" in capsys.readouterr().out
    )


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableFileError, match="file/model cannot be written"):
        FolderLock(tmp_path / "file" / "model").take()


def test_one_object_of_a_process_has_it_and_the_refused_does_not_lose_it(tmp_path: Path) -> None:
    """The system alone would give it to both, and take it from both when one gives it up."""
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    first, second = FolderLock(tmp_path / "folder"), FolderLock(tmp_path / "link")
    first.take()
    with pytest.raises(FolderInUseError, match=f"another run of this process, {os.getpid()};"):
        second.take()
    second.release()
    command = [sys.executable, "-c", HOLD, str(tmp_path / "folder"), ""]
    other = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "FolderInUseError" in other.stderr
    first.release()
    second.take()
    second.release()


def test_a_folder_that_was_removed_is_taken_anew_or_is_another_ones(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path / "folder")
    lock.take()
    shutil.rmtree(tmp_path / "folder")
    lock.keep()
    assert json.loads((tmp_path / "folder" / LOCK).read_text())["pid"] == os.getpid()
    shutil.rmtree(tmp_path / "folder")
    other = holder(tmp_path / "folder")
    for _ in range(2):  # not only the first time
        with pytest.raises(FolderInUseError, match=f"being written by process {other.pid} on"):
            lock.keep()
    end(other)
    lock.keep()
    assert json.loads((tmp_path / "folder" / LOCK).read_text())["pid"] == os.getpid()
    lock.release()


def test_where_a_file_has_two_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One by its name, another by its handle: the lock is had all the same."""
    numbers = itertools.count()
    monkeypatch.setattr(folder_lock, "_number", lambda file: (0, next(numbers)))
    lock = FolderLock(tmp_path)
    lock.take()
    lock.keep()
    assert json.loads((tmp_path / LOCK).read_text())["pid"] == os.getpid()
    lock.release()


def test_one_that_was_removed_while_it_was_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system gives a lock on a file that nobody else can find."""
    lockf = folder_lock.fcntl.lockf
    removals = iter([True])

    def remove(*given: Any) -> None:
        lockf(*given)
        if next(removals, False):
            (tmp_path / LOCK).unlink()

    monkeypatch.setattr(folder_lock.fcntl, "lockf", remove)
    lock = FolderLock(tmp_path)
    lock.take()
    with pytest.raises(FolderInUseError):
        FolderLock(tmp_path).take()
    lock.release()


def test_a_link_in_its_place_leads_to_no_file_of_others(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("dear")
    (tmp_path / LOCK).symlink_to(tmp_path / "letter")
    with pytest.raises(UnwritableFileError, match="cannot be written"):
        FolderLock(tmp_path).take()
    assert (tmp_path / "letter").read_text() == "dear"


def test_a_disk_that_has_turned_read_only_does_not_keep_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    lock = FolderLock(tmp_path)
    lock.take()
    with monkeypatch.context() as patch:
        patch.setattr(os, "truncate", refuse)
        lock.release()
    again = FolderLock(tmp_path)
    again.take()
    assert json.loads((tmp_path / LOCK).read_text())["pid"] == os.getpid()
    again.release()
