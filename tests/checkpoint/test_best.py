"""By which figure the best checkpoint is chosen."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from reidar_plugin.checkpoint.best import BestMetric
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


def result(protocol: str, **figures: float) -> Any:
    """Of a test under a protocol, as far as the best metric reads it."""
    retrieval = SimpleNamespace(cmc=lambda k: figures[f"rank{k}"], **figures)
    return SimpleNamespace(
        protocol=protocol, title=f"MARS {protocol}", distance="cosine", retrieval=retrieval
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mAP", (0.1, "mAP of MARS usual (cosine)")),
        ("mINP@mixing", (0.5, "mINP of MARS mixing (cosine)")),
        ("rank-5", (0.3, "rank-5 of MARS usual (cosine)")),
        ("rank-5@mixing", (0.6, "rank-5 of MARS mixing (cosine)")),
    ],
)
def test_takes_the_figure_from_the_first_result_of_the_protocol(
    text: str, expected: tuple[float, str]
) -> None:
    results = [
        result("usual", mAP=0.1, mINP=0.2, rank5=0.3),
        result("mixing", mAP=0.4, mINP=0.5, rank5=0.6),
        result("mixing", mAP=0.7, mINP=0.8, rank5=0.9),  # re-ranked
    ]
    assert BestMetric(text).figure_of(results) == expected


def test_another_figure_of_merit_starts_anew(mars: Path, tmp_path: Path) -> None:
    run(config(mars, tmp_path, train__max_epoch=1))
    engine = run(config(mars, tmp_path, train__max_epoch=2, reidar__train__best="mINP@mixing"))
    assert engine.history.best is not None
    assert (engine.history.best.what, engine.history.best.epoch) == (
        "mINP of MARS mixing (squared Euclidean)",
        2,
    )
    assert weights(tmp_path, "model-best.pth.tar")["epoch"] == 2
