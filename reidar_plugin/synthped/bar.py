"""How far the drawing has come, for those who wait."""

import sys
import time

__all__ = ["Bar"]


class Bar:
    """Frames drawn, frames a second and time left, on one line of stderr.

    Where stderr is no terminal, and nobody asks for the bar to be ``live``, it says only when drawing begins and ends.

    Args:
        title: what comes before it.
        live: whether to show every step; None: on a terminal only.
    """

    def __init__(self, title: str = "", live: bool | None = None) -> None:
        self._title, self._live = title, sys.stderr.isatty() if live is None else live
        self._start, self._first = time.monotonic(), -1

    def __call__(self, done: int, total: int) -> None:
        """Take notice of ``done`` of ``total`` frames."""
        begins = self._first < 0
        if begins:
            self._first = done
        if self._live:
            self._draw(done, total)
        elif begins or done == total:
            self._write(f"{self._title}{done}/{total} frames\n")

    def _draw(self, done: int, total: int) -> None:
        spent = max(time.monotonic() - self._start, 1e-3)
        rate = (done - self._first) / spent
        left = f"{(total - done) / rate:.0f} s left" if rate else ""
        filled = 30 * done // max(total, 1)
        marks = "#" * filled + "." * (30 - filled)
        line = f"\r{self._title}[{marks}] {done}/{total} frames, {rate:.0f} a second, {left:<12}"
        self._write(line + "\n" * (done == total))

    @staticmethod
    def _write(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
