"""Charts of actions show what results.json holds."""

import numpy as np
import pytest
from PIL import ImageColor

from reidar_plugin.metrics.actions import average_precision, precision_recall_curve
from reidar_plugin.report.figures.actions import confusion_chart, f1_chart, precision_recall_chart
from reidar_plugin.report.figures.style import PALETTE, RIGHT, tint
from tests.report.shown import ACTIONS, judged

#: Walking 5 times, 4 of them found; hands 3 times, twice taken for walking; no action twice, once taken for hands.
PREDICTED, GIVEN = [0, 0, 0, 0, -1, 0, 0, 1, 1, -1], [0, 0, 0, 0, 0, 1, 1, 1, -1, -1]
RESULTS = judged(PREDICTED, GIVEN)


def test_confusions_are_counted_with_their_shares() -> None:
    [axes] = confusion_chart(RESULTS, "A test").axes
    cells = {(text.get_position()[1], text.get_position()[0]): text.get_text() for text in axes.texts[:6]}
    assert cells == {
        (0, 0): "4\n80%",
        (0, 1): "0",
        (0, 2): "1\n20%",
        (1, 0): "2\n67%",
        (1, 1): "1\n33%",
        (1, 2): "0",
    }
    assert [label.get_text() for label in axes.get_yticklabels()] == ["walking (5)", "using hands (3)"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["walking", "using\nhands", "none"]
    assert axes.get_title("left") == "A test"
    assert "2 with none or several are left out" in axes.texts[-1].get_text()


def test_right_cells_are_green_and_wrong_ones_red_by_their_share() -> None:
    [axes] = confusion_chart(RESULTS).axes
    pixels = np.asarray(axes.images[0].get_array())
    assert pixels.shape == (2, 3, 3)
    assert tuple(pixels[0, 0]) == ImageColor.getrgb(tint(RIGHT, 0.8))
    assert tuple(pixels[1, 0]) == ImageColor.getrgb(tint(PALETTE[1], 2 / 3))
    assert tuple(pixels[0, 1]) == tuple(pixels[1, 2])  # empty
    assert axes.yaxis_inverted()  # the first action stands on top


def test_curves_enclose_the_average_precision() -> None:
    scores = np.array(
        [
            [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05],
            [0.2, 0.9, 0.1, 0.8, 0.3, 0.4, 0.7, 0.6, 0.5, 0.05],
        ]
    )
    truth = np.array([np.array(GIVEN) == 0, np.array(GIVEN) == 1])
    curves = {name: precision_recall_curve(*pair) for name, *pair in zip(ACTIONS, scores, truth, strict=True)}
    [axes] = precision_recall_chart(curves, RESULTS).axes
    drawn = [line for line in axes.lines if line.get_drawstyle() == "steps-pre"]
    assert len(drawn) == 2
    for line, one, true in zip(drawn, scores, truth, strict=True):
        xs, ys = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
        area = (np.diff(xs) * ys[1:]).sum()  # each step is as high as its right end
        assert 0 < area == pytest.approx(average_precision(one, true))
        assert (xs[0], xs[-1]) == (0, 1)
        assert (np.diff(xs) > 0).all()


def test_curves_are_named_with_their_figures_and_what_guessing_gives() -> None:
    curve = precision_recall_curve([0.9, 0.2], [True, False])
    [axes] = precision_recall_chart({"using_hands": curve}, RESULTS).axes
    figure = RESULTS["per_action"]["using_hands"]["average_precision"]
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [f"using hands: AP {figure:.3f}, share 0.300"]
    [dotted] = [line for line in axes.lines if line.get_linestyle() == ":"]
    assert list(dotted.get_ydata()) == pytest.approx([0.3, 0.3])
    [nobody] = precision_recall_chart({}, RESULTS).axes
    assert nobody.get_legend() is None


def test_bars_are_as_long_as_f1() -> None:
    results = judged([0, 0, -1, -1], [0, 0, 0, -1])  # nobody uses hands
    [axes] = f1_chart(results).axes
    lengths = [patch.get_width() for patch in axes.patches]
    assert lengths == pytest.approx([0.8, 0.0])  # 2 * 2 / (2 * 2 + 0 + 1)
    assert [text.get_text() for text in axes.texts[:2]] == ["0.800   3 tracklets", "0.000   0 tracklets"]
    assert axes.texts[0].get_color() != axes.texts[1].get_color()
    [mean] = axes.lines
    assert list(mean.get_xdata()) == pytest.approx([0.8, 0.8])  # over actions with support
    assert axes.texts[2].get_text() == "macro mean 0.800"
    assert axes.yaxis_inverted()
    [macro] = f1_chart(RESULTS).axes[0].lines
    assert macro.get_xdata()[0] == pytest.approx((2 * 4 / (2 * 4 + 2 + 1) + 2 * 1 / (2 * 1 + 1 + 2)) / 2)
