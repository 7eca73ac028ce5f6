"""What options are, and which are refused."""

import inspect
from dataclasses import fields
from pathlib import Path

import pytest

from reidar_plugin.engine import options as module
from reidar_plugin.engine.joint import JointEngine
from reidar_plugin.engine.options import EvaluationOptions, TrainingOptions
from reidar_plugin.errors import ConfigError
from reidar_plugin.host import reid
from tests.engine_rig import config, run


def test_an_unknown_distance(mars: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"unknown metric 'manhattan'"):
        run(config(mars, tmp_path, test__dist_metric="manhattan"))
    assert not list(tmp_path.iterdir())


def test_refuses_the_protocol_of_cuhk03(mars: Path, tmp_path: Path) -> None:
    cfg = config(mars, tmp_path, test__evaluate=True)
    cfg.cuhk03.use_metric_cuhk03 = True
    with pytest.raises(ConfigError, match=r"use_metric_cuhk03 is a protocol of the pictures of CUHK03"):
        run(cfg)


def test_the_protocol_of_cuhk03_is_refused_before_training(mars: Path, tmp_path: Path) -> None:
    cfg = config(mars, tmp_path)
    cfg.cuhk03.use_metric_cuhk03 = True
    with pytest.raises(ConfigError, match=r"use_metric_cuhk03"):
        run(cfg)
    assert not list(tmp_path.iterdir())


def test_options_of_a_test_are_the_arguments_of_the_engines_test() -> None:
    """In name, order and default, which are the host's."""
    signature = inspect.signature(JointEngine.test)
    arguments = {name: each.default for name, each in signature.parameters.items() if name != "self"}
    assert {field.name: field.default for field in fields(module.TestOptions)} == arguments
    assert [field.name for field in fields(module.TestOptions)] == list(arguments)
    assert list(inspect.signature(reid.engine.Engine.test).parameters) == ["self", *arguments]


def test_of_a_config_are_the_keys_of_reidar(mars: Path, tmp_path: Path) -> None:
    cfg = config(mars, tmp_path, reidar__train__keep=7, reidar__test__rerank__k1=5, data__split_id=3)
    assert TrainingOptions.from_config(cfg).keep == 7
    options = EvaluationOptions.from_config(cfg)
    assert (options.reranking.k1, options.split_id, options.resamples) == (5, 3, 50)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"resume": "of"},
            r"reidar.train.resume: unknown 'of'; did you mean 'off'\? choose one of auto, off",
        ),
        ({"save_every": -1}, r"reidar.train.save_every: expected a number of steps \(0: never\), got -1"),
    ],
)
def test_refuses_options_of_training(given: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TrainingOptions(**given)


@pytest.mark.parametrize("weight", [-0.1, float("nan"), float("inf")])
def test_refuses_a_weight_that_is_none(weight: float) -> None:
    with pytest.raises(ConfigError, match=r"reidar\.test\.action_weight: expected a weight of 0 or more"):
        EvaluationOptions(action_weight=weight)


def test_refuses_unknown_thresholds() -> None:
    with pytest.raises(
        ConfigError, match=r"reidar.test.thresholds: unknown 'best'; choose one of half, train"
    ):
        EvaluationOptions(thresholds="best")
