"""Training on one data set after the other."""

from itertools import pairwise
from pathlib import Path

import pytest
import torch

from reidar_plugin.checkpoint.store import read_checkpoint
from reidar_plugin.errors import ConfigError
from reidar_plugin.launch import subprocesses
from tests.tools.chains import value
from tools import transfer


@pytest.mark.slow
def test_transfer_carries_all_but_classifier_and_centres(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configs = [str(home / "mars.yaml"), str(home / "prid.yaml")]
    # a rate of 0 leaves the second run where it starts, so that what it started from can be seen
    first, second = transfer.transfer(configs, str(home / "chain"), str(home), ["train.lr", "0.0"])
    assert (first.name, second.name) == ("1-mars", "2-prid")
    said = capsys.readouterr().out
    assert "go over from" in said
    assert "classifier and centres are new" in said
    assert "1 stage" not in said
    before, after = (
        read_checkpoint(subprocesses.best_checkpoint(folder))["state_dict"] for folder in (first, second)
    )
    assert before["classifier.weight"].shape[0] == 3
    assert after["classifier.weight"].shape[0] == 2
    parameters = [
        name for name in before if name.endswith(("weight", "bias")) and name != "classifier.weight"
    ]
    assert len(parameters) > 100
    assert all(torch.equal(before[name], after[name]) for name in parameters if name != "bottleneck.bias")
    start = torch.load(second / "start.pth.tar", weights_only=True)["state_dict"]
    assert set(before) - set(start) == {"classifier.weight"}


def test_each_stage_starts_from_the_one_before(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[list[str]] = []

    def start(words: list[str]) -> None:
        calls.append(words)

    starts: list[tuple[Path, Path]] = []

    def write_start(checkpoint: Path, path: Path) -> dict[str, int]:
        starts.append((checkpoint, path))
        return {"base": 1}

    monkeypatch.setattr(subprocesses, "start", start)
    monkeypatch.setattr(subprocesses, "best_checkpoint", lambda folder: Path(folder, "best"))
    monkeypatch.setattr(subprocesses, "write_start", write_start)
    mars, prid = str(home / "mars.yaml"), str(home / "prid.yaml")
    folders = transfer.transfer([mars, prid, mars], str(home / "chain"), str(home))
    assert [folder.name for folder in folders] == ["1-mars", "2-prid", "3-mars"]
    assert starts == [(before / "best", after / "start.pth.tar") for before, after in pairwise(folders)]
    assert [value(words, "data.save_dir") for words in calls] == [str(folder) for folder in folders]
    assert "model.load_weights" not in calls[0]
    for words, (_, weights) in zip(calls[1:], starts, strict=True):
        assert value(words, "model.load_weights") == str(weights)
        assert value(words, "model.pretrained") == "False"


def test_a_slip_in_the_last_config_costs_no_run(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocesses, "start", lambda words: pytest.fail("a run was started"))
    (home / "prid.yaml").write_text("train: {batchsize: 3}\n")
    with pytest.raises(ConfigError, match=r"unknown key 'train\.batchsize'"):
        transfer.transfer([str(home / "mars.yaml"), str(home / "prid.yaml")], str(home / "chain"))
