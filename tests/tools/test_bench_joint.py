"""tools/bench_joint.py, as far as the command line goes."""

import runpy
from pathlib import Path
from typing import Any

import pytest

from reidar_plugin.errors import ConfigError
from reidar_plugin.launch import bench
from reidar_plugin.launch.bench_plan import planned, read_variants

REPO = Path(__file__).resolve().parents[2]
TOOL = runpy.run_path(str(REPO / "tools/bench_joint.py"))
VARIANTS = REPO / "configs/joint/variants.yml"


def test_hands_on_what_the_user_says(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(bench, "bench", lambda *given, **named: asked.append((given, named)))
    line = f"{VARIANTS} train.max_epoch 2 --streets 5 6 --seeds 1 --only joint identity-only --folder f --dry-run"
    TOOL["main"](line.split())
    (variants, streets, seeds, folder), named = asked[0]
    assert list(variants.options) == ["identity-only", "joint"]
    assert (streets, seeds, folder) == ([5, 6], [1], Path("f"))
    assert named == {"preset": "town", "options": ["train.max_epoch", "2"], "at_once": 0, "dry": True}


def test_options_come_in_pairs() -> None:
    with pytest.raises(ConfigError, match=r"pairs KEY VALUE, got train\.max_epoch"):
        TOOL["main"]([str(VARIANTS), "train.max_epoch"])


def test_every_variant_that_is_shipped_can_be_merged(tmp_path: Path) -> None:
    variants = read_variants(VARIANTS)
    assert next(iter(variants.options)) == "identity-only"
    runs = planned(variants, {"street": tmp_path}, [1], tmp_path)
    assert len({run.folder for run in runs}) == len(variants.options) > 2
