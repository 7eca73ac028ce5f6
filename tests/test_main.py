"""``python -m reidar_plugin``: what it says without a script; that scripts run is in launch/test_script.py."""

from pathlib import Path

import pytest

from reidar_plugin.__main__ import main


def test_without_a_script_it_says_what_it_expects(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("usage: python -m reidar_plugin SCRIPT [ARGS ...]\nerror: no script given")


def test_a_flag_before_the_script_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config-file", "joint.yaml"]) == 2
    assert "expected a script, got the flag '--config-file'" in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_shows_a_launch_line(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([flag]) == 0
    out, err = capsys.readouterr()
    assert "python -m reidar_plugin path/to/scripts/main.py" in out
    assert err == ""


def test_a_missing_script_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "nowhere.py")]) != 0
    err = capsys.readouterr().err
    assert "nowhere.py" in err
    assert len(err.strip().splitlines()) == 1
