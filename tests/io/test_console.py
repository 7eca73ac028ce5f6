import errno
import gc
import io
import sys
from pathlib import Path

import pytest

from reidar_plugin.errors import ReidarError
from reidar_plugin.io.console import say, tee
from reidar_plugin.io.progress import progress
from tests.io.test_progress import Terminal


def test_a_line_does_not_tear_the_bar(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    shown_at_write = []

    class Log(io.StringIO):
        def write(self, text: str) -> int:
            shown_at_write.append(terminal.shown())
            return super().write(text)

    log = Log()
    monkeypatch.setattr("sys.stdout", log)
    passing = progress("epoch 1", range(3), 3)
    next(passing)
    assert terminal.shown() != ""
    say("epoch: [1/1][1/3]")
    assert log.getvalue() == "epoch: [1/1][1/3]\n"
    assert shown_at_write == [""]  # wiped before the line,
    assert terminal.shown().startswith("epoch 1:")  # back after it
    passing.close()
    drawn = terminal.getvalue()
    say("done")
    assert terminal.getvalue() == drawn


def test_a_full_disk_under_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("sys.stdout", Full())
    with pytest.raises(
        ReidarError,
        match=r"standard output cannot be written: No space left on device; what was saved before is intact",
    ):
        say("a line")


def test_a_log_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ReidarError, match=r"cannot be written: .*; set data\.save_dir"),
        tee(tmp_path / "file/log"),
    ):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_log_on_a_full_disk_is_one_line() -> None:
    terminal = sys.stdout
    with (
        pytest.raises(
            ReidarError, match=r"the log /dev/full cannot be written: No space left .*; free space"
        ),
        tee(Path("/dev/full")),
    ):
        say("lost")
    assert sys.stdout is terminal


def test_the_log_leaves_standard_output_open(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The host's own closes it when it is collected."""
    with tee(tmp_path / "log/train.log"):
        say("both")
    gc.collect()
    say("terminal")
    assert capsys.readouterr().out == "both\nterminal\n"
    assert (tmp_path / "log/train.log").read_text() == "both\n"


def test_a_log_of_that_name_is_not_lost(tmp_path: Path) -> None:
    """Its name is a second: two runs start in one, or a clock goes back."""
    for line in ("first", "second"):
        with tee(tmp_path / "train.log"):
            say(line)
    assert (tmp_path / "train.log").read_text() == "first\nsecond\n"
