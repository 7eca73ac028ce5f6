"""What README.md and the pages promise: lines run, the config is taken, links and files that they name are there."""

import os
import re
from pathlib import Path

import pytest

import reidar_plugin
from reidar_plugin.config.files import checked
from reidar_plugin.host.defaults import toolbox_config
from reidar_plugin.launch.validation import check_config
from tests.standin import REPO

README = (REPO / "README.md").read_text(encoding="utf-8")
PAGES = [*sorted(REPO.glob("*.md")), *sorted((REPO / "docs").glob("*.md"))]


def block(language: str, place: int = 0, of: int = 1) -> str:
    found = re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)
    assert len(found) == of
    return found[place]


@pytest.mark.slow
@pytest.mark.usefixtures("no_chart")
def test_python_lines_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from reidar_plugin import synthped

    lines, more = block("python", 0, of=2), block("python", 1, of=2)
    for each in (lines, more):
        assert len([line for line in each.splitlines() if line]) <= 10
    monkeypatch.chdir(tmp_path)
    os.symlink(REPO / "configs", tmp_path / "configs")
    synthped.make(
        tmp_path / "reid-data", preset="tiny", people=(24, 10), folder="synthped"
    )  # else the lines draw a larger one
    names: dict[str, object] = {}
    exec(compile(lines, "README.md", "exec"), names)
    said = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"SynthPed usual 0\.\d+ 0\.\d+|SynthPed usual 1\.0 1\.0", said[-2])
    assert said[-1].startswith("{'precision': ")
    assert (tmp_path / "log" / "python" / "results.json").exists()
    assert type(names["engine"]).__name__ == "JointEngine"
    exec(compile(more, "README.md", "exec"), {})
    answers = capsys.readouterr().out.splitlines()
    assert answers
    for answer in answers:
        assert re.fullmatch(r"\d+ \(\d+,\) \{'walking': .*\}", answer)


def test_config_is_taken(tmp_path: Path) -> None:
    reidar_plugin.enable()
    cfg = checked(reidar_plugin.add_reidar_config(toolbox_config()))
    (tmp_path / "joint.yaml").write_text(block("yaml"), encoding="utf-8")
    cfg.merge_from_file(str(tmp_path / "joint.yaml"))
    check_config(cfg)
    assert cfg.loss.name == "reidar"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]*)(#[^)]+)?\)", text)
    missing = []
    for target, anchor in links:
        file = page.parent / target if target else page
        if not file.exists() or (anchor and file.suffix == ".md" and anchor[1:] not in _anchors(file)):
            missing.append(target + anchor)
    assert not missing, f"{page.name}: {missing}"


def _anchors(page: Path) -> set[str]:
    """Anchors of the headings of a page: lower case, words joined by ``-``, other characters dropped."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_named_in_a_page_are_there(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if "`, new |" not in line)  # files that a recipe tells to write
    named = set(re.findall(r"(?<![\w/.\-])((?:tools|configs|docs|tests|reidar_plugin)/[\w./-]+\.\w+)", text))
    missing = sorted(name for name in named if not (REPO / name).exists())
    assert not missing, f"{page.name}: {missing}"


def test_test_command_is_what_ci_calls() -> None:
    assert re.search(r"^    make test\b", README, flags=re.MULTILINE)
    assert re.search(r"^make test\b", (REPO / ".ci" / "run").read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_every_page_is_on_the_map() -> None:
    index = (REPO / "docs" / "index.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"\]\((\w[\w-]*\.md)\)", index))
    assert linked == {path.name for path in (REPO / "docs").glob("*.md")} - {"index.md"}


def test_every_tool_is_on_the_map() -> None:
    index = (REPO / "docs" / "index.md").read_text(encoding="utf-8")
    missing = [
        path.name for path in sorted((REPO / "tools").glob("*.py")) if f"tools/{path.name}" not in index
    ]
    assert not missing
