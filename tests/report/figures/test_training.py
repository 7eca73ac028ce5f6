"""The chart of a training: every value of every term, on axes that hold them."""

import math

import numpy as np
import pytest

from reidar_plugin.report.figures.style import INK
from reidar_plugin.report.figures.training import training_chart

EPOCHS = [1, 2, 3]
LOSSES = {"triplet": [4.0, 2.0, 1.5], "action_centre": [300.0, 0.0, 90.0], "loss": [9.0, 5.0, 3.0]}


def test_every_value_is_drawn() -> None:
    above, below = training_chart(EPOCHS, LOSSES, {"learning rate": [1e-3, 3e-4, 3e-4]}, "A training").axes
    drawn = {str(line.get_label()): line for line in above.lines}
    assert list(drawn) == ["triplet", "action centre", "loss, the weighted sum"]
    for line in above.lines:
        assert list(line.get_xdata()) == EPOCHS
    np.testing.assert_array_equal(drawn["triplet"].get_ydata(), LOSSES["triplet"])
    np.testing.assert_array_equal(drawn["action centre"].get_ydata(), [300, math.nan, 90])
    assert drawn["action centre"].get_marker() == "o"  # a value between gaps is seen
    assert drawn["loss, the weighted sum"].get_color() == INK
    assert len({line.get_color() for line in above.lines}) == 3
    assert list(below.lines[0].get_ydata()) == [1e-3, 3e-4, 3e-4]
    assert (above.get_yscale(), above.get_ylim()) == ("log", (1, 1000))
    assert below.get_ylim() == pytest.approx((1e-4, 1e-3))
    assert above.get_title("left") == "A training"
    assert below.get_xlabel() == "epoch"


def test_lines_are_named_at_their_ends() -> None:
    above, below = training_chart(EPOCHS, LOSSES, {"learning rate": [1e-3] * 3}).axes
    names = {text.get_text(): text for text in above.texts}
    assert {name: tuple(text.xy) for name, text in names.items()} == {
        "triplet": (3, 1.5),
        "action centre": (3, 90),
        "loss, the weighted sum": (3, 3),
    }
    assert not below.texts  # one line needs no name beside its axis


def test_a_term_that_is_never_above_0_is_named_below() -> None:
    figure = training_chart(EPOCHS, {"triplet": [1.0, 2.0, 3.0], "quiet": [0.0, 0.0, 0.0]}, {})
    [axes] = figure.axes
    assert [line.get_label() for line in axes.lines] == ["triplet"]
    assert "Never above 0, so not on a logarithmic axis: quiet." in [text.get_text() for text in axes.texts]
    assert training_chart([1], {"quiet": [0.0]}, {}).axes[0].get_ylim() == (1, 10)


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match=r"bce: expected 2 values, one an epoch, got 1"):
        training_chart([1, 2], {"bce": [0.5]}, {})
    with pytest.raises(ValueError, match=r"model: expected 1 values, one an epoch, got 2"):
        training_chart([1], {"bce": [0.5]}, {"model": [0.1, 0.1]})
    with pytest.raises(ValueError, match=r"0 epochs, 0 loss terms"):
        training_chart([], {}, {})
