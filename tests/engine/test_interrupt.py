"""Ctrl-C and a scheduler's signals between two steps."""

import signal
import threading
from pathlib import Path

import pytest

from reidar_plugin.engine import interrupt
from reidar_plugin.engine.interrupt import Interrupts
from reidar_plugin.ranks import job
from tests.engine_rig import build, config


def test_where_ctrl_c_is_ignored_it_stays_so(ctrl_c: None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Interrupts().watched():
        signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def press_twice(reached: list[str]) -> None:
    interrupts = Interrupts()
    with interrupts.watched(), interrupts.held():
        signal.raise_signal(signal.SIGINT)
        reached.append("after the first")
        signal.raise_signal(signal.SIGINT)
        reached.append("after the second")


def test_a_second_ctrl_c_does_not_wait(ctrl_c: None) -> None:
    reached: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        press_twice(reached)
    assert reached == ["after the first"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_scheduler_that_warns_and_then_ends_is_heard_once() -> None:
    interrupts, reached = Interrupts(), list[str]()
    before = signal.getsignal(signal.SIGTERM)

    def step() -> None:
        with interrupts.held():
            signal.raise_signal(signal.SIGUSR1)
            signal.raise_signal(signal.SIGTERM)
            reached.append("the end of the step")

    with interrupts.watched():
        with pytest.raises(KeyboardInterrupt):
            step()
        signal.raise_signal(signal.SIGTERM)  # while everything is saved
        reached.append("saved")
        assert interrupts.status == 128 + signal.SIGUSR1
    assert reached == ["the end of the step", "saved"]
    assert signal.getsignal(signal.SIGTERM) is before


def test_ctrl_c_is_the_main_threads(mars: Path, tmp_path: Path) -> None:
    """Signals cannot be taken over elsewhere; training works there all the same."""
    engine = build(config(mars, tmp_path))
    thread = threading.Thread(target=engine.run, kwargs={"save_dir": str(tmp_path), "max_epoch": 1})
    thread.start()
    thread.join()
    assert engine.position.epoch == 1


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """This process, taken for one of two ranks; the other one has been told to end where a signal is put in here."""
    others: list[int] = []
    monkeypatch.setattr(job, "_current", job.Job(0, 2))
    monkeypatch.setattr(interrupt, "largest", lambda mine: max([mine, *others]))
    return others


def test_ranks_end_after_the_same_step_with_the_same_status(
    told: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[str] = []
    monkeypatch.setattr(interrupt, "wait_for_all", lambda: waited.append("for the first"))
    interrupts = Interrupts()

    def step() -> None:
        with interrupts.held():
            pass

    with interrupts.watched():
        step()
        interrupts.end_together()
        assert waited == []  # nobody was told
        told.append(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            step()
        interrupts.end_together()
    assert (interrupts.status, waited) == (143, ["for the first"])


def test_a_rank_does_not_end_between_two_steps(told: list[int], ctrl_c: None) -> None:
    interrupts, reached = Interrupts(), list[str]()

    def epoch() -> None:
        with interrupts.between_steps():
            signal.raise_signal(signal.SIGTERM)  # while it waits for its batch
            with interrupts.held():
                reached.append("the step")
            reached.append("never")

    with interrupts.watched(), pytest.raises(KeyboardInterrupt):
        epoch()
    assert reached == ["the step"]
    with interrupts.watched(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)  # in a test, which nothing is lost of, at once


def test_a_process_alone_ends_between_two_steps(ctrl_c: None) -> None:
    interrupts = Interrupts()
    with interrupts.watched(), interrupts.between_steps(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)


def test_a_signal_while_ranks_are_asked_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """They may wait for the slowest of them for most of a step."""
    interrupts, signals = Interrupts(), iter([signal.SIGTERM])

    def asked(told: int) -> int:
        for number in signals:
            signal.raise_signal(number)
        return told

    monkeypatch.setattr(interrupt, "largest", asked)
    with interrupts.watched(), interrupts._held():  # as between the steps of several ranks
        with interrupts.held():
            pass
        with pytest.raises(KeyboardInterrupt), interrupts.held():
            pass
    assert interrupts.status == 143
