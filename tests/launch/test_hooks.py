"""The functions of a launch script, with the plugin's share in them."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import reidar_plugin
from reidar_plugin.config.files import CheckedConfig, checked
from reidar_plugin.errors import ConfigError
from reidar_plugin.host.defaults import toolbox_config
from reidar_plugin.launch import hooks, runner
from reidar_plugin.plugin import registration
from reidar_plugin.ranks import job
from tests.fakes import write_prid2011


@pytest.fixture
def cfg() -> CheckedConfig:
    reidar_plugin.enable()
    cfg = checked(reidar_plugin.add_reidar_config(toolbox_config()))
    cfg.merge_from_list(["data.type", "video", "data.sources", "['mars']", "data.targets", "['mars']"])
    return cfg


def test_hook_leaves_the_hosts_work_to_the_host(cfg: CheckedConfig) -> None:
    """Every loss but ours ends in the script's own functions, with the script's own arguments."""
    calls: list[tuple[str, tuple[object, ...]]] = []
    functions = {name: lambda *args, name=name: calls.append((name, args)) or name for name in hooks.HOOKS}
    hooks.hook(functions)
    assert functions["build_datamanager"](cfg) == "build_datamanager"
    assert functions["build_engine"](cfg, 1, 2, 3, 4) == "build_engine"
    assert calls == [("build_datamanager", (cfg,)), ("build_engine", (cfg, 1, 2, 3, 4))]


def test_a_script_may_know_a_loss_of_its_own(cfg: CheckedConfig) -> None:
    def build_engine(
        cfg: CheckedConfig, datamanager: object, model: object, optimizer: object, scheduler: object
    ) -> str:
        return "mine" if cfg.loss.name == "centre_of_mine" else "the host's"

    functions = {name: lambda *_: None for name in hooks.HOOKS}
    functions["build_engine"] = build_engine
    hooks.hook(functions)
    cfg.merge_from_list(["loss.name", "centre_of_mine"])
    functions["build_datamanager"](cfg)
    assert functions["build_engine"](cfg, 1, 2, 3, 4) == "mine"
    cfg.merge_from_list(["loss.name", "centre_of_min"])
    with pytest.raises(ConfigError, match=r"unknown loss\.name 'centre_of_min'"):
        functions["build_datamanager"](cfg)


def hooked(*names: str) -> dict[str, Any]:
    """A script's functions, which do nothing, hooked."""
    functions: dict[str, Any] = {name: lambda *_: None for name in (*hooks.HOOKS, *names)}
    hooks.hook(functions)
    return functions


@pytest.mark.parametrize("older", [False, True], ids=["with check_cfg", "without"])
def test_a_launch_checks_and_enables_once(
    cfg: CheckedConfig, monkeypatch: pytest.MonkeyPatch, older: bool
) -> None:
    calls: Counter[str] = Counter()
    for module, name in ((hooks, "check_config"), (hooks, "check_datasets"), (registration, "enable")):
        original = getattr(module, name)

        def counted(*given: Any, name: str = name, original: Any = original) -> Any:
            calls[name] += 1
            return original(*given)

        monkeypatch.setattr(module, name, counted)
    functions = hooked() if older else hooked("check_cfg")
    if not older:
        functions["check_cfg"](cfg)
    functions["build_datamanager"](cfg)
    functions["build_engine"](cfg, 1, 2, 3, 4)
    assert calls == {"check_config": 1, "check_datasets": 1, "enable": 1}


def test_the_script_checks_as_well(cfg: CheckedConfig) -> None:
    functions: dict[str, Any] = {name: lambda *_: None for name in hooks.HOOKS}
    seen: list[CheckedConfig] = []
    functions["check_cfg"] = seen.append
    hooks.hook(functions)
    functions["check_cfg"](cfg)
    assert seen == [cfg]


def test_the_joint_loss_is_built_by_the_runner(cfg: CheckedConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "build_datamanager", lambda cfg: "our data")
    monkeypatch.setattr(runner, "build_engine", lambda cfg, *parts: ("our engine", parts))
    cfg.merge_from_list(["loss.name", "reidar", "model.name", "reidar_osnet_x0_25"])
    functions = hooked()
    assert functions["build_datamanager"](cfg) == "our data"
    assert functions["build_engine"](cfg, 1, 2, 3, 4) == ("our engine", (1, 2, 3, 4))


def test_a_note_of_the_checks_is_printed_into_the_scripts_log(
    cfg: CheckedConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    """That is: not by ``check_cfg``, which runs before the script opens its log."""
    cfg.merge_from_list(["train.base_lr_mult", "0.1"])  # its default
    functions = hooked("check_cfg")
    functions["check_cfg"](cfg)
    assert "note:" not in capsys.readouterr().out
    functions["build_datamanager"](cfg)
    assert "note: train.base_lr_mult 0.1 (command line) has no effect" in capsys.readouterr().out


def test_data_sets_with_labels_of_a_file_are_known(cfg: CheckedConfig, tmp_path: Path) -> None:
    """``<name>_actions`` comes with the config, so that the plugin is on for it before data sets are looked up."""
    home = write_prid2011(tmp_path)
    names = "['prid2011_actions']"
    cfg.merge_from_list(
        [
            "reidar.labels.files",
            f"['prid2011_actions={home}/actions.csv']",
            "data.sources",
            names,
            "data.targets",
            names,
        ]
    )
    hooked()["build_datamanager"](cfg)
    cfg.merge_from_list(["data.sources", "['prid2011_action']"])
    with pytest.raises(
        ConfigError, match=r"unknown data\.sources 'prid2011_action'; did you mean 'prid2011_actions'\?"
    ):
        hooked()["build_datamanager"](cfg)


@pytest.mark.parametrize("rank", [0, 1])
def test_one_rank_keeps_the_scripts_log(rank: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "_current", job.Job(rank, 2))
    functions: dict[str, Any] = {name: lambda *_: None for name in hooks.HOOKS}
    hooks.hook(functions)
    assert "Logger" not in functions
    functions["Logger"] = lambda path: path
    hooks.hook(functions)
    assert functions["Logger"]("log/train.log") == (None if rank else "log/train.log")
