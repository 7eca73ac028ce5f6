"""What is left when a process is killed."""

import signal
import subprocess
import sys
import time

import pytest

CHILD = """
import sys
from reidar_plugin.ranks.orphans import end_with_parent
end_with_parent(int(sys.argv[1]))
print('up', flush=True)
input()
"""
PARENT = f"""
import os, subprocess, sys
command, pipe = [sys.executable, "-c", {CHILD!r}, str(os.getpid())], subprocess.PIPE
child = subprocess.Popen(command, stdin=pipe, stdout=pipe, start_new_session=True)
child.stdout.readline()
print(child.pid, flush=True)
input()
"""


LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's end")


@LINUX
def test_a_parent_that_had_ended_before() -> None:
    with subprocess.Popen(["true"]) as gone:
        pass
    child = subprocess.run([sys.executable, "-c", CHILD, str(gone.pid)], stdout=subprocess.PIPE, timeout=60)
    assert (child.returncode, child.stdout) == (-signal.SIGTERM, b"")


@LINUX
def test_a_child_ends_when_its_parent_is_killed() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert alive(child)
    parent.kill()
    parent.wait()
    for _ in range(600):
        if not alive(child):
            return
        time.sleep(0.1)
    pytest.fail("the child goes on")


def alive(pid: int) -> bool:
    """Whether it runs; a zombie that nobody has waited for does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
