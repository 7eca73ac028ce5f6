"""The tool that draws a set: what it prints, what it refuses."""

from pathlib import Path

import pytest

from tests.tools.guarded import guarded
from tools import make_synthped

main = guarded(make_synthped.main)


def test_draws_a_set_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--root", str(tmp_path), "--preset", "tiny", "--people", "8", "--workers", "1", "--progress"]
    assert main(arguments) == 0
    said = capsys.readouterr()
    assert said.out == f"{tmp_path / 'mars'}\n"
    frames = len(list(tmp_path.rglob("*.jpg")))
    assert said.err.splitlines() == [f"0/{frames} frames", f"{frames}/{frames} frames"]
    assert main(arguments) == 0
    assert capsys.readouterr().err == ""  # nothing is drawn again
    assert main([*arguments, "--seed", "4"]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("error: ")
    assert "seed 0 (asked for: 4)" in said.err
    assert said.err.count("\n") == 1


def test_refuses_three_numbers_of_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--root", str(tmp_path), "--preset", "tiny", "--people", "5", "6", "7"])
    assert "--people takes one number or two (to train on, to test on), got 3" in capsys.readouterr().err


def test_films_a_street(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("av")
    arguments = ["--root", str(tmp_path), "--videos", "--people", "3", "--cameras", "1", "--seconds", "2"]
    assert main([*arguments, "--rate", "5", "--size", "96", "160"]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'street'}\n"
    assert {path.name for path in (tmp_path / "street").iterdir()} == {
        *("actions.csv", "people.csv", "cameras.yaml", "synthped.json", "camera-1.mp4", "gt", "tracks")
    }
    assert main([*arguments, "--rate", "1"]) == 2
    assert "rate must be 5 ... 60 frames a second, got 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--videos", "--preset", "tiny"], "--preset is for tracklets"),
        (["--videos", "--workers", "2"], "--workers is for tracklets"),
        (["--sheets", "--layout", "lpw"], "--layout is for tracklets: leave it out with --sheets"),
        (["--sheets", "--videos"], "not allowed with argument"),
        (["--seconds", "5"], "--seconds is for videos"),
    ],
)
def test_flags_of_the_other_kind(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--root", str(tmp_path), *arguments])
    assert said in capsys.readouterr().err
