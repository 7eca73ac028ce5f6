"""The bench with runs that only pretend."""

from pathlib import Path
from typing import Any

import pytest

from reidar_plugin.errors import ConfigError
from reidar_plugin.launch import bench as benches
from reidar_plugin.launch.bench import bench
from reidar_plugin.launch.bench_plan import Variants
from tests.launch.bench_rig import Pretended, pretended, variants

__all__ = ["pretended", "variants"]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The streets that a bench wants drawn; none is, and no step is timed."""
    asked: list[Any] = []
    monkeypatch.setattr(benches, "make", lambda *given, **named: asked.append((*given, named)))
    monkeypatch.setattr(benches, "cost_lines", lambda left, at_once: [f"{len(left)} left, {at_once} at once"])
    return asked


def test_the_whole_bench(
    variants: Variants,
    tmp_path: Path,
    pretended: type[Pretended],
    asked: list[Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    wrong = variants._replace(options={**variants.options, "joint": ["loss.name", "joined"]})
    with pytest.raises(ConfigError, match=r"loss\.name"):
        bench(wrong, [7], [1, 2], tmp_path, dry=True)
    assert not asked  # nothing was drawn for what cannot run
    assert bench(variants, [7], [1, 2], tmp_path, dry=True) == {}
    assert pretended.log == []
    record = bench(variants, [7], [1, 2], tmp_path, at_once=2)
    assert asked[0] == (tmp_path / "streets/town-7", "town", {"seed": 7, "folder": "synthped"})
    assert len(pretended.log) == 4
    said = capsys.readouterr().out
    assert said.index("4 runs, 0 of them done\n4 left, 2 at once") < said.index("4/4 town-7 joint seed 2")
    assert record["variants"]["joint"]["differences"]["mAP"]["mean"] > 0
    assert "alone" in (tmp_path / "bench.txt").read_text()
    again = bench(variants, [7], [1, 2], tmp_path)
    assert again == record
    assert len(pretended.log) == 4


@pytest.mark.parametrize(
    ("streets", "seeds", "at_once", "message"),
    [
        ([7, 7], [1], 0, "streets: expected each number once, got 7 7"),
        ([7], [1, 2, 1], 0, "seeds: expected each number once, got 1 2 1"),
        ([7], [1], -1, "1 or more runs at once, or 0 for one a core, got -1"),
    ],
)
def test_what_would_never_end_or_run_twice(
    variants: Variants, tmp_path: Path, streets: list[int], seeds: list[int], at_once: int, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        bench(variants, streets, seeds, tmp_path, at_once=at_once)


@pytest.mark.usefixtures("pretended", "asked")
def test_no_other_variant_takes_the_place_of_the_first(
    variants: Variants, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench(variants.only(["joint"]), [7], [1], tmp_path)
    capsys.readouterr()
    assert bench(variants, [7], [1], tmp_path, dry=True) == {}
    assert "no run of alone is finished" in capsys.readouterr().out
