import json
from pathlib import Path

import pytest

from reidar_plugin.launch.splits import run_splits
from reidar_plugin.report.results import read_results
from tests import fakes
from tests.engine_rig import config, run


def test_a_run_for_each_split_and_their_mean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The fake has one split, so that the host is given a second one."""
    home = fakes.write_prid2011(tmp_path, people=8)
    file = home / "splits_prid2011.json"
    [split] = json.loads(file.read_text())
    file.write_text(json.dumps([split, {"train": split["test"], "test": split["train"]}]))
    data = {"data__sources": ["prid2011"], "data__targets": ["prid2011"], "train__max_epoch": 1}
    cfg = config(tmp_path, tmp_path / "log", sampler__train_sampler="RandomSampler", **data)
    table = run_splits(cfg, run, range(2))
    folders = [tmp_path / "log" / name for name in ("split-0", "split-1")]
    tested = [read_results(folder).retrieval[0] for folder in folders]
    assert [record["protocol"] for record in tested] == ["PRID2011 split-0", "PRID2011 split-1"]
    mean = sum(record["metrics"]["mAP"] for record in tested) / 2
    assert f"{100 * mean:.2f}" in table
    assert table in capsys.readouterr().out
    before = (folders[0] / "model/model.pth.tar-1").stat().st_mtime_ns
    assert run_splits(cfg, run, range(2)) == table
    assert (folders[0] / "model/model.pth.tar-1").stat().st_mtime_ns == before
    assert cfg.data.split_id == 0
