"""Which keys were set, and where."""

from pathlib import Path

import pytest
from yacs.config import CfgNode

import reidar_plugin
from reidar_plugin.config.files import CheckedConfig, checked
from reidar_plugin.config.settings import Setting, SettingLog, has_key, keys_of, leaves, value_at
from reidar_plugin.host.defaults import toolbox_config


@pytest.fixture
def cfg() -> CheckedConfig:
    return checked(reidar_plugin.add_reidar_config(toolbox_config()))


def sources(cfg: CheckedConfig) -> dict[str, str]:
    return {key: setting.source for key, setting in cfg.settings().items()}


def test_nothing_is_set_at_first(cfg: CheckedConfig) -> None:
    assert cfg.settings() == {}


def test_files_their_bases_the_command_line_and_flags(cfg: CheckedConfig, tmp_path: Path) -> None:
    base, top = tmp_path / "base.yaml", tmp_path / "top.yaml"
    base.write_text("train: {lr: 0.1, max_epoch: 3}\nmodel: {name: resnet18}\n")
    top.write_text("_BASE_: base.yaml\ntrain: {max_epoch: 4, seed: 1}\n")
    cfg.merge_from_file(str(top))
    cfg.data.root = "elsewhere"  # as a launch script does for --root
    cfg.merge_from_list(["train.gamma", "0.5", "model.name", "resnet34"])
    assert sources(cfg) == {
        "train.lr": f"config file {base}",
        "train.max_epoch": f"config file {top}",
        "train.seed": f"config file {top}",
        "train.gamma": "command line",
        "model.name": "command line",
        "data.root": "a flag or the program",
    }
    found = cfg.settings()
    ranks = [
        found[key].rank for key in ("train.lr", "train.max_epoch", "train.gamma", "model.name", "data.root")
    ]
    assert ranks == sorted(set(ranks))  # what comes later is more specific
    assert {key for key, setting in found.items() if setting.in_file} == {
        "train.lr",
        "train.max_epoch",
        "train.seed",
    }
    assert {key for key, setting in found.items() if setting.is_default} == {"train.seed"}


def test_an_assignment_takes_the_place_of_a_merge(cfg: CheckedConfig) -> None:
    cfg.merge_from_list(["data.sources", "['mars']"])
    assert sources(cfg) == {"data.sources": "command line"}
    cfg.data.sources = ["ilidsvid"]
    assert sources(cfg) == {"data.sources": "a flag or the program"}
    cfg.merge_from_list(["data.sources", "['ilidsvid']"])
    assert sources(cfg) == {"data.sources": "command line"}


def test_a_clone_remembers_and_forgets_by_itself(cfg: CheckedConfig) -> None:
    cfg.merge_from_list(["train.gamma", "0.5"])
    copy = cfg.clone()
    copy.merge_from_list(["train.lr", "0.5"])
    assert sources(cfg) == {"train.gamma": "command line"}
    assert set(sources(copy)) == {"train.gamma", "train.lr"}


def test_what_is_remembered_is_no_key(cfg: CheckedConfig) -> None:
    plain = reidar_plugin.add_reidar_config(toolbox_config())
    assert cfg == plain
    assert cfg.dump() == plain.dump()
    assert str(cfg) == str(plain)


def test_of_any_config_the_keys_that_differ_are_known() -> None:
    cfg = CfgNode({"a": {"b": 1, "c": [1]}, "d": "x"})
    log = SettingLog(cfg.clone())
    cfg.a.c = [1, 2]
    assert log.settings(cfg) == {"a.c": Setting("a flag or the program", 1, in_file=False)}


def test_keys_and_values_of_groups() -> None:
    tree = {"a": {"b": {"c": 1}}, "d": 2}
    assert list(keys_of(tree)) == ["a", "a.b", "a.b.c", "d"]
    assert (value_at(tree, "a.b.c"), value_at(tree, "d")) == (1, 2)
    assert list(leaves(tree)) == [("a.b.c", 1), ("d", 2)]


def test_a_key_is_there_or_not_at_every_depth() -> None:
    tree = {"a": {"b": {"c": None}}, "d": "text"}
    assert all(has_key(tree, key) for key in keys_of(tree))
    assert not any(has_key(tree, key) for key in ("", "b", "a.c", "a.b.c.d", "d.text", "a.", "a.b.c."))
