"""A headless Chromium, driven over DevTools through a pipe; nothing but Chromium itself is needed."""

import fcntl
import itertools
import json
import os
import select
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

__all__ = ["Browser", "open_browser"]

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--hide-scrollbars",
)


class Browser:
    """A browser with one page.

    Args:
        commands: where to write commands.
        answers: where answers and events come from.
    """

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers, self._rest = commands, answers, b""
        self._ids = itertools.count(1)
        self._session: str | None = None
        self.requests: list[str] = []  #: addresses that the page asked for
        self.errors: list[str] = []  #: exceptions, and what its Content-Security-Policy refused
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log", "Accessibility"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Give a command, and wait for its answer."""
        number = next(self._ids)
        message = {"id": number, "method": method, "params": arguments}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            found = self._next()
            if found.get("id") == number:
                assert "error" not in found, (method, found["error"])
                return found["result"]

    def open(self, path: Path) -> None:
        """Load a file, and wait until it is whole."""
        self.requests.clear()
        self.errors.clear()
        self.call("Page.navigate", url=path.as_uri())
        self.run(
            "new Promise((done) => document.readyState === 'complete' ? done() : addEventListener('load', done))"
        )
        assert self.run("location.href") == path.as_uri()

    def run(self, script: str) -> Any:
        """The value of an expression, awaited if it is a promise."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def press(self, key: str) -> None:
        """Press a key and let it go."""
        text = {"Enter": "\r"}.get(key, "")
        code = {"Tab": 9, "Enter": 13, "ArrowRight": 39}[key]
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, text=text
            )

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            assert select.select([self._answers], [], [], 60)[0], "Chromium has not answered for a minute"
            part = os.read(self._answers, 2**20)
            assert part, "Chromium ended"
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        found = json.loads(message)
        told = found.get("params", {})
        if found.get("method") == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif found.get("method") == "Runtime.exceptionThrown":
            self.errors.append(told["exceptionDetails"]["text"])
        elif found.get("method") == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.errors.append(told["entry"]["text"])
        return found


@contextmanager
def open_browser(profile: Path) -> Iterator[Browser]:
    """Start Chromium, and end it with all its processes; a test is skipped where there is none.

    Args:
        profile: an empty folder for what it keeps. Its processes may still write there when this returns: who made the
            folder must not count on emptying it at once.
    """
    if not CHROMIUM:
        pytest.skip("needs Chromium: apt-get install chromium, or set CHROMIUM to its path")
    ours, theirs = os.pipe(), os.pipe()
    read, write = (fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in (ours[0], theirs[1]))

    def connect() -> None:
        os.dup2(read, 3)
        os.dup2(write, 4)

    command = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=connect,
        pass_fds=(3, 4),
        start_new_session=True,
    )
    for end in (ours[0], theirs[1], read, write):
        os.close(end)
    try:
        yield Browser(ours[1], theirs[0])
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(ours[1])
        os.close(theirs[0])
