"""What a job of a cluster does. It imports nothing heavy: the run that it starts does that once more."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

__all__ = ["Job"]


class Job:
    """A run in a process of its own, which saves and is queued again when the job has to end before it.

    Args:
        command: the words of the process.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self.command = list(command)
        self._process: subprocess.Popen[bytes] | None = None

    def __call__(self) -> tuple[int, str]:
        """Run it; returns its status, and the last line that it wrote to its standard error."""
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
            self._process = process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,  # the cluster's signals go to the whole group, and SIGUSR2 would end it
            )
            with _passed_on(process):
                while process.poll() is None:
                    time.sleep(0.1)
            said.seek(0)
            lines = said.read().strip().splitlines()
        sys.stderr.write("".join(f"{line}\n" for line in lines))
        return process.returncode, lines[-1] if lines else ""

    def checkpoint(self) -> Any:
        """What submitit queues again, asked in a signal handler: the same, once it has saved."""
        from submitit.helpers import DelayedSubmission

        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            with suppress(ChildProcessError):  # it had ended before
                # the signal may have come while Popen holds the lock of its own waiting
                os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        return DelayedSubmission(Job(self.command))


@contextmanager
def _passed_on(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Within the block the process is told what this one is told: a job that is cancelled lets its run save."""
    told = (signal.SIGTERM, signal.SIGINT)
    before = {
        number: signal.signal(number, lambda number, frame: process.send_signal(number)) for number in told
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
