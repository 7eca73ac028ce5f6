"""The campaign against every door: what it calls a failure, and that it comes to the same again."""

import os
import random
import time
from pathlib import Path
from typing import Any

import pytest

from reidar_plugin.errors import InputError
from reidar_plugin.labels import files

TOOLS = Path(__file__).resolve().parents[2] / "tools"


@pytest.fixture
def campaign(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(TOOLS))
    from torments import campaign

    monkeypatch.setattr(campaign, "SECONDS", 2.0)
    monkeypatch.setattr(campaign, "MEGABYTES", 100)
    return campaign


class Faulty:
    """A door that answers case n in the n-th way."""

    name, names_file = "faulty", True

    def prepare(self, folder: Path) -> None:
        self.number = -1

    def case(self, folder: Path, chance: random.Random) -> Path:
        path = folder / "case.txt"
        path.write_text(str(chance.random()))
        return path

    def ask(self, path: Path) -> None:
        raise NotImplementedError


def test_what_is_a_failure(campaign: Any, tmp_path: Path) -> None:
    def refused(path: Path) -> None:
        raise InputError(f"{path}: expected 1, got 2")

    def unnamed(path: Path) -> None:
        raise InputError("expected 1, got 2")

    def long(path: Path) -> None:
        raise InputError(f"{path}: {'a' * 1000}")

    def lines(path: Path) -> None:
        raise InputError(f"{path}: one\ntwo")

    def traceback(path: Path) -> None:
        raise KeyError("x")

    def wrong(path: Path) -> None:
        raise campaign.WrongAnswerError("1 of 2")

    def greedy(path: Path) -> None:
        bytearray(b"\1") * (300 * 2**20)

    expected = {
        refused: ("refused", "expected 1, got 2"),
        unnamed: ("failed", "does not name the file"),
        long: ("failed", "a line of"),
        lines: ("failed", "more than one line"),
        traceback: ("failed", "traceback: KeyError"),
        wrong: ("failed", "wrong answer: 1 of 2"),
        greedy: ("failed", "took "),
        (lambda path: None): ("answered", ""),
    }
    for ask, (verdict, words) in expected.items():
        door = Faulty()
        door.ask = ask  # type: ignore[method-assign]
        tally = campaign.run_door(door, tmp_path / "faulty", 0, 60, most=1)
        assert dict(tally.counts) == {verdict: 1}, (ask, tally)
        if verdict == "failed":
            assert words in tally.failures[0].words


def test_a_crash_and_a_hang_end_a_case_and_not_the_campaign(campaign: Any, tmp_path: Path) -> None:
    door, asked = Faulty(), tmp_path / "asked"

    def ask(path: Path) -> None:
        number = int(asked.read_text()) if asked.exists() else 0
        asked.write_text(str(number + 1))
        if number == 1:
            os._exit(9)
        if number == 2:
            time.sleep(60)

    door.ask = ask  # type: ignore[method-assign]
    tally = campaign.run_door(door, tmp_path / "faulty", 0, 60, most=4)
    assert dict(tally.counts) == {"answered": 2, "failed": 2}
    assert [(case.number, case.words) for case in tally.failures] == [
        (1, "the process ended with status 9"),
        (2, "no answer within 2 seconds"),
    ]
    kept = {path.name: path.read_text() for path in (tmp_path / "failures").iterdir()}
    assert kept == {f"faulty-{n}.txt": str(random.Random(f"0/faulty/{n}").random()) for n in (1, 2)}


def test_a_reader_with_a_fault_is_found(
    campaign: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torments.tables import LabelFiles

    clean = campaign.run_door(LabelFiles(), tmp_path / "labels", 0, 60, most=60)
    assert not clean.failures
    assert {"answered", "refused"} == set(clean.counts)
    monkeypatch.setattr(
        files.LabelTable, "__init__", lambda self, path, entries, numbers: _less(self, entries)
    )
    assert campaign.run_door(LabelFiles(), tmp_path / "labels", 0, 60, most=60).failures


def _less(table: Any, entries: dict[str, Any]) -> None:
    object.__setattr__(table, "entries", dict(list(entries.items())[1:]))


@pytest.mark.slow
def test_every_door_holds(campaign: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("av")
    import torture

    status = torture.main(["--cases", "8", "--seed", "3", "--folder", str(tmp_path)])
    told = capsys.readouterr().out
    assert status == 0, told
    rows = told.strip().splitlines()[-len(torture.DOORS) :]
    assert all(" 8 " in row for row in rows), told
