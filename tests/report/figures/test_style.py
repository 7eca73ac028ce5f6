"""What pictures share: colours, names at line ends, files, and what to install."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageColor

from reidar_plugin.errors import ReidarError
from reidar_plugin.report.figures.style import (
    MUTED,
    PALETTE,
    RIGHT,
    WRONG,
    add_foot,
    add_legend,
    add_title,
    check_report_libraries,
    label_ends,
    new_chart,
    plain_name,
    save_chart,
    series_style,
    tint,
)
from tests.standin import REPO
from tests.warm import run_python


def test_tints() -> None:
    assert (tint("#0072b2", 0), tint("#0072b2", 1)) == ("#ffffff", "#0072b2")
    assert tint("#006432", 0.5) == "#80b298"  # halfway to white in each channel


def test_series_differ() -> None:
    styles = [(style["color"], style["linestyle"]) for style in map(series_style, range(16))]
    assert len(set(styles)) == 16
    assert [color for color, _ in styles[:8]] == list(PALETTE)
    assert len({*PALETTE, RIGHT, WRONG, MUTED}) == 11
    assert plain_name("item_both_hands") == "item both hands"


def test_names_at_line_ends_do_not_overlap() -> None:
    _, [axes] = new_chart(300, 200)
    levels = {"low": [0.0, 0.1], "twin": [1.0, 0.5], "other": [0.0, 0.5], "cut": [0.9, np.nan]}
    lines = [
        axes.plot([0, 1], values, label=name, **series_style(index))[0]
        for index, (name, values) in enumerate(levels.items())
    ]
    axes.set_ylim(0, 1)
    label_ends(axes, lines, gap=20)
    names = {text.get_text(): text for text in axes.texts}
    assert {name: tuple(text.xy) for name, text in names.items()} == {
        "low": (1, 0.1),
        "twin": (1, 0.5),
        "other": (1, 0.5),
        "cut": (0, 0.9),
    }
    heights = {name: text.xyann[1] for name, text in names.items()}
    assert heights == pytest.approx({"low": 0.1, "twin": 0.5, "other": 0.6, "cut": 0.9})  # 20 of 200 points
    for line in lines:
        arrow = names[str(line.get_label())].arrow_patch
        assert arrow is not None
        assert arrow.get_edgecolor()[:3] == pytest.approx(
            [part / 255 for part in ImageColor.getrgb(str(line.get_color()))]
        )


def test_a_chart_is_written_with_all_that_stands_around_it(tmp_path: Path) -> None:
    def drawn() -> bytes:
        figure, [above, below] = new_chart(200, 100, (2, 1))
        above.plot([0, 1], [0, 1], label="a long name of a line")
        add_title(above, "A title")
        add_legend(above)
        add_foot(below, "A foot")
        return save_chart(figure, tmp_path / "new" / "chart.png").read_bytes()

    first = drawn()
    with Image.open(tmp_path / "new" / "chart.png") as image:
        assert image.width > 2 * 300  # two pixels a point; the legend is not cut off
        assert image.height > 2 * 160
    assert drawn() == first
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["chart.png"]


def test_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    check_report_libraries()
    for library, hidden in (("sklearn", "sklearn.manifold"), ("matplotlib", "matplotlib.figure")):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, hidden, None)
            with pytest.raises(
                ReidarError, match=rf"{library}.*: pip install 'reidar-plugin\[report\]'$"
            ) as error:
                check_report_libraries()
            assert "\n" not in str(error.value)
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    check_report_libraries(["matplotlib.figure"])
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ReidarError, match="charts need matplotlib"):
        new_chart(10, 10)


def test_nothing_is_imported_before_a_chart_is_asked_for() -> None:
    """Neither by the engine, which draws, nor by results and tables; and pyplot never."""
    words = (
        "import sys, reidar_plugin.engine.pictures, reidar_plugin.report.tables, reidar_plugin.report.results"
    )
    script = f"""{words}
libraries = {{"matplotlib", "sklearn"}}
assert not libraries & set(sys.modules), libraries & set(sys.modules)
from reidar_plugin.report.figures.training import training_chart
training_chart([1], {{"loss": [1.0]}}, {{}})
assert "matplotlib" in sys.modules and "matplotlib.pyplot" not in sys.modules
"""
    done = run_python("-c", script, cwd=REPO)
    assert done.returncode == 0, done.stderr
