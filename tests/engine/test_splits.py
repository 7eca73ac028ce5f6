from pathlib import Path

import fakes
import pytest
from engine_rig import config, run

from reidar_plugin.engine.splits import mean_of_splits, split_configs
from reidar_plugin.report.results import read_results


def test_a_run_for_each_split_and_their_mean(tmp_path: Path) -> None:
    """The fake has one split, so that the host is given a second one."""
    import json

    home = fakes.write_prid2011(tmp_path, people=8)
    file = home / "splits_prid2011.json"
    [split] = json.loads(file.read_text())
    file.write_text(json.dumps([split, {"train": split["test"], "test": split["train"]}]))
    data = {"data__sources": ["prid2011"], "data__targets": ["prid2011"], "train__max_epoch": 1}
    cfg = config(tmp_path, tmp_path / "log", sampler__train_sampler="RandomSampler", **data)
    configs = split_configs(cfg, range(2))
    for own in configs:
        run(own)
    assert cfg.data.split_id == 0
    folders = [tmp_path / "log" / name for name in ("split-0", "split-1")]
    figures = [read_results(folder).retrieval[0]["metrics"]["mAP"] for folder in folders]
    assert [read_results(folder).retrieval[0]["protocol"] for folder in folders] == [
        "PRID2011 split-0",
        "PRID2011 split-1",
    ]
    mean = mean_of_splits(folders)["mAP"]
    assert mean == (pytest.approx(sum(figures) / 2), min(figures), max(figures))
    with pytest.raises(ValueError, match=r"got PRID2011 split-0 \(squared Euclidean\), PRID2011 split-0"):
        mean_of_splits([folders[0], folders[0]])
    with pytest.raises(ValueError, match=r"different splits of one data set .*, got PRID2011 split-1"):
        mean_of_splits(folders[1:])
