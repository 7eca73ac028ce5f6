"""Training on each of two data sets, testing on both."""

from pathlib import Path

import pytest

from reidar_plugin.errors import ConfigError
from reidar_plugin.launch import subprocesses
from reidar_plugin.report import results
from reidar_plugin.report.results import Results, read_results
from tests.tools.chains import value
from tools import cross_test


def test_a_cross_test_loads_the_best_of_its_own_run(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[list[str]] = []
    monkeypatch.setattr(subprocesses, "start", calls.append)
    monkeypatch.setattr(subprocesses, "best_checkpoint", lambda folder: Path(folder, "best"))
    monkeypatch.setattr(results, "read_results", lambda place: Results("x", (), None, {}, {}, {}))
    cross_test.cross_test([str(home / "mars.yaml"), str(home / "prid.yaml")], str(home / "cross"))
    tests = [words for words in calls if "test.evaluate" in words]
    assert [Path(value(words, "data.save_dir")).name for words in tests] == [
        "mars-on-mars",
        "mars-on-prid",
        "prid-on-mars",
        "prid-on-prid",
    ]
    assert [Path(value(words, "model.load_weights")) for words in tests] == [
        home / "cross" / name / "best" for name in ("mars", "mars", "prid", "prid")
    ]
    assert [value(words, "-t") for words in tests] == ["mars", "prid2011"] * 2  # no labels are asked for
    assert len(calls) == 2 + 4


@pytest.mark.slow
def test_every_pair_is_tested(home: Path) -> None:
    configs = [str(home / "mars.yaml"), str(home / "prid.yaml")]
    rows = cross_test.cross_test(configs, str(home / "cross"), str(home))
    assert [row[:2] for row in rows] == [
        ["mars", "MARS usual"],
        ["mars", "MARS no-distractors"],
        ["mars", "MARS mixing"],
        ["mars", "PRID2011 split-0"],
        ["prid", "MARS usual"],
        ["prid", "MARS no-distractors"],
        ["prid", "MARS mixing"],
        ["prid", "PRID2011 split-0"],
    ]
    kept = read_results(home / "cross/prid-on-mars").retrieval[0]
    assert rows[4][4] == f"{100 * kept['metrics']['rank-1']:.2f}"
    assert rows[4][3] == f"{kept['counts']['valid']} of {kept['counts']['queries']}"


def test_configs_of_one_name_cannot_share_a_folder() -> None:
    with pytest.raises(ConfigError, match=r"expected different names, got \['base'\] twice"):
        cross_test.main(["configs/re-id-ar/base.yaml", "configs/asanet/base.yaml"])
