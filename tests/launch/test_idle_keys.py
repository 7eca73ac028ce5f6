"""Keys that were set and have no effect: when that is an error, when a note, and when nothing is said."""

from pathlib import Path

import pytest
from yacs.config import CfgNode

import reidar_plugin
from reidar_plugin.config.files import CheckedConfig, checked
from reidar_plugin.errors import ConfigError
from reidar_plugin.host.defaults import toolbox_config
from reidar_plugin.launch.idle_keys import check_idle_keys
from reidar_plugin.plugin import registration
from tests.engine_rig import tiny

JOINT = "model: {name: reidar_osnet_x0_25}\nloss: {name: reidar}\n"


@pytest.fixture
def cfg() -> CheckedConfig:
    return checked(reidar_plugin.add_reidar_config(toolbox_config()))


def merged(cfg: CheckedConfig, folder: Path, *texts: str) -> CheckedConfig:
    """A config of files, each starting from the one before."""
    for number, text in enumerate(texts):
        base = f"_BASE_: {number - 1}.yaml\n" if number else ""
        (folder / f"{number}.yaml").write_text(base + text)
    cfg.merge_from_file(str(folder / f"{len(texts) - 1}.yaml"))
    return cfg


def test_one_file_that_contradicts_itself_is_an_error(cfg: CheckedConfig, tmp_path: Path) -> None:
    merged(cfg, tmp_path, JOINT + "reidar: {train: {schedule: host, warmup: 3}}\n")
    with pytest.raises(ConfigError) as caught:
        check_idle_keys(cfg)
    assert str(caught.value) == (
        f"reidar.train.warmup 3 (config file {tmp_path}/0.yaml) has no effect where reidar.train.schedule is host; "
        "set train.lr_scheduler, train.stepsize and train.gamma, or reidar.train.schedule paper"
    )


def test_a_default_may_decide(cfg: CheckedConfig, tmp_path: Path) -> None:
    merged(cfg, tmp_path, JOINT + "train: {stepsize: [5]}\n")
    with pytest.raises(
        ConfigError, match=r"train\.stepsize \[5\] \(config file .*reidar\.train\.schedule is paper"
    ):
        check_idle_keys(cfg)


def test_all_keys_are_told_at_once_those_of_a_rule_together(cfg: CheckedConfig) -> None:
    options = [
        "loss.triplet.margin",
        "0.5",
        "loss.triplet.weight_t",
        "2.0",
        "loss.softmax.label_smooth",
        "False",
    ]
    cfg.merge_from_list(["loss.name", "reidar", "model.name", "reidar_osnet_x0_25", *options])
    with pytest.raises(ConfigError) as caught:
        check_idle_keys(cfg)
    smooth, triplet = str(caught.value).split(" | ")
    assert smooth.startswith("loss.softmax.label_smooth False (command line) has no effect")
    assert triplet.startswith(
        "loss.triplet.margin 0.5 (command line), loss.triplet.weight_t 2.0 (command line) have"
    )


def test_many_keys_are_counted(cfg: CheckedConfig, tmp_path: Path) -> None:
    keys = "erase: 0.4, flip: 0.1, pad: 3, shift: none, per_clip: True, test_max_clips: 4"
    merged(cfg, tmp_path, f"reidar: {{data: {{{keys}}}}}\n")
    with pytest.raises(
        ConfigError, match=r"reidar\.data\.flip 0.1 .* and 2 more have no effect where loss\.name is softmax"
    ):
        check_idle_keys(cfg)


def test_a_default_that_was_set_is_a_note(cfg: CheckedConfig, tmp_path: Path) -> None:
    merged(cfg, tmp_path, JOINT + "train: {gamma: 0.1}\n")
    [note] = check_idle_keys(cfg)
    assert note.startswith("note: train.gamma 0.1 (config file ")
    assert "set reidar.train.milestones" in note


def test_a_file_may_make_keys_of_its_base_idle(cfg: CheckedConfig, tmp_path: Path) -> None:
    """As every ablation does: nothing is said."""
    base = JOINT + "reidar: {train: {warmup: 3, schedule: paper}}\n"
    merged(cfg, tmp_path, base, "reidar: {train: {schedule: host}}\n")
    assert check_idle_keys(cfg) == []


def test_but_not_its_own(cfg: CheckedConfig, tmp_path: Path) -> None:
    base = JOINT + "reidar: {train: {schedule: host}}\n"
    merged(cfg, tmp_path, base, "reidar: {train: {warmup: 3}}\n")
    with pytest.raises(ConfigError, match=rf"reidar\.train\.warmup 3 \(config file {tmp_path}/1\.yaml\)"):
        check_idle_keys(cfg)


def test_the_command_line_may_make_keys_of_a_file_idle(cfg: CheckedConfig, tmp_path: Path) -> None:
    merged(cfg, tmp_path, JOINT + "reidar: {train: {warmup: 3}}\n")
    cfg.merge_from_list(["reidar.train.schedule", "host"])
    [note] = check_idle_keys(cfg)
    assert note.startswith(f"note: reidar.train.warmup 3 (config file {tmp_path}/0.yaml) has no effect")


@pytest.mark.parametrize("key_first", [True, False])
def test_what_comes_later_on_the_command_line_is_more_specific(cfg: CheckedConfig, key_first: bool) -> None:
    pairs = [["reidar.train.warmup", "3"], ["reidar.train.schedule", "host"]]
    cfg.merge_from_list(["model.name", "reidar_osnet_x0_25", "loss.name", "reidar"])
    cfg.merge_from_list([word for pair in (pairs if key_first else reversed(pairs)) for word in pair])
    if key_first:
        assert len(check_idle_keys(cfg)) == 1
    else:
        with pytest.raises(ConfigError, match=r"reidar\.train\.warmup 3 \(command line\)"):
            check_idle_keys(cfg)


def test_a_flag_counts_as_set(cfg: CheckedConfig) -> None:
    cfg.merge_from_list(["model.name", "reidar_osnet_x0_25", "loss.name", "reidar"])
    cfg.data.transforms = ["random_flip", "random_erase"]  # --transforms
    with pytest.raises(ConfigError, match=r"data\.transforms .* \(a flag or the program\) has no effect"):
        check_idle_keys(cfg)


def test_a_plain_config_of_a_program_is_checked_as_well() -> None:
    cfg: CfgNode = reidar_plugin.add_reidar_config(toolbox_config())
    cfg.loss.name, cfg.model.name, cfg.reidar.train.schedule = "reidar", "reidar_osnet_x0_25", "host"
    assert check_idle_keys(cfg) == []
    cfg.reidar.train.warmup = 3
    with pytest.raises(ConfigError, match=r"reidar\.train\.warmup 3 \(a flag or the program\)"):
        check_idle_keys(cfg)


def test_a_key_that_waits_for_another_run_is_a_note(cfg: CheckedConfig, tmp_path: Path) -> None:
    merged(cfg, tmp_path, JOINT + "reidar: {test: {rerank: {k1: 10}}}\n")
    [note] = check_idle_keys(cfg)
    assert "reidar.test.rerank.k1 10" in note
    assert note.endswith("where test.rerank is False; set test.rerank True")


def test_models_of_a_user_may_read_any_key(cfg: CheckedConfig) -> None:
    registration.register_model("mine", tiny)
    options = ["reidar.model.asanet.fusion", "a", "reidar.labels.attributes", "['hat']"]
    cfg.merge_from_list(["loss.name", "reidar", "model.name", "mine", *options])
    assert check_idle_keys(cfg) == []
    cfg.merge_from_list(["model.name", "reidar_osnet_x0_25", *options])
    with pytest.raises(
        ConfigError, match=r"reidar\.labels\.attributes .*\| reidar\.model\.asanet\.fusion 'a'"
    ):
        check_idle_keys(cfg)


def test_losses_of_a_script_may_read_any_key(cfg: CheckedConfig) -> None:
    cfg.merge_from_list(
        ["loss.triplet.margin", "0.5", "loss.name", "centre_of_mine", "reidar.data.erase", "0.1"]
    )
    assert check_idle_keys(cfg) == []
