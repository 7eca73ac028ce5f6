"""What a job does with its run, beside a run that only pretends: status and last words, and how it is told to end."""

import os
import pickle
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from reidar_plugin.launch.job import Job
from tests.versions import need

#: Waits until it is told to end, which it writes down; a second time it has nothing to do.
RUN = """
import pathlib, signal, sys, time
told = pathlib.Path(sys.argv[1])
if told.exists():
    sys.exit(0)
def save(number, frame):
    told.write_text(signal.Signals(number).name)
    sys.exit(143)
signal.signal(signal.SIGTERM, save)
signal.signal(signal.SIGINT, save)
pathlib.Path(sys.argv[1] + ".ready").touch()
time.sleep(60)
"""


def command(told: Path) -> list[str]:
    return [sys.executable, "-c", RUN, str(told)]


def test_gives_status_and_last_words() -> None:
    code = "import sys; print('much'); sys.stderr.write('first\\nerror: the last\\n'); sys.exit(2)"
    assert Job([sys.executable, "-c", code])() == (2, "error: the last")
    assert Job([sys.executable, "-c", ""])() == (0, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_cancelled_job_lets_its_run_save(tmp_path: Path, number: signal.Signals) -> None:
    told = tmp_path / "told"
    before = signal.getsignal(number)
    threading.Thread(target=_tell_when_ready, args=(told, number)).start()
    assert Job(command(told))()[0] == 143
    assert told.read_text() == number.name
    assert signal.getsignal(number) == before


@need("submitit")
def test_a_preempted_job_saves_before_it_is_queued_again(tmp_path: Path) -> None:
    told, again = tmp_path / "told", []
    job = Job(command(told))

    def preempt(number: int, frame: object) -> None:
        again.append(job.checkpoint())
        again.append(told.read_text())  # it has saved by now

    before = signal.signal(signal.SIGUSR2, preempt)
    try:
        threading.Thread(target=_tell_when_ready, args=(told, signal.SIGUSR2)).start()
        assert job()[0] == 143
    finally:
        signal.signal(signal.SIGUSR2, before)
    queued, saved = again
    assert saved == "SIGTERM"
    assert pickle.loads(pickle.dumps(queued)).result() == (0, "")  # it goes on where it was


@need("submitit")
def test_a_job_that_has_not_begun_or_has_ended_is_queued_as_it_is(tmp_path: Path) -> None:
    job = Job([sys.executable, "-c", "print(1)"])
    assert job.checkpoint().function.command == job.command
    assert job() == (0, "")
    assert job.checkpoint().function.command == job.command


def _tell_when_ready(told: Path, number: signal.Signals) -> None:
    until = time.monotonic() + 60
    while not Path(f"{told}.ready").exists() and time.monotonic() < until:
        time.sleep(0.01)
    os.kill(os.getpid(), number)
