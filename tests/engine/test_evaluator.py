"""What a test reads, what the network says of it, and what is judged."""

from pathlib import Path
from typing import Any

import pytest

from reidar_plugin.engine import evaluator
from tests.engine_rig import build, config


def test_training_tracklets_are_cut_as_test_tracklets_are(
    mars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thresholds would else be chosen on likelihoods that are averaged over other clips than those at test."""
    plans: dict[str, Any] = {}
    original = evaluator.extract

    def noting(network: Any, loader: Any, normalise: Any, precision: Any, title: str) -> Any:
        plans[title] = loader.dataset.plan
        return original(network, loader, normalise, precision, title)

    monkeypatch.setattr(evaluator, "extract", noting)
    options = {"reidar__data__test_clips": "interleaved", "reidar__data__test_max_clips": 1}
    engine = build(config(mars, tmp_path, reidar__test__thresholds="train", **options))
    engine.evaluator()
    sizes = [len(paths) for paths in engine.datamanager.train_table.paths]
    assert set(sizes) == {3, 5}
    plan = plans["training tracklets"]
    assert plan.tracklets.tolist() == list(range(len(sizes)))  # one clip each
    # every second frame of 3 and every third of 5, where consecutive clips would be [0, 1]
    assert plan.frames.tolist() == [[0, 2] if size == 3 else [0, 3] for size in sizes]
    assert len(plans["mars_actions query"].tracklets) == 6
