"""By which figure the best checkpoint is chosen."""

from pathlib import Path

import pytest

from reidar_plugin.errors import ConfigError
from tests.engine_rig import build, config, run, weights


@pytest.mark.parametrize("text", ["map", "rank-0", "rank-", "rank-x", ""])
def test_refuses_an_unknown_best_metric(mars: Path, tmp_path: Path, text: str) -> None:
    with pytest.raises(
        ConfigError, match=f"one of mAP, mINP, rank-<k>, with or without @protocol, got '{text}'"
    ):
        build(config(mars, tmp_path, reidar__train__best=text))


def test_names_the_protocols_there_are(mars: Path, tmp_path: Path) -> None:
    engine = build(config(mars, tmp_path, reidar__train__best="mAP@unusual"))
    with pytest.raises(
        ConfigError, match=r"names the protocol 'unusual'; the test has usual, no-distractors, mixing"
    ):
        engine.run(save_dir=str(tmp_path), max_epoch=1)
    assert engine.batch_idx == 0


def test_another_figure_of_merit_starts_anew(mars: Path, tmp_path: Path) -> None:
    run(config(mars, tmp_path, train__max_epoch=1))
    engine = run(config(mars, tmp_path, train__max_epoch=2, reidar__train__best="mINP@mixing"))
    assert engine.history.best is not None
    assert (engine.history.best.what, engine.history.best.epoch) == (
        "mINP of MARS mixing (squared Euclidean)",
        2,
    )
    assert weights(tmp_path, "model-best.pth.tar")["epoch"] == 2
