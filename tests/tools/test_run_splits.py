"""Every split of a data set, and their mean."""

from dataclasses import replace
from pathlib import Path

import pytest

from reidar_plugin.errors import ConfigError
from reidar_plugin.launch import subprocesses
from reidar_plugin.report.results import write_results
from tests.report.made_up import made_up
from tests.tools.chains import TINY
from tools import run_splits


def test_every_split_is_a_run_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "prid.yaml").write_text(
        TINY % ("prid2011", "prid2011", 2)
    )  # a seed of its own: what is alike went over
    calls: list[list[str]] = []
    made = made_up()

    def start(words: list[str]) -> None:
        calls.append(words)
        given = dict(zip(words[-4::2], words[-3::2], strict=True))
        split = int(given["data.split_id"])
        metrics = {"mAP": split / 10, "mINP": 0.0}
        record = {**made.retrieval[0], "protocol": f"PRID2011 split-{split}", "metrics": metrics}
        write_results(replace(made, retrieval=(record,)), given["data.save_dir"])

    monkeypatch.setattr(subprocesses, "start", start)
    words = [str(tmp_path / "prid.yaml"), "--root", "data", "--save-dir", str(tmp_path / "log")]
    run_splits.main([*words, "train.lr", "0.1"])
    folders = [tmp_path / f"log/split-{split}" for split in range(10)]
    assert [call[-1] for call in calls] == [str(folder) for folder in folders]
    assert calls[3][:-1] == [
        *("--config-file", words[0], "--root", "data", "train.lr", "0.1"),
        *("data.split_id", "3", "data.save_dir"),
    ]
    table = capsys.readouterr().out
    assert "mean of 10 splits 45.00" in " ".join(table.split())
    run_splits.main(
        [words[0], "--splits", "4", "7", "--root", "data", "data.save_dir", str(tmp_path / "own")]
    )
    assert [call[-1] for call in calls[10:]] == [str(tmp_path / f"own/split-{split}") for split in (4, 7)]
    with pytest.raises(ConfigError, match=r"unknown key 'train\.batchsize'"):
        run_splits.main([*words, "train.batchsize", "3"])
    assert len(calls) == 12
