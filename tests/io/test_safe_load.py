"""What is read of a file, and that nothing in it is run."""

import os
import pickle
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reidar_plugin.io.safe_load import (
    CodeInFileError,
    DamagedFileError,
    UnopenedFileError,
    load_plain,
    only_plain,
)

FORMATS = pytest.mark.parametrize("new", [True, False], ids=["new format", "old format"])


class Hostile:
    def __reduce__(self) -> Any:
        return os.mkdir, ("hostile_code_ran",)


def save(value: Any, path: Path, new: bool) -> Path:
    torch.save(value, path, _use_new_zipfile_serialization=new)
    return path


@FORMATS
def test_reads_tensors_plain_values_and_numpys_numbers(tmp_path: Path, new: bool) -> None:
    value = {
        "state_dict": {"w": torch.arange(3)},
        "epoch": 3,
        "rank1": np.float32(0.5),
        "map": np.float64(0.25),
    }
    found = load_plain(save(value, tmp_path / "file.pth", new))
    assert torch.equal(found["state_dict"]["w"], torch.arange(3))
    assert (found["epoch"], found["rank1"], found["map"]) == (3, 0.5, 0.25)


@FORMATS
def test_names_what_only_code_could_bring_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, new: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    path = save({"state_dict": {}, "more": Hostile()}, tmp_path / "file.pth", new)
    with pytest.raises(
        CodeInFileError, match=r"file.pth holds (posix|nt).mkdir, .* refused; save"
    ) as refusal:
        load_plain(path)
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "hostile_code_ran").exists()


def test_a_name_of_thousands_of_letters_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "file.pth"
    path.write_bytes(b"\x80\x02cposix\n" + 9000 * b"a" + b"\n.")
    with pytest.raises(
        CodeInFileError, match=r"file.pth holds posix.aaa.* \.\.\. aaa.*, which only"
    ) as refusal:
        load_plain(path)
    assert len(str(refusal.value)) < 400


@FORMATS
@pytest.mark.parametrize("size", [0, 15, 200, 0.5], ids=["empty", "head", "early", "half"])
def test_says_in_one_line_that_a_file_is_cut_short(tmp_path: Path, new: bool, size: float) -> None:
    path = save({"w": torch.zeros(1000)}, tmp_path / "file.pth", new)
    content = path.read_bytes()
    path.write_bytes(content[: int(size if size != 0.5 else len(content) / 2)])
    with pytest.raises(
        DamagedFileError, match=r"file.pth cannot be read \(\w+.*\): .* save it again$"
    ) as refusal:
        load_plain(path)
    assert "\n" not in str(refusal.value)
    assert "weights_only" not in str(refusal.value)  # torch's advice is to run the code


@pytest.mark.parametrize("content", [b"not found", b"<html>Sorry</html>", bytes(range(256))])
def test_says_that_a_file_is_none_of_torchs(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file.pth").write_bytes(content)
    with pytest.raises(DamagedFileError, match=r"file\.pth cannot be read"):
        load_plain(tmp_path / "file.pth")


def test_tells_a_file_that_does_not_open_from_a_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(UnopenedFileError, match=r"nowhere\.pth cannot be opened: No such file or directory$"):
        load_plain(tmp_path / "nowhere.pth")
    with pytest.raises(UnopenedFileError, match=r"cannot be opened: Is a directory$"):
        load_plain(tmp_path)


def test_what_else_may_be_loaded_stays_as_it_was(tmp_path: Path) -> None:
    before = set(torch.serialization.get_safe_globals())
    load_plain(save({"rank1": np.float32(0.5)}, tmp_path / "file.pth", True))
    assert set(torch.serialization.get_safe_globals()) == before


@pytest.mark.parametrize("part", ["data/0", "data.pkl", "more"])
def test_a_file_that_would_unpack_to_gigabytes(tmp_path: Path, part: str) -> None:
    """torch would take the memory for some of them before it sees that they do not fit."""
    whole, path = save({"w": torch.ones(3)}, tmp_path / "whole.pth", True), tmp_path / "packed.pth"
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            packed = old.read(name) + bytes(2**24) * name.endswith(part)
            new.writestr(name, packed)
        new.writestr("whole/more", bytes(2**24))
    assert path.stat().st_size < 2**16
    with pytest.raises(
        DamagedFileError, match=r"packed\.pth has [\d,]+ bytes and would unpack to [\d,]{10,}, but"
    ):
        load_plain(path)


BYTES = b"\x80\x02cbuiltins\nbytearray\n\x8a\x04\x00\x00\x00\x10\x85R."  # 256 MB of them


@pytest.mark.parametrize("name", ["data.pkl", "DATA.PKL", "Data.pkl"])
def test_a_call_in_a_part_by_any_name_that_torch_finds(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "file.pth", "w") as archive:
        for part, content in ((name, BYTES), ("version", b"3\n"), ("byteorder", b"little")):
            archive.writestr(f"archive/{part}", content)
    with pytest.raises(CodeInFileError, match=r"holds builtins\.bytearray"):
        load_plain(tmp_path / "file.pth")


def test_a_call_behind_a_mark_that_is_spelt_otherwise(tmp_path: Path) -> None:
    """Torch compares numbers, of which one has many spellings."""
    mark = torch.serialization.MAGIC_NUMBER.to_bytes(11, "little")
    plain = b"".join(pickle.dumps(value, 2) for value in (1001, {"little_endian": True}))
    content = b"\x80\x02\x8a\x0b" + mark + b"." + plain + BYTES + pickle.dumps([], 2)
    (tmp_path / "file.pth").write_bytes(content)
    with pytest.raises(CodeInFileError, match=r"holds builtins\.bytearray"):
        load_plain(tmp_path / "file.pth")


def test_two_parts_of_one_name(tmp_path: Path) -> None:
    """Torch would bring back the first, of which no sum is looked at."""
    path = save({"w": torch.arange(8.0)}, tmp_path / "file.pth", True)
    with zipfile.ZipFile(path, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (name,) = [name for name in archive.namelist() if name.endswith("data/0")]
        archive.writestr(name, archive.read(name))
    content = path.read_bytes()
    place = content.index(torch.arange(8.0).numpy().tobytes())
    path.write_bytes(content[:place] + b"\x01" + content[place + 1 :])
    with pytest.raises(
        DamagedFileError, match=r"file.pth has parts of the same name, as torch.save writes none"
    ):
        load_plain(path)


@pytest.mark.parametrize("behind", [True, False])
def test_an_archive_with_another_one(tmp_path: Path, behind: bool) -> None:
    """Of which sums are looked at in one, and tensors come from the other."""
    one, other = save({"w": torch.zeros(8)}, tmp_path / "a.pth", True), save({}, tmp_path / "b.pth", True)
    joined = [one.read_bytes(), other.read_bytes() if behind else b"PK"]
    one.write_bytes(b"".join(joined if behind else joined[::-1]))
    with pytest.raises(DamagedFileError, match=r"a.pth is no archive from its first byte to its last"):
        load_plain(one)


def test_a_part_that_is_said_to_be_a_folder(tmp_path: Path) -> None:
    """All sums are right, and torch gives other numbers."""
    whole, path = save({"w": torch.ones(3)}, tmp_path / "whole.pth", True), tmp_path / "folder.pth"
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w") as new:
        for part in old.infolist():
            part.external_attr = 0x10 * part.filename.endswith("data/0")
            new.writestr(part, old.read(part.filename))
    with pytest.raises(DamagedFileError, match=r"folder\.pth is damaged in 'whole/data/0', which is said"):
        load_plain(path)


@FORMATS
def test_a_tensor_that_repeats_without_end(tmp_path: Path, new: bool) -> None:
    few = {"state_dict": [({"w": torch.ones(1).expand(2**40)},)]}
    path = save(few, tmp_path / "file.pth", new)
    with pytest.raises(
        DamagedFileError, match=r"file\.pth has .* a tensor of shape \(1099511627776,\), which takes more"
    ):
        load_plain(path)


def test_what_is_held_again_and_again_is_looked_at_once(tmp_path: Path) -> None:
    """A thousand bytes, and 2^60 ways to the tensor; and a list that holds itself."""
    held: list[object] = [torch.ones(2).expand(2**30, 2)]
    for _ in range(60):
        held = [held, held]
    with pytest.raises(DamagedFileError, match=r"a tensor of shape \(1073741824, 2\), which takes more"):
        load_plain(save(held, tmp_path / "many.pth", True))
    held = []
    held.append(held)
    assert load_plain(save(held, tmp_path / "itself.pth", True))[0][0]


def test_a_script_is_refused_before_torch_sees_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """torch before 2.6 runs it, whatever it is told."""
    path = save({"w": torch.arange(3)}, tmp_path / "file.pth", True)
    load_plain(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("file/constants.pkl", b"")
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("torch has read it"))
    with pytest.raises(CodeInFileError, match=r"file\.pth holds a script of torch\.jit, which is code"):
        load_plain(path)


def test_the_host_reads_no_script_either() -> None:
    ours = torch.jit.load
    with only_plain(), pytest.raises(CodeInFileError, match=r"a script of torch\.jit, which is code"):
        torch.jit.load("anything")
    assert torch.jit.load is ours
