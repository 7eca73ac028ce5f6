import os
from pathlib import Path

import pytest

pytest.importorskip("filelock", reason="the extra 'gallery' is not installed")
from reidar_plugin.inference.gallery_files import copy_folder, lock_folder, sync_folder
from reidar_plugin.inference.gallery_rows import GalleryError


def test_a_lock_is_held_once_and_freed(tmp_path: Path) -> None:
    lock = lock_folder(tmp_path / "new" / "gallery")
    with pytest.raises(GalleryError, match="gallery: this gallery is open for writing already"):
        lock_folder(tmp_path / "new" / "gallery")
    lock.release()
    lock_folder(tmp_path / "new" / "gallery").release()


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(GalleryError, match=r"cannot be written: (Not a directory|File exists)"):
        lock_folder(tmp_path / "file" / "gallery")


@pytest.mark.parametrize("links", [True, False])
def test_copies_all_but_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    def refuse(*_: object) -> None:
        raise OSError

    if not links:
        monkeypatch.setattr(os, "link", refuse)
    lock_folder(tmp_path / "a").release()
    (tmp_path / "a" / "t.lance").mkdir()
    (tmp_path / "a" / "t.lance" / "1").write_text("rows")
    copy_folder(tmp_path / "a", tmp_path / "b")
    assert [path.relative_to(tmp_path / "b").as_posix() for path in (tmp_path / "b").rglob("*")] == [
        "t.lance",
        "t.lance/1",
    ]
    assert (tmp_path / "b" / "t.lance" / "1").read_text() == "rows"
    assert (tmp_path / "b" / "t.lance" / "1").samefile(tmp_path / "a" / "t.lance" / "1") is links


def test_new_files_and_all_folders_go_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever times they have: clocks jump."""
    (tmp_path / "data").mkdir()
    for name in ("data/old", "data/new"):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, ns=(0, 0))
    names: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda handle: names.append(os.readlink(f"/proc/self/fd/{handle}")))
    old, new = (str(tmp_path / "data" / name) for name in ("old", "new"))
    assert sync_folder(tmp_path, {old}) == {old, new}
    assert sorted(names) == [str(tmp_path), str(tmp_path / "data"), new]
