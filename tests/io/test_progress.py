import errno
import io

import pytest

from reidar_plugin.errors import ReidarError
from reidar_plugin.io import progress as module
from reidar_plugin.io.console import say
from reidar_plugin.io.progress import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_draws_on_a_terminal_and_wipes_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.0)
    terminal = Terminal()
    assert list(progress("mars query", "abcd", 8, done=4, stream=terminal)) == list("abcd")
    drawn = terminal.getvalue()
    assert "mars query [" + "#" * 15 + "." * 15 + "] 4/8 " in drawn
    assert "8/8 0:00 left" in drawn
    assert drawn.endswith("\r\x1b[K")


def test_says_nothing_elsewhere() -> None:
    log = io.StringIO()
    assert list(progress("epoch 1", range(3), 3, stream=log)) == [0, 1, 2]
    assert log.getvalue() == ""


def test_is_wiped_when_given_up() -> None:
    terminal = Terminal()
    passing = progress("epoch 1", range(3), 3, stream=terminal)
    next(passing)
    passing.close()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_makes_way_for_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    passing = progress("epoch 1", range(3), 3, stream=terminal)
    next(passing)
    say("epoch: [1/1][1/3]")
    assert terminal.getvalue().endswith("\r\x1b[K")
    assert capsys.readouterr().out == "epoch: [1/1][1/3]\n"
    passing.close()
    terminal.truncate(0)
    say("done")
    assert terminal.getvalue() == ""


def test_a_full_disk_under_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("sys.stdout", Full())
    with pytest.raises(
        ReidarError, match=r"the log cannot be written: No space left on device; checkpoints are intact"
    ):
        say("a line")
