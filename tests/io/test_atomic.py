import os
from pathlib import Path

import pytest

from reidar_plugin.errors import UnwritableFileError
from reidar_plugin.io import atomic
from reidar_plugin.io.atomic import explained, flush_to_disk, replacing, write_atomically
from reidar_plugin.report import results


def test_replaces_a_file(tmp_path: Path) -> None:
    for content in (b"first", b"second"):
        write_atomically(tmp_path / "file", content)
        assert (tmp_path / "file").read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert results.write_atomically is write_atomically  # its documented name


def test_other_readers_may_read_it(tmp_path: Path) -> None:
    """As files that are written in place, and unlike those of ``tempfile``."""
    (tmp_path / "plain").touch()
    write_atomically(tmp_path / "file", b"content")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_is_on_the_disk_before_it_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    fsync, replace = os.fsync, os.replace

    def flushed(handle: int) -> None:
        calls.append(f"fsync {Path(os.readlink(f'/proc/self/fd/{handle}')).name}")
        fsync(handle)

    def renamed(part: Path, path: Path) -> None:
        calls.append(f"rename to {path.name}")
        replace(part, path)

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(os, "replace", renamed)
    with replacing(tmp_path / "file") as part:
        part.write_bytes(b"content")
        assert not (tmp_path / "file").exists()
    assert calls == [f"fsync {part.name}", "rename to file", f"fsync {tmp_path.name}"]


def test_what_was_there_stays_where_writing_fails(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"first")

    def fail() -> None:
        with replacing(path) as part:
            part.write_bytes(b"sec")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_bytes() == b"first"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_what_was_there_stays_where_renaming_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"first")

    def full(part: Path, path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(
        OSError,
        match=r"file.*: No space left on device; no half of it was written; free space and start again$",
    ):
        write_atomically(path, b"second")
    assert path.read_bytes() == b"first"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_file_that_is_not_there_cannot_be_flushed(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        flush_to_disk(tmp_path / "nothing")


def test_a_failed_clean_up_does_not_hide_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(part: Path, path: Path) -> None:
        raise OSError(28, "No space left on device")

    def broken(path: Path) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "replace", full)
    monkeypatch.setattr(Path, "unlink", broken)
    with pytest.raises(UnwritableFileError, match="No space left"):
        write_atomically(tmp_path / "file", b"second")


def test_a_name_that_does_not_reach_the_disk_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flush(path: Path) -> None:
        if path == tmp_path:
            raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr(atomic, "flush_to_disk", flush)
    with pytest.raises(UnwritableFileError, match="no half of it was written"):
        write_atomically(tmp_path / "file", b"second")
    assert (tmp_path / "file").read_bytes() == b"second"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_folder_in_its_place_is_named(tmp_path: Path) -> None:
    """And not the temporary file, which nobody has heard of."""
    (tmp_path / "file").mkdir()
    with pytest.raises(UnwritableFileError) as caught:
        write_atomically(tmp_path / "file", b"new")
    assert caught.value.filename == str(tmp_path / "file")


@pytest.mark.parametrize("link", [False, True])
def test_a_pipe_or_a_device_is_not_replaced(tmp_path: Path, link: bool) -> None:
    """Root may: ``--out /dev/null`` would leave a file there, for all others to write to."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    with pytest.raises(UnwritableFileError, match="expected a file, got a pipe or a device; name a file"):
        write_atomically(tmp_path / ("link" if link else "pipe"), b"new")
    assert (tmp_path / "pipe").is_fifo()
    assert (tmp_path / "link").is_symlink()


def test_a_folder_that_is_not_there_is_told_by_the_name_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(UnwritableFileError) as caught:
        write_atomically(tmp_path / "none" / "file", b"new")
    assert caught.value.filename == str(tmp_path / "none" / "file")
    assert ".part" not in str(caught.value)


def test_a_line_of_ours_stays_as_it_is(tmp_path: Path) -> None:
    told = UnwritableFileError(28, "full", "other")
    with pytest.raises(UnwritableFileError) as caught, explained(tmp_path, "start again"):
        raise told
    assert caught.value is told


@pytest.mark.parametrize("path", [".", "", "/"])
def test_a_path_without_a_name_is_one_line(path: str) -> None:
    with pytest.raises(
        UnwritableFileError, match="expected the name of a file, got a folder; name a file in it"
    ) as caught:
        write_atomically(Path(path), b"new")
    assert caught.value.filename == str(Path(path))
