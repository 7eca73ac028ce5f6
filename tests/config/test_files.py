"""Configs: what a file or a command line may say, and the line that answers when it says something else."""

from pathlib import Path

import pytest
from yacs.config import CfgNode

import reidar_plugin
from reidar_plugin.config.files import CheckedConfig, checked, full_config
from reidar_plugin.errors import ConfigError
from reidar_plugin.host.defaults import toolbox_config


@pytest.fixture
def cfg() -> CheckedConfig:
    return checked(reidar_plugin.add_reidar_config(toolbox_config()))


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_full_config_is_the_hosts_with_our_node() -> None:
    cfg = full_config()
    assert cfg == reidar_plugin.add_reidar_config(toolbox_config())
    assert cfg.settings() == {}
    assert cfg is not full_config()


def test_merges_as_yacs_does(cfg: CheckedConfig, tmp_path: Path) -> None:
    plain = reidar_plugin.add_reidar_config(toolbox_config())
    path = write(tmp_path / "a.yaml", "model: {name: resnet18}\ntrain: {lr: 1.0e-2, stepsize: [3, 4]}\n")
    opts = ["data.sources", "['mars', 'ilidsvid']", "train.gamma", "0.5", "test.evaluate", "True"]
    for config in (cfg, plain):
        config.merge_from_file(path)
        config.merge_from_list(opts)
    assert cfg == plain
    assert (cfg.model.name, cfg.train.lr, cfg.data.sources, cfg.test.evaluate) == (
        "resnet18",
        0.01,
        ["mars", "ilidsvid"],
        True,
    )
    assert str(cfg) == str(plain)
    assert isinstance(cfg.clone(), CheckedConfig)
    assert CfgNode.load_cfg(cfg.dump()) == plain


def test_a_file_may_start_from_another(cfg: CheckedConfig, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    write(tmp_path / "base.yaml", "train: {max_epoch: 3, seed: 8}\nmodel: {name: resnet18}\n")
    write(tmp_path / "middle.yaml", "_BASE_: base.yaml\ntrain: {max_epoch: 4}\n")
    cfg.merge_from_file(write(tmp_path / "sub/top.yaml", "_BASE_: ../middle.yaml\nmodel: {name: resnet34}\n"))
    assert (cfg.train.max_epoch, cfg.train.seed, cfg.model.name) == (4, 8, "resnet34")


def test_bases_in_a_ring(cfg: CheckedConfig, tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", "_BASE_: b.yaml\n")
    with pytest.raises(ConfigError, match=r"b\.yaml: _BASE_ leads back to it: .*b\.yaml -> .*a\.yaml$"):
        cfg.merge_from_file(write(tmp_path / "b.yaml", "_BASE_: a.yaml\n"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"c\.yaml is empty"),
        ("# nothing\n", r"c\.yaml is empty"),
        ("train: [1\n", r"c\.yaml is not yaml at line 2"),
        ("- a\n", r"c\.yaml: expected keys such as 'model:'.* got list"),
        ("3: a\n", r"c\.yaml: expected keys such as 'model:'"),
        (
            "train: {batchsize: 3}\n",
            r"c\.yaml: unknown key 'train\.batchsize'; did you mean 'train\.batch_size'\?",
        ),
        ("triain: {batch_size: 3}\n", r"unknown key 'triain'; did you mean 'train'\?"),
        ("reidar: {losss: {}}\n", r"unknown key 'reidar\.losss'; did you mean 'reidar\.loss'\?"),
        ("qqqqqqq: 1\n", r"unknown key 'qqqqqqq'; the printed config lists all keys"),
        ("train: 3\n", r"'train' is a group of keys, got 3"),
        ("train: {lr: {a: 1}}\n", r"'train\.lr' is a value, got \{'a': 1\}"),
        (
            "train: {batch_size: many}\n",
            r"train\.batch_size expects a value of type int such as 32, got 'many' \(str\)",
        ),
        ("train: {lr: 1}\n", r"train\.lr expects a value of type float such as 0\.0003, got 1 \(int\)"),
        ("model: {name: }\n", r"model\.name expects a value of type str such as 'resnet50', got None"),
        (
            "data: {sources: [1]}\n",
            r"data\.sources expects a list such as \['market1501'\], got 1 \(int\) in it",
        ),
        (
            "test: {ranks: ['1']}\n",
            r"test\.ranks expects a list such as \[1, 5, 10, 20\], got '1' \(str\) in it",
        ),
        ("train.batch_size: 3\n", r"write 'train\.batch_size' as a group, 'train: \{batch_size: \.\.\.\}'"),
        ("train: {seed: 1}\ntrain: {lr: 0.1}\n", r"is not yaml at line 2: key 'train' stands twice"),
        ("model: &m {name: *m}\n", r"groups within groups without end"),
        (
            "data: {sources: [&a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1], &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a], "
            "&c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b], &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c], "
            "[*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]]}\n",
            r"is not yaml at line 1: unfolds to more than 100,000 values",
        ),
        (
            "train: {lr: 0.1}  # " + 2**20 * "x",
            r"is not yaml: expected at most 1,048,576 letters, got 1,048,596",
        ),
        ("_BASE_: \n", r"_BASE_ names one file, got None"),
        ("_BASE_: [a, b]\n", r"_BASE_ names one file, got \['a', 'b'\]"),
        (f"_BASE_: {'a' * 5000}.yaml\n", r"config file '.{50,150}' cannot be read: File name too long"),
        (f"model: {{name: '{'-' * 5000}1'}}\n", r"a value is nested too deeply: '---"),
        (f"_BASE_: /{'a' * 5000}/a.yaml\n", r"config file '.{50,150}' cannot be read: File name too long"),
        ("_BASE_: gone.yaml\n", r"gone\.yaml does not exist"),
    ],
)
def test_a_file_that_cannot_be_used(cfg: CheckedConfig, tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        cfg.merge_from_file(write(tmp_path / "c.yaml", text))
    assert "\n" not in str(caught.value)


def test_links_in_a_circle(cfg: CheckedConfig, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").symlink_to("c.yaml")
    with pytest.raises(ConfigError, match=r"c\.yaml does not exist"):
        cfg.merge_from_file(str(tmp_path / "c.yaml"))


def test_bytes_that_are_no_text(cfg: CheckedConfig, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_bytes(b"\xff\xfe\x00\x01train")
    with pytest.raises(ConfigError, match=r"c\.yaml is not yaml"):
        cfg.merge_from_file(str(tmp_path / "c.yaml"))


def test_a_list_of_numbers_takes_whole_ones(cfg: CheckedConfig) -> None:
    cfg.merge_from_list(["data.norm_mean", "[0, 0.5, 1]"])
    assert cfg.data.norm_mean == [0, 0.5, 1]


def test_no_file_and_a_directory(cfg: CheckedConfig, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.yaml does not exist"):
        cfg.merge_from_file(str(tmp_path / "gone.yaml"))
    with pytest.raises(ConfigError, match=r"is a directory; name a yaml file in it"):
        cfg.merge_from_file(str(tmp_path))


@pytest.mark.parametrize(
    ("opts", "message"),
    [
        (["train.lr"], r"options come in pairs 'key value', got 1 words: train\.lr"),
        (["train.lrr", "0.1"], r"command line: unknown key 'train\.lrr'; did you mean 'train\.lr'\?"),
        (["train", "0.1"], r"'train' is a group of keys; name one of optim, lr"),
        (
            ["train.lr", "fast"],
            r"train\.lr expects a value of type float such as 0\.0003, got 'fast' \(str\)",
        ),
        (["-s", "mars"], r"flags such as -s come before"),
    ],
)
def test_a_command_line_that_cannot_be_used(cfg: CheckedConfig, opts: list[str], message: str) -> None:
    before = cfg.clone()
    with pytest.raises(ConfigError, match=message):
        cfg.merge_from_list(opts)
    assert cfg == before
