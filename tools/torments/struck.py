"""Every deed, struck at every call by which it changes files: what was there or what is to be is whole, and it goes on."""

import math
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reidar_plugin.errors import ReidarError

from .campaign import WrongAnswerError
from .deeds import Deed, digests
from .strike import Blow, in_a_child, strike

__all__ = ["Struck", "StruckError"]


class StruckError(ReidarError):
    """What a deed said of a disk that failed."""


class Struck:
    """A deed that is killed, or told that the disk is full or faulty, at the n-th call; then it is done again.

    Case after case takes all calls and blows that are allowed in turn, in an order that soon has been everywhere.
    """

    names_file = False
    allowed: Sequence[Blow] = tuple(Blow)

    def __init__(self, deed: Deed) -> None:
        self.deed, self.name = deed, deed.name

    def prepare(self, folder: Path) -> None:
        """Do it once without a blow."""
        self.before, self.case_folder, done = folder / "before", folder / "case", folder / "done"
        for path in (self.before, done, self.case_folder):
            shutil.rmtree(path, ignore_errors=True)
        self.deed.prepare(folder)
        self.before.mkdir()
        in_a_child(lambda: self.deed.begin(self.before))
        shutil.copytree(self.before, done)
        ending = strike(lambda: self.deed.do(done), self.deed.place(done), 0, Blow.KILL)
        if ending.verdict != "done":
            raise RuntimeError(f"{self.name}: {ending}")
        calls = list(enumerate(ending.calls, start=1))
        self.blows = [(at, blow) for at, call in calls for blow in self.allowed if blow.fits(call)]
        self.count = len(self.blows)
        self.after = self._look(done)
        self.right = [self._look(self.before), self.after, *in_a_child(lambda: list(self.deed.between(done)))]
        self.files = digests(done)

    def case(self, folder: Path, number: int, chance: random.Random) -> Path:
        """What is there before, and which call is struck."""
        count = len(self.blows)
        step = next(
            step for step in range(int(count * 0.618) | 1, 2 * count + 3) if math.gcd(step, count) == 1
        )
        self.at, self.blow = self.blows[number * step % count]
        shutil.rmtree(self.case_folder, ignore_errors=True)
        shutil.copytree(self.before, self.case_folder)
        return self.case_folder

    def ask(self, path: Path) -> None:
        """Strike, look, do it again, look again."""
        ending = strike(lambda: self.deed.do(path), self.deed.place(path), self.at, self.blow)
        where = f"{self.blow.value} at call {self.at}, {ending.struck or 'none'}"
        if ending.verdict == "traceback":
            raise WrongAnswerError(f"{where}: {ending.words}")
        found, again, files = in_a_child(lambda: self._go_on(path))
        if found not in self.right:
            raise WrongAnswerError(f"{where}: found {found!r:.200}, expected one of {self.right!r:.300}")
        if ending.verdict == "done" and found != self.after:
            raise WrongAnswerError(f"{where}: said that it was done, found {found!r:.200}")
        if again != self.after:
            raise WrongAnswerError(f"{where}: done again, it is {again!r:.200}")
        if self.deed.to_the_byte and files != self.files:
            other = {name for name, _ in files.items() ^ self.files.items()}
            raise WrongAnswerError(f"{where}: done again, other bytes in {', '.join(sorted(other))}")
        if ending.verdict == "refused":
            raise StruckError(ending.words)

    def _go_on(self, folder: Path) -> tuple[Any, Any, dict[str, str]]:
        found = self.deed.look(folder)
        self.deed.do(folder)
        return found, self.deed.look(folder), digests(folder)

    def _look(self, folder: Path) -> Any:
        return in_a_child(lambda: self.deed.look(folder))
