"""Runs that follow from runs: transfer, cross-dataset tests, searches."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from reidar_plugin.checkpoint.store import read_checkpoint
from reidar_plugin.errors import ConfigError, ReidarError
from reidar_plugin.launch import runner, subprocesses
from reidar_plugin.report.results import Results, read_results, write_results
from tests import fakes
from tools import cross_test, run_splits, search, transfer

CONFIGS = Path(__file__).resolve().parents[2] / "configs"

TINY = """
model: {name: reidar_osnet_x0_25, pretrained: False}
data: {type: video, sources: [%s], targets: [%s], height: 32, width: 16, workers: 0, transforms: []}
video: {seq_len: 2}
sampler: {train_sampler: identity_pass, num_instances: 2}
loss: {name: reidar}
train: {batch_size: 4, max_epoch: 1, seed: %d}
test: {batch_size: 8}
reidar:
  labels: {required: False}
  model: {attention_width: 8, action_width: 8}
  test: {resamples: 20}
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two data sets of different people, a config for each; runs stay in this process."""
    fakes.write_mars(tmp_path, train_people=3, test_people=2)
    fakes.write_prid2011(tmp_path)
    (tmp_path / "mars.yaml").write_text(TINY % ("mars_actions", "mars_actions", 1))
    (tmp_path / "prid.yaml").write_text(
        TINY % ("prid2011", "prid2011", 2)
    )  # a seed of its own: what is alike went over
    monkeypatch.setattr(subprocesses, "start", runner.main)
    return tmp_path


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


def value(words: list[str], key: str) -> str:
    """Of a key on the command line of a run."""
    return words[words.index(key) + 1]


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


def test_a_cross_test_loads_the_best_of_its_own_run(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[list[str]] = []
    monkeypatch.setattr(subprocesses, "start", calls.append)
    monkeypatch.setattr(subprocesses, "best_checkpoint", lambda folder: Path(folder, "best"))
    monkeypatch.setattr(cross_test, "read_results", lambda place: Results("x", (), None, {}, {}, {}))
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


def test_a_slip_in_the_last_config_costs_no_run(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocesses, "start", lambda words: pytest.fail("a run was started"))
    (home / "prid.yaml").write_text("train: {batchsize: 3}\n")
    with pytest.raises(ConfigError, match=r"unknown key 'train\.batchsize'"):
        transfer.transfer([str(home / "mars.yaml"), str(home / "prid.yaml")], str(home / "chain"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "expected 2 or more configs .* got 0 before 'the end'"),
        (["a.yaml", "train.lr", "1", "b.yaml"], "got 1 before 'train.lr'"),
    ],
)
def test_configs_come_before_keys_and_values(words: list[str], said: str) -> None:
    assert subprocesses.split_configs(["a.yaml", "b.yml", "train.lr", "1"], least=2) == (
        ["a.yaml", "b.yml"],
        ["train.lr", "1"],
    )
    with pytest.raises(ConfigError, match=said):
        subprocesses.split_configs(words, least=2)


def test_configs_of_one_name_cannot_share_a_folder() -> None:
    with pytest.raises(ConfigError, match=r"expected different names, got \['base'\] twice"):
        cross_test.main(["configs/re-id-ar/base.yaml", "configs/asanet/base.yaml"])


def test_a_run_that_fails_ends_the_chain(tmp_path: Path) -> None:
    with pytest.raises(subprocesses.RunError, match=r"ended with status 2: --config-file .*none\.yaml"):
        subprocesses.start(subprocesses.arguments(tmp_path / "none.yaml"))
    with pytest.raises(ReidarError, match=r"holds no model-best\.pth\.tar"):
        subprocesses.best_checkpoint(tmp_path)


def test_every_split_is_a_run_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "prid.yaml").write_text(
        TINY % ("prid2011", "prid2011", 2)
    )  # a seed of its own: what is alike went over
    calls: list[list[str]] = []

    def start(words: list[str]) -> None:
        calls.append(words)
        given = dict(zip(words[-4::2], words[-3::2], strict=True))
        split = int(given["data.split_id"])
        record = {"protocol": f"PRID2011 split-{split}", "distance": "cosine", "metrics": {"mAP": split / 10}}
        write_results(Results("x", (record,), None, {}, {}, {}), given["data.save_dir"])

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


def test_command_line_of_a_run() -> None:
    words = subprocesses.arguments(
        "a.yaml", root="data", targets=["x", "y"], options=["train.lr", "1"], data__save_dir="log"
    )
    assert " ".join(words) == "-t x y --config-file a.yaml --root data train.lr 1 data.save_dir log"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("train.lr=1e-4:1e-2:log", ("train.lr", (), 1e-4, 1e-2, True, False)),
        ("train.max_epoch=3:9", ("train.max_epoch", (), 3.0, 9.0, False, True)),
        ("reidar.train.gamma=0.1:1", ("reidar.train.gamma", (), 0.1, 1.0, False, False)),
        ("train.optim=adam|sgd", ("train.optim", ("adam", "sgd"), 0.0, 0.0, False, False)),
    ],
)
def test_ranges(text: str, expected: tuple[Any, ...]) -> None:
    assert tuple(search.read_range(text)) == expected


@pytest.mark.parametrize("text", ["train.lr", "=1:2", "a=2:1", "a=1:2:exp", "a=0:1:log", "a=x:y"])
def test_ranges_that_are_none(text: str) -> None:
    with pytest.raises(ConfigError, match=f"got '{text}'"):
        search.read_range(text)


class Asked:
    """A trial that takes the middle, and keeps what it was asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def suggest_float(self, key: str, low: float, high: float, log: bool) -> float:
        self.calls.append((key, low, high, log))
        return (low * high) ** 0.5 if log else (low + high) / 2

    def suggest_int(self, key: str, low: int, high: int, log: bool) -> int:
        self.calls.append((key, low, high, log))
        return (low + high) // 2

    def suggest_categorical(self, key: str, choices: tuple[str, ...]) -> str:
        self.calls.append((key, choices))
        return choices[0]


def test_ranges_are_asked_for_as_they_are_written() -> None:
    texts = [
        "train.lr=1e-4:1e-2:log",
        "reidar.train.gamma=0.2:0.4",
        "train.max_epoch=3:9",
        "train.optim=adam|sgd",
    ]
    trial = Asked()
    values = [search.read_range(text).suggest(trial) for text in texts]
    assert [float(each) for each in values[:2]] == pytest.approx([0.001, 0.3])
    assert values[2:] == ["6", "adam"]
    assert trial.calls == [
        ("train.lr", 1e-4, 1e-2, True),
        ("reidar.train.gamma", 0.2, 0.4, False),
        ("train.max_epoch", 3, 9, False),
        ("train.optim", ("adam", "sgd")),
    ]


def test_the_shipped_ranges_hold_the_published_values() -> None:
    configs = CONFIGS / "vprft"
    ranges = search.read_ranges(configs / "ranges.txt")
    assert len(ranges) == 7
    for name, each in ((name, each) for name in ("mars.yaml", "prid2011.yaml") for each in ranges):
        value = subprocesses.merged(configs / name)
        for part in each.key.split("."):
            value = value[part]
        assert each.low <= value <= each.high, (name, each.key)


def test_a_search_goes_on_where_it_was_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("optuna")
    (tmp_path / "mars.yaml").write_text(TINY % ("mars_actions", "mars_actions", 1))
    calls: list[list[str]] = []

    def start(words: list[str]) -> None:
        calls.append(words)
        if len(calls) == 2:
            raise SystemExit(130)
        rate = float(words[words.index("train.lr") + 1])
        record = {"metrics": {"mAP": 1 - abs(rate - 0.5)}}
        found = Results("x", (record,), None, {}, {}, {})
        write_results(found, words[words.index("data.save_dir") + 1])

    monkeypatch.setattr(subprocesses, "start", start)
    words = [str(tmp_path / "mars.yaml"), "--range", "train.lr=0.0:1.0", "--study", str(tmp_path / "study")]
    with pytest.raises(SystemExit):
        search.main([*words, "--trials", "4"])
    search.main([*words, "--trials", "4"])
    assert len(calls) == 5
    assert calls[2] == calls[1]  # the stopped trial: same values, same folder
    folders = [call[call.index("data.save_dir") + 1] for call in calls]
    assert len(set(folders)) == 4
    best = max(1 - abs(float(value(call, "train.lr")) - 0.5) for call in calls)
    assert f"trials by mAP: {best:.4f} in trial-" in capsys.readouterr().out
    search.main([*words, "--trials", "4"])
    assert len(calls) == 5  # nothing is missing
