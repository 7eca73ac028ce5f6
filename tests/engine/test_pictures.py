"""What the pictures of a test say of themselves, and what happens without the libraries that draw them."""

import sys
from pathlib import Path
from typing import Any

import pytest

from reidar_plugin.engine import pictures
from reidar_plugin.engine.evaluator import Evaluator
from reidar_plugin.errors import ConfigError, ReidarError
from reidar_plugin.report.figures.attention import LABEL
from reidar_plugin.report.figures.strips import fitted
from tests.engine_rig import OSNET, config, run


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


@pytest.fixture
def no_action_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Charts of actions are not written, which takes longer than the rest of a test."""
    original = pictures.save_chart

    def save_chart(figure: Any, path: Path) -> Path:
        return path if path.parent.name == "actions" else original(figure, path)

    monkeypatch.setattr(pictures, "save_chart", save_chart)


@pytest.mark.usefixtures("no_action_charts")
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


def test_charts_of_actions_name_the_data(mars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: dict[str, Any] = {}

    def noting(figure: Any, path: Path) -> Path:
        drawn[path.stem] = figure.axes[0]
        return path

    monkeypatch.setattr(pictures, "save_chart", noting)
    engine = run(config(mars, tmp_path, test__evaluate=True, test__visrank=True))
    assert engine.results.actions["counts"]["known"] == 12
    assert {name: axes.get_title("left") for name, axes in drawn.items()} == {
        "confusion": "mars_actions, 12 tracklets: confusions",
        "f1": "mars_actions, 12 tracklets: F1 of each action",
        "precision_recall": "mars_actions, 12 tracklets: precision against recall",
    }
    shown = [name for name, one in engine.results.actions["per_action"].items() if one["support"]]
    legend = [text.get_text() for text in drawn["precision_recall"].get_legend().get_texts()]
    assert [words.partition(":")[0] for words in legend] == [name.replace("_", " ") for name in shown]


@pytest.mark.usefixtures("no_action_charts")
def test_people_are_laid_out_where_they_have_enough_tracklets(
    mars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose = pictures.people_to_show
    monkeypatch.setattr(pictures, "people_to_show", lambda pids: choose(pids, least=2))
    run(config(mars, tmp_path, test__evaluate=True, test__visrank=True))
    assert (tmp_path / "visrank_mars_actions" / "embedding.png").stat().st_size > 1000


def test_asks_for_the_libraries_before_the_test(
    mars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tested: list[str] = []
    original = Evaluator.__call__

    def noting(self: Evaluator, *how: Any) -> Any:
        tested.append("tested")
        return original(self, *how)

    monkeypatch.setattr(Evaluator, "__call__", noting)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ReidarError, match=r"pip install 'reidar-plugin\[report\]'"):
        run(config(mars, tmp_path, test__evaluate=True, test__visrank=True))
    assert tested == []
    run(config(mars, tmp_path, test__evaluate=True))  # without pictures none is needed
    assert tested == ["tested"]
    assert (tmp_path / "results.json").is_file()


@pytest.mark.usefixtures("no_action_charts")
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
