"""Stamps: a folder says what it is; what is something else is refused."""

import sys
from pathlib import Path

import pytest

from reidar_plugin.data.mat_files import TableError
from reidar_plugin.errors import ConfigError, ExistingFileError
from reidar_plugin.io import atomic
from reidar_plugin.synthped import stamp
from reidar_plugin.synthped.stamp import (
    STAMP,
    check_same,
    home_of,
    locked,
    open_part,
    read_stamp,
    write_stamp,
)


def test_a_stamp_comes_back(tmp_path: Path) -> None:
    assert read_stamp(tmp_path) is None
    write_stamp(tmp_path, {"seed": 3, "size": [4, 2]})
    assert read_stamp(tmp_path) == {"seed": 3, "size": [4, 2]}
    (tmp_path / STAMP).write_text("[]")
    with pytest.raises(TableError, match="expected a JSON object"):
        read_stamp(tmp_path)


def test_only_the_same_set_is_taken(tmp_path: Path) -> None:
    with pytest.raises(ExistingFileError, match="is no SynthPed set"):
        check_same(tmp_path, {"seed": 3})
    write_stamp(tmp_path, {"seed": 3, "frames": 7})
    check_same(tmp_path, {"seed": 3})
    with pytest.raises(ConfigError, match=r"seed 3 \(asked for: 4\)"):
        check_same(tmp_path, {"seed": 4})


def test_half_a_set_goes_on_with_the_same_arguments(tmp_path: Path) -> None:
    part = tmp_path / ".set.part"
    open_part(part, {"seed": 3})
    assert read_stamp(part) == {"seed": 3, "finished": False}
    open_part(part, {"seed": 3})
    with pytest.raises(ConfigError, match=r"seed 3 \(asked for: 4\)"):
        open_part(part, {"seed": 4})
    with locked(tmp_path / "set"):
        assert (tmp_path / ".set.lock").is_file()


def test_a_stamp_is_written_whole_or_not_and_what_a_kill_left_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = tmp_path / ".set.part"

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(atomic.os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            open_part(part, {"seed": 3})
    assert read_stamp(part) is None
    (part / f".{STAMP}.7.part").write_text("")  # as kill -9 leaves it
    open_part(part, {"seed": 3})
    assert [path.name for path in part.iterdir()] == [STAMP]


def test_a_long_value_is_cut(tmp_path: Path) -> None:
    write_stamp(tmp_path, {"seed": "x" * 5000})
    with pytest.raises(ConfigError, match=r"seed x+ \.\.\. x+ \(asked for: 4\)") as caught:
        check_same(tmp_path, {"seed": 4})
    assert len(str(caught.value)) < 300 + len(str(tmp_path))


@pytest.mark.parametrize("folder", ["../evil", "/evil", "a/b", ".", "..", "/", "", "a\0b"])
def test_a_folder_is_a_name(folder: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="folder: expected the name of a folder in"):
        home_of(tmp_path, folder)
    assert home_of(tmp_path, "my set") == tmp_path / "my set"


@pytest.mark.skipif(sys.platform == "win32", reason="locks of another kind")
def test_who_waits_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    said = []
    with open(tmp_path / ".set.lock", "a") as first:
        fcntl.flock(first, fcntl.LOCK_EX)

        def say(line: str) -> None:
            said.append(line)
            fcntl.flock(first, fcntl.LOCK_UN)

        monkeypatch.setattr(stamp, "say", say)
        with locked(tmp_path / "set"):
            pass
    assert said == [
        f"{tmp_path / 'set'}: another process is making it; waiting until that one is done, or ends"
    ]
