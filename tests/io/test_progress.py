import io
import threading

import pytest

from reidar_plugin.io.progress import ProgressBar, progress, progress_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    def shown(self) -> str:
        """The line that the cursor is in, as one would see it: what is written after a return replaces it."""
        line = ""
        for part in self.getvalue().split("\r"):
            line = part + line[len(part) :]
        return line.rstrip()


def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Within the test, not in a fixture: pytest sets stderr anew between the two."""
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    return terminal


def test_draws_on_a_terminal_and_wipes_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_a_terminal(monkeypatch)
    monkeypatch.setattr("tqdm.std.time", iter(range(100)).__next__)  # a second between two looks at the clock
    passed = []
    for item in progress("mars query", "abcd", 8, done=4):
        passed.append((item, terminal.shown()))
    assert [item for item, _ in passed] == list("abcd")
    first, last = passed[0][1], passed[3][1]
    assert first.startswith("mars query:  50%|")
    assert " 4/8 [" in first
    assert last.startswith("mars query:  88%|")
    assert " 7/8 [" in last
    assert "batch" in last
    assert terminal.shown() == ""


def test_says_nothing_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    log = io.StringIO()
    monkeypatch.setattr("sys.stderr", log)
    assert list(progress("epoch 1", range(3), 3)) == [0, 1, 2]
    with progress_bar("drawing", 3, unit="frame") as bar:
        bar.update(3)
    assert log.getvalue() == ""


def test_is_wiped_when_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_a_terminal(monkeypatch)
    passing = progress("epoch 1", range(3), 3)
    next(passing)
    assert terminal.shown().startswith("epoch 1:")
    passing.close()
    assert terminal.shown() == ""


def test_is_wiped_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_a_terminal(monkeypatch)
    shown = []

    def fail() -> None:
        with progress_bar("drawing", 10, done=2, unit="frame") as bar:
            bar.update(3)
            bar.refresh()
            shown.append(terminal.shown())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert " 5/10 [" in shown[0]
    assert "frame" in shown[0]
    assert terminal.shown() == ""


def test_starts_no_thread_and_no_lock_between_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_terminal(monkeypatch)
    monkeypatch.setattr(ProgressBar, "monitor", None)  # other packages have bars too, and theirs start one
    with progress_bar("drawing", 10):
        assert ProgressBar.monitor is None
        assert isinstance(ProgressBar.get_lock(), type(threading.RLock()))
