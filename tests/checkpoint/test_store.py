"""Checkpoints on disk: whole, the one before, or an error in one line."""

import os
import pickle
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from reidar_plugin.checkpoint.store import CheckpointError, CheckpointStore, Position, read_checkpoint
from reidar_plugin.errors import UnwritableFileError
from tests.checkpoint.runs import EPOCHS, Hostile
from tests.engine_rig import build, config, differences, run, weights


@pytest.fixture
def small(tmp_path: Path) -> CheckpointStore:
    """Checkpoints of 1 and 2 epochs, of a kilobyte or two."""
    store = CheckpointStore(tmp_path)
    for epoch in (1, 2):
        store.save({"state_dict": {"w": torch.ones(2)}, "epoch": epoch}, Position(epoch))
    return store


def test_a_flipped_bit_is_one_line_or_no_matter(small: CheckpointStore) -> None:
    """One of each byte: content, names, lengths, methods, flags."""
    path = small.path(Position(2))
    content, refusals = path.read_bytes(), []
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        try:
            assert torch.equal(read_checkpoint(path)["state_dict"]["w"], torch.ones(2))
        except CheckpointError as error:
            refusals.append(str(error))
    assert len(content) / 4 < len(refusals) < len(content)
    assert all(len(refusal.splitlines()) == 1 for refusal in refusals)


@pytest.mark.parametrize(
    ("record", "offset", "bit", "error"),
    [(b"data.pkl", 0, 0x80, "UnicodeDecodeError: 'utf-8'"), (b"PK\1\2", 10, 8, "error: Error -3 while")],
    ids=["a name no text any more", "compressed, it says"],
)
def test_a_checkpoint_with_a_damaged_directory_is_passed_over(
    small: CheckpointStore,
    capsys: pytest.CaptureFixture[str],
    record: bytes,
    offset: int,
    bit: int,
    error: str,
) -> None:
    path = small.path(Position(2))
    content = bytearray(path.read_bytes())
    content[content.rindex(record) + offset] ^= bit
    path.write_bytes(content)
    found = small.newest()
    assert found is not None
    assert found[0] == small.path(Position(1))
    assert error in capsys.readouterr().out


def test_a_checkpoint_that_does_not_open_is_not_passed_over(small: CheckpointStore) -> None:
    path = small.path(Position(2))
    path.unlink()
    path.mkdir()
    with pytest.raises(CheckpointError, match=r"model.pth.tar-2 cannot be opened: Is a directory$"):
        small.newest()


@pytest.mark.parametrize("damage", ["truncated", "empty", "a bit"])
def test_falls_back_to_the_checkpoint_before_a_broken_one(
    mars: Path, whole: Path, two: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    newest = two / "model/model.pth.tar-3"
    content = bytearray(newest.read_bytes())
    if damage == "a bit":
        content[len(content) // 2] ^= 1
    newest.write_bytes(content[: {"truncated": len(content) // 2, "empty": 0}.get(damage, len(content))])
    run(config(mars, two, **EPOCHS))
    output = capsys.readouterr().out
    assert f"{newest} is" in output
    assert "trying the checkpoint before it" in output
    assert f"going on from {two}/model/model.pth.tar-2" in output
    assert differences(weights(whole, "model.pth.tar-3"), weights(two, "model.pth.tar-3")) == []


def test_refuses_a_bare_pickle(tmp_path: Path) -> None:
    path = tmp_path / "model.pth.tar-1"
    path.write_bytes(pickle.dumps(Hostile()))
    with pytest.raises(CheckpointError, match=r"not whole .* or no checkpoint"):
        read_checkpoint(path)
    with pytest.raises(CheckpointError, match=r"nowhere cannot be opened: No such file"):
        read_checkpoint(tmp_path / "nowhere")
    torch.save([1], path)
    with pytest.raises(CheckpointError, match=r"it has no state_dict"):
        read_checkpoint(path)


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file takes more than 1,000 bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_found_before_training(tmp_path: Path, full_disk: None) -> None:
    store = CheckpointStore(tmp_path / "model")
    with pytest.raises(CheckpointError, match=r"model cannot be written: File too large; choose another"):
        store.check_writable()
    assert list(store.folder.iterdir()) == []


def test_is_on_the_disk_before_it_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a power cut could leave a name without content."""
    calls: list[str] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: calls.append("fsync") or fsync(handle))
    monkeypatch.setattr(os, "replace", lambda part, path: calls.append("rename") or replace(part, path))
    store = CheckpointStore(tmp_path / "model")
    store.save({"state_dict": {}}, Position(1))
    assert calls == ["fsync", "rename", "fsync"]  # the file, then its folder
    assert store.positions() == [Position(1)]


def test_a_folder_that_cannot_be_written_is_found_before_training(mars: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    engine = build(config(mars, tmp_path / "file" / "log"))
    with pytest.raises(UnwritableFileError, match=r"file/log cannot be written: .*; choose another folder"):
        engine.run(save_dir=str(tmp_path / "file" / "log"), max_epoch=1)
    assert engine.batch_idx == 0


def test_what_was_just_written_stays_where_newer_ones_are_broken(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path, keep=2)
    for epoch in (1, 2):
        store.save({"state_dict": {}}, Position(epoch))
    for epoch in (3, 4):
        store.path(Position(epoch)).write_bytes(b"")
    written = store.save({"state_dict": {}}, Position(2, 1))
    assert written.exists()
    found = store.newest()
    assert found is not None
    assert found[0] == written
    assert store.positions() == [Position(4), Position(3), Position(2, 1), Position(2)]
