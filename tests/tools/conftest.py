"""Two data sets and their configs, for the tools that run a chain of runs."""

from pathlib import Path

import pytest

from reidar_plugin.launch import runner, subprocesses
from tests import fakes
from tests.tools.chains import TINY


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_chart: object) -> Path:
    """Two data sets of different people, a config for each; runs stay in this process."""
    fakes.write_mars(tmp_path, train_people=3, test_people=2)
    fakes.write_prid2011(tmp_path)
    (tmp_path / "mars.yaml").write_text(TINY % ("mars_actions", "mars_actions", 1))
    (tmp_path / "prid.yaml").write_text(
        TINY % ("prid2011", "prid2011", 2)
    )  # a seed of its own: what is alike went over
    monkeypatch.setattr(subprocesses, "start", runner.main)
    return tmp_path
