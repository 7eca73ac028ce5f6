"""tools/report.py: a run's folder becomes a page, and what is no run says so."""

from pathlib import Path

import pytest

from reidar_plugin.report.results import write_results
from tests.report.made_up import made_up
from tests.tools.guarded import guarded
from tools import report

main = guarded(report.main)


def test_a_run_becomes_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_results(made_up("my model"), tmp_path)
    assert main([str(tmp_path)]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "report.html")
    assert "<h1>Test of my model</h1>" in (tmp_path / "report.html").read_text()


def test_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert (
        capsys.readouterr().err
        == f"error: no results at {tmp_path / 'results.json'}; a test writes them to its save_dir\n"
    )
    (tmp_path / "report.html").write_text("of a recognition")
    assert main([str(tmp_path)]) == 2
    assert f"save_dir; {tmp_path / 'report.html'} is there, open that\n" in capsys.readouterr().err
    assert (tmp_path / "report.html").read_text() == "of a recognition"
