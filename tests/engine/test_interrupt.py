"""Ctrl-C and a scheduler's signals between two steps."""

import signal
import threading
from pathlib import Path

import pytest

from reidar_plugin.engine.interrupt import Interrupts
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
