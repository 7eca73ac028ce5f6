"""The campaign against every door: what it calls a failure, and that it comes to the same again."""

import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from reidar_plugin.errors import InputError
from reidar_plugin.io.atomic import write_atomically
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

    def case(self, folder: Path, number: int, chance: random.Random) -> Path:
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

    # what the allocator keeps below a block that is held: a greedy case would take it, and no peak would rise
    freed = [bytes(50_000) for _ in range(10_000)]
    held = bytes(50_000)
    del freed
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
    del held


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
def test_every_door_holds(
    campaign: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for extra in ("av", "onnx", "onnxruntime", "pyarrow"):
        pytest.importorskip(extra)
    monkeypatch.setattr(campaign, "SECONDS", 60.0)
    monkeypatch.setattr(campaign, "MEGABYTES", 600)
    import torture
    from torments.doors import DOORS
    from torments.struck import Struck

    doors = [door.name for door in DOORS if not isinstance(door, Struck)]
    status = torture.main(["--cases", "8", "--seed", "3", "--folder", str(tmp_path), "--doors", *doors])
    told = capsys.readouterr().out
    assert status == 0, told
    rows = told.strip().splitlines()[-len(doors) :]
    assert all(" 8 " in row for row in rows), told


@pytest.fixture
def strike(campaign: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    from torments import strike

    monkeypatch.setattr(campaign, "SECONDS", 60.0)
    monkeypatch.setattr(campaign, "MEGABYTES", 600)
    if not strike.POSSIBLE:
        pytest.skip("calls are watched on Linux on x86-64 alone")
    return strike


def test_each_call_is_struck(strike: Any, tmp_path: Path) -> None:
    path = tmp_path / "file"

    def act() -> None:
        (tmp_path.parent / "elsewhere").write_bytes(b"does not count")
        write_atomically(path, b"new!")

    def struck(at: int, blow: str) -> Any:
        path.write_bytes(b"old")
        return strike.strike(act, tmp_path, at, strike.Blow[blow])

    calls = struck(0, "KILL").calls
    assert [calls.count(name) for name in ("openat", "write", "fsync", "rename")] == [1, 1, 2, 1]
    write, rename = calls.index("write") + 1, calls.index("rename") + 1
    for at in range(1, len(calls) + 1):
        killed = struck(at, "KILL")
        assert (killed.verdict, killed.struck, killed.calls) == ("killed", calls[at - 1], calls[:at])
        assert path.read_bytes() == (b"old" if at <= rename else b"new!")
    for blow, words in (("FULL", "No space left on device"), ("FAULT", "Input/output error")):
        told = struck(write, blow)
        assert told.verdict == "refused"
        assert words in told.words
        assert path.read_bytes() == b"old"
    assert killed.elsewhere == [str(tmp_path.parent / "elsewhere")]
    for at in range(1, rename):  # the disk stays as it is from there on
        told = struck(at, "READ_ONLY")
        assert (told.verdict, told.struck) == ("refused", calls[at - 1])
        assert "Read-only file system" in told.words
        assert [path.read_bytes() for path in tmp_path.iterdir() if path.suffix != ".part"] == [b"old"]
    halved = struck(write, "SHORT")
    assert (halved.verdict, halved.calls.count("write"), path.read_bytes()) == ("done", 2, b"new!")


def test_other_processes_of_whoever_strikes_are_let_alone(strike: Any, tmp_path: Path) -> None:
    other = subprocess.Popen(["sleep", "60"])
    try:
        ending = strike.strike(lambda: (tmp_path / "file").touch(), tmp_path, 0, strike.Blow.KILL)
        assert (ending.verdict, other.poll()) == ("done", None)
    finally:
        other.kill()
        assert other.wait() == -9


class _InPlace:
    """Writes over what is there."""

    name, to_the_byte = "in place", True

    def prepare(self, folder: Path) -> None: ...

    def begin(self, folder: Path) -> None:
        (folder / "file").write_text("old")

    def place(self, folder: Path) -> Path:
        return folder

    def do(self, folder: Path) -> None:
        with (folder / "file").open("w") as file:
            file.write("new")

    def look(self, folder: Path) -> str:
        return (folder / "file").read_text()

    def between(self, done: Path) -> tuple[str, ...]:
        return ()


def test_files_of_others_and_the_network_are_seen(strike: Any, tmp_path: Path) -> None:
    def act() -> None:
        (tmp_path.parent / "sibling").mkdir()
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
        socket.socketpair()[0].close()  # within this machine

    (tmp_path.parent / "sib").mkdir()
    ending = strike.strike(act, tmp_path.parent / "sib", 0, strike.Blow.KILL)
    assert (ending.verdict, ending.elsewhere, ending.sockets) == (
        "done",
        [str(tmp_path.parent / "sibling")],
        1,
    )


def test_a_file_that_is_written_in_place_is_found(strike: Any, campaign: Any, tmp_path: Path) -> None:
    from torments.struck import Struck

    tally = campaign.run_door(Struck(_InPlace()), tmp_path / "in-place", 0, 60)  # all that there are
    told = " ".join(case.words for case in tally.failures)
    assert "kill -9 at call 2, write: found ''" in told
    assert "disk full at call 2, write: OSError" in told


def test_only_the_blows_that_are_asked_for(strike: Any, campaign: Any, tmp_path: Path) -> None:
    from torments.struck import Struck

    door = Struck(_InPlace())
    door.allowed = [strike.Blow.KILL]
    tally = campaign.run_door(door, tmp_path / "in-place", 0, 60)
    assert tally.counts.total() == door.count > 2
    assert all("kill -9" in case.words for case in tally.failures)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("deed", "cases"), [("Labelling", 30), ("Saving", 20), ("Testing", 15), ("Answering", 15), ("Drawing", 6)]
)
def test_a_deed_holds_at_its_calls(strike: Any, campaign: Any, deed: str, cases: int, tmp_path: Path) -> None:
    """Of labelling at every call; ``make torture`` goes on with the others, and with galleries and training."""
    from torments import deeds
    from torments.struck import Struck

    door = Struck(getattr(deeds, deed)())
    tally = campaign.run_door(door, tmp_path / "deed", 0, 600, most=cases)
    assert tally.failures == []
    assert door.count == 30 or deed != "Labelling"
    assert tally.counts["refused"] >= cases // 5


DEED_NAMES = ("Saving", "Testing", "Labelling", "Answering", "Adding", "Drawing", "Training")


class Done(NamedTuple):
    """A deed that was done once, and watched."""

    deed: Any
    before: Path  # what it began from
    place: Path
    ending: Any


@pytest.fixture(scope="module", params=DEED_NAMES)
def done(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    if request.param == "Adding":
        pytest.importorskip("lancedb")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(TOOLS))
        from torments import deeds, strike

        if not strike.POSSIBLE:
            pytest.skip("calls are watched on Linux on x86-64 alone")
        deed, folder = getattr(deeds, request.param)(), tmp_path_factory.mktemp("deed")
        before, place = folder / "before", folder / "place"
        deed.prepare(folder)
        before.mkdir()
        strike.in_a_child(lambda: deed.begin(before))
        shutil.copytree(before, place)
        yield Done(deed, before, place, strike.strike(lambda: deed.do(place), place, 0, strike.Blow.KILL))


def _ours(path: str) -> bool:
    """Shared memory is a file; matplotlib, if it is installed, keeps settings and fonts, and has fontconfig list these."""
    homes = [str(Path.home() / name) for name in (".cache", ".config")]
    libraries = {"matplotlib", "fontconfig", ".fontconfig"}
    return (
        not path.startswith(("/dev/shm/", "/dev/null"))
        and libraries.isdisjoint(Path(path).parts)
        and path not in homes
    )


def test_nothing_is_written_elsewhere_and_no_network_is_reached(done: Done) -> None:
    assert done.ending.verdict == "done", done.ending
    assert len(done.ending.calls) >= 8
    assert [path for path in done.ending.elsewhere if _ours(path)] == []
    assert done.ending.sockets == 0


def test_a_clock_that_jumps_changes_nothing(done: Done, strike: Any, tmp_path: Path) -> None:
    """By years, at each look, to and fro."""
    looks: list[float] = []

    def jumping() -> float:
        looks.append(2e9 * (len(looks) % 2))
        return looks[-1]

    def do(folder: Path) -> Any:
        time.time, time.time_ns = jumping, lambda: int(jumping() * 1e9)
        assert time.time() != time.time()
        done.deed.do(folder)
        return done.deed.look(folder)

    shutil.copytree(done.before, tmp_path / "place")
    expected = strike.in_a_child(lambda: done.deed.look(done.place))
    assert strike.in_a_child(lambda: do(tmp_path / "place")) == expected
