"""Searching hyper-parameters."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reidar_plugin.errors import ConfigError
from reidar_plugin.launch import subprocesses
from reidar_plugin.report.results import write_results
from tests.report.made_up import made_up
from tests.tools.chains import TINY, value
from tools import search

CONFIGS = Path(__file__).resolve().parents[2] / "configs"


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
    made = made_up()

    def start(words: list[str]) -> None:
        calls.append(words)
        if len(calls) == 2:
            raise SystemExit(130)
        rate = float(words[words.index("train.lr") + 1])
        record = {**made.retrieval[0], "metrics": {"mAP": 1 - abs(rate - 0.5), "mINP": 0.0}}
        found = replace(made, retrieval=(record,))
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
