"""Where a table is run."""

from pathlib import Path

import pytest

from reidar_plugin.errors import ConfigError
from reidar_plugin.launch import grounds, subprocesses
from reidar_plugin.launch.grounds import RealData, Streets, changes, data_of
from tests.standin import REPO


def streets(small: bool = False) -> Streets:
    return Streets(Path("s"), "laptop", [0, 3], ["mars", "prid2011"], REPO / "configs/street.yml", small)


def test_every_data_set_is_a_street_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert streets().spot("mars", 3) == ("laptop-3", ("data.root", "s/laptop-3"))
    assert streets(small=True).spot("prid2011", 3) == ("laptop-103-small", ("data.root", "s/laptop-103"))
    made: list[tuple[object, ...]] = []
    monkeypatch.setattr(grounds, "make", lambda home, preset, seed, folder: made.append((home, seed)))
    streets().draw(["mars", "prid2011"])
    assert made == [(Path(f"s/laptop-{n}"), n) for n in (0, 3, 100, 103)]
    assert not streets().drawn(["mars"])
    assert "reproduce nothing" in streets().warning
    assert "small network" in streets(small=True).warning


def test_splits_of_those_that_have_some() -> None:
    real = RealData(Path("d"), [0, 4])
    assert [real.draws(data) for data in ("mars", "prid2011")] == [(0,), [0, 4]]
    assert real.spot("prid2011", 4) == ("prid2011-split-4", ("data.root", "d", "data.split_id", "4"))
    assert real.spot("mars", 0) == ("mars", ("data.root", "d"))
    assert real.needs(["mars"])[0].startswith("  mars: 8,298 tracklets of 625 people to train on")


def test_what_stands_later_wins_where_it_fits() -> None:
    cfg = subprocesses.merged(REPO / "configs/s2dn/mars.yaml")
    blocks = [
        {"set": {"train.lr": 1, "data.width": 32}},
        {"when": {"model.name": "asanet"}, "set": {"train.lr": 2}},
        {"when": {"model.name": "reidar_resnet50_ibn_a", "video.seq_len": 4}, "set": {"train.lr": [3]}},
    ]
    assert changes(blocks, cfg) == ["train.lr", "[3]", "data.width", "32"]
    assert data_of(subprocesses.merged(REPO / "configs/re-id-ar/lpw.yaml")) == "lpw"


def test_an_unknown_preset_is_told_at_once() -> None:
    with pytest.raises(
        ConfigError, match=r"unknown preset 'labtop'; did you mean 'laptop'\? choose one of tiny"
    ):
        Streets(Path("s"), "labtop", [0], ["mars"], REPO / "configs/street.yml")
