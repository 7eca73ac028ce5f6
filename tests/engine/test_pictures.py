"""The pictures of a test, and what they say of themselves."""

from pathlib import Path
from typing import Any

import pytest

from reidar_plugin.engine import pictures
from reidar_plugin.errors import ConfigError
from reidar_plugin.report.figures.attention import LABEL
from reidar_plugin.report.figures.strips import fitted
from tests.engine_rig import config, run


def test_visrank_draws_tracklets_and_actions(
    mars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(config(mars, tmp_path, test__evaluate=True, test__visrank=True, test__visrank_topk=3))
    names = sorted(path.name.split("_", 2)[-1] for path in (tmp_path / "visrank_mars_actions").iterdir())
    assert names == ["attention.png", "attention.png", "ranked.png", "ranked.png"]
    assert sorted(path.name for path in (tmp_path / "actions").iterdir()) == [
        "confusion.png",
        "f1.png",
        "precision_recall.png",
    ]
    assert "7 pictures in" in capsys.readouterr().out
    with pytest.raises(
        ConfigError, match=r"test.visrank shows what a test ranks: it needs test.evaluate True"
    ):
        run(config(mars, tmp_path, test__visrank=True))


@pytest.mark.parametrize(("rerank", "title"), [(False, "MARS usual"), (True, "MARS usual, not re-ranked")])
def test_a_ranking_that_is_not_the_tables_last_says_so(
    mars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rerank: bool, title: str
) -> None:
    titles: list[str] = []
    original = pictures.ranked_picture

    def noting(*args: Any, **given: Any) -> Any:
        titles.append(given["title"])
        return original(*args, **given)

    monkeypatch.setattr(pictures, "ranked_picture", noting)
    run(config(mars, tmp_path, test__evaluate=True, test__visrank=True, test__rerank=rerank))
    assert titles == [title] * 2


def test_the_title_of_attention_is_not_cut() -> None:
    narrowest = LABEL + 330
    assert fitted(pictures.ATTENTION, narrowest, 15) == pictures.ATTENTION
