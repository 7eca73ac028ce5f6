"""What the README promises: its lines run, its links lead somewhere, its config is one that we take."""

import re
from pathlib import Path

import pytest

import reidar_plugin
from reidar_plugin.config.files import checked
from reidar_plugin.host.defaults import toolbox_config
from reidar_plugin.launch.validation import check_config
from tests.standin import REPO

README = (REPO / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)
    assert len(found) == 1
    return found[0]


@pytest.mark.slow
def test_library_lines_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from reidar_plugin import synthped

    monkeypatch.chdir(tmp_path)
    synthped.make(tmp_path / "reid-data", preset="tiny", folder="synthped")
    lines = block("python")
    assert len(lines.splitlines()) <= 12
    exec(compile(lines, "README.md", "exec"), {})
    assert "Rank-1  :" in capsys.readouterr().out
    assert (tmp_path / "log" / "model" / "model.pth.tar-1").exists()


def test_config_is_taken(tmp_path: Path) -> None:
    reidar_plugin.enable()
    cfg = checked(reidar_plugin.add_reidar_config(toolbox_config()))
    (tmp_path / "joint.yaml").write_text(block("yaml"), encoding="utf-8")
    cfg.merge_from_file(str(tmp_path / "joint.yaml"))
    check_config(cfg)
    assert cfg.loss.name == "reidar"


def test_links_lead_somewhere() -> None:
    for page in [REPO / "README.md", *(REPO / "docs").glob("*.md")]:
        links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
        missing = [link for link in links if not (page.parent / link).exists()]
        assert not missing, f"{page.name}: {missing}"


def test_test_command_is_what_ci_calls() -> None:
    assert re.search(r"^    make test\b", README, flags=re.MULTILINE)
    assert re.search(r"^make test\b", (REPO / ".ci" / "run").read_text(encoding="utf-8"), flags=re.MULTILINE)
