"""Options that cannot be."""

from pathlib import Path

import pytest

from reidar_plugin.errors import ConfigError
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
