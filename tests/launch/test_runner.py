"""From a config to a run without a launch script."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch

from reidar_plugin import host
from reidar_plugin.errors import ConfigError
from reidar_plugin.launch import runner, validation
from reidar_plugin.plugin import registration
from tests.fakes import write_mars
from tests.standin import JOINT, write_config


def test_order_of_a_launch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Config, checks, plugin, data, model, optimiser, schedule, engine; each once."""
    calls: list[str] = []

    class Engine:
        def run(self, **given: Any) -> None:
            calls.append("run")

    def noted(name: str, answer: Any = None) -> Any:
        return lambda *given, **named: calls.append(name) or answer

    monkeypatch.setattr(validation, "check_config", noted("check_config", ["a note"]))
    monkeypatch.setattr(validation, "check_datasets", noted("check_datasets"))
    monkeypatch.setattr(registration, "enable", noted("enable"))
    monkeypatch.setattr(host.reid.utils, "set_random_seed", noted("seed"))
    for name in ("datamanager", "model"):
        monkeypatch.setattr(runner, f"build_{name}", noted(name))
    for name in ("optimizer", "lr_scheduler"):
        monkeypatch.setattr(host.reid.optim, f"build_{name}", noted(name))
    monkeypatch.setattr(runner, "build_engine", noted("engine", Engine()))
    runner.main(["--config-file", str(write_config(tmp_path))])
    assert calls == [
        *("check_config", "enable", "check_datasets", "seed"),
        *("datamanager", "model", "optimizer", "lr_scheduler", "engine", "run"),
    ]
    [log] = (tmp_path / "log").glob("train.log*")
    assert "a note\n" in log.read_text()


@pytest.mark.slow
@pytest.mark.usefixtures("no_chart")
def test_a_launch_checks_and_enables_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_mars(tmp_path, train_people=2, tracklets=2, frames=2, distractors=0)
    calls: Counter[str] = Counter()
    for module, name in (
        (validation, "check_config"),
        (validation, "check_datasets"),
        (registration, "enable"),
    ):
        original = getattr(module, name)

        def counted(*given: Any, name: str = name, original: Any = original) -> Any:
            calls[name] += 1
            return original(*given)

        monkeypatch.setattr(module, name, counted)
    runner.main(["--config-file", str(write_config(tmp_path)), *JOINT])
    assert calls == {"check_config": 1, "check_datasets": 1, "enable": 1}


def test_checks_and_plugin_draw_no_random_number(tmp_path: Path) -> None:
    """The toolbox seeds before its checks, we after ours: the data must find the same generators."""
    cfg = runner.default_config()
    cfg.merge_from_file(str(write_config(tmp_path)))
    cfg.merge_from_list(list(JOINT))
    host.reid.utils.set_random_seed(5)
    before = torch.get_rng_state()
    runner.check_run(cfg)
    assert torch.equal(torch.get_rng_state(), before)


def test_nothing_is_built_of_a_config_that_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "build_datamanager", lambda cfg: pytest.fail("data were built"))
    config = str(write_config(tmp_path))
    with pytest.raises(ConfigError, match=r"unknown model\.name"):
        runner.main(["--config-file", config, "model.name", "osnet_x0_2"])
    assert not (tmp_path / "log").exists()
    assert not registration.is_enabled()


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["softmax", "triplet"])
def test_trains_and_then_tests_a_host_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], loss: str
) -> None:
    write_mars(tmp_path, train_people=2, tracklets=2, frames=2, distractors=0)
    config = str(write_config(tmp_path))
    own = [
        *("loss.name", loss, *(("loss.triplet.weight_x", "1.0") if loss == "triplet" else ())),
        *("sampler.train_sampler", "RandomIdentitySampler", "sampler.num_instances", "2"),
    ]
    runner.main(["--config-file", config, "-s", "mars", "--root", str(tmp_path), *own])
    trained = capsys.readouterr().out
    assert "Rank-1  :" in trained
    checkpoint = tmp_path / "log" / "model" / "model.pth.tar-1"
    runner.main(
        ["--config-file", config, *own, "model.load_weights", str(checkpoint), "test.evaluate", "True"]
    )
    tested = capsys.readouterr().out
    ranks = [line for line in trained.splitlines() if line.startswith(("mAP", "Rank"))]
    assert ranks == [line for line in tested.splitlines() if line.startswith(("mAP", "Rank"))] != []
    assert "Successfully loaded pretrained weights" in tested
