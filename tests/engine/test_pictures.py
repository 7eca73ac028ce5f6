"""What the pictures of a test say of themselves."""

from pathlib import Path
from typing import Any

import pytest

from reidar_plugin.engine import pictures
from reidar_plugin.report.figures.attention import LABEL
from reidar_plugin.report.figures.strips import fitted
from tests.engine_rig import OSNET, config, run


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


def test_actions_that_attend_to_maps_are_drawn(mars: Path, tmp_path: Path) -> None:
    options = {"model__name": OSNET, "data__height": 64, "data__width": 32}
    engine = run(
        config(
            mars,
            tmp_path,
            test__evaluate=True,
            test__visrank=True,
            reidar__model__action_source="conv3",
            **options,
        )
    )
    assert len(list(tmp_path.glob("visrank_*/*_actions.png"))) == engine.evaluator.options.pictures
