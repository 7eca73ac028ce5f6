"""``python -m reidar_plugin``: what it says before there is a script."""

import pytest

from reidar_plugin import __main__ as command
from reidar_plugin.__main__ import main


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "error: no script given; expected the toolbox's launch script, such as scripts/main.py"),
        (["--root"], "error: expected a script, got the flag '--root'; flags of the script come after it"),
    ],
)
def test_no_script_is_one_line_after_the_usage(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [command.USAGE.strip(), message]


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_is_no_error(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([flag]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(command.USAGE)
    assert "--config-file CONFIG" in said.out
    assert said.err == ""


def test_everything_after_the_script_is_the_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    monkeypatch.setattr(command, "run_script", lambda *given: seen.extend(given) or 7)
    assert main(["main.py", "--help", "a b"]) == 7
    assert seen == ["main.py", ["--help", "a b"]]
