"""Pictures: that they are drawn, that what they must show is there, and that bad input is named."""

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reidar_plugin.metrics.actions import evaluate_actions, precision_recall_curve
from reidar_plugin.report.figures.actions import confusion_picture, f1_picture, precision_recall_picture
from reidar_plugin.report.figures.attention import attention_picture
from reidar_plugin.report.figures.axes import Axes, ticks_of
from reidar_plugin.report.figures.canvas import PALETTE, RIGHT, WRONG, Canvas, text_width, tint
from reidar_plugin.report.figures.ranked import RankedTracklet, ranked_picture
from reidar_plugin.report.figures.strips import ShownTracklet, fitted, frame_pixels, spread
from reidar_plugin.report.figures.training import training_picture
from reidar_plugin.report.results import action_results as action_record

ACTIONS = ("walking", "riding")
MAGENTA = (255, 0, 255)
BAR = tint(PALETTE[0], 0.85)


def frames(count: int, color: tuple[int, int, int] = (90, 120, 150)) -> list[np.ndarray]:
    return [np.full((32, 16, 3), color, dtype=np.uint8)] * count


def shown(pid: int, likely: float = 0.9, given: tuple[str, ...] | None = ("walking",)) -> ShownTracklet:
    return ShownTracklet(frames(6), pid, 2, (likely, 0.1), given)


def area(canvas: Canvas, color: tuple[int, int, int]) -> int:
    """Pixels of exactly one colour."""
    return int((canvas.pixels() == color).all(axis=2).sum())


def test_right_and_wrong_can_be_told_apart() -> None:
    pictures = {
        right: ranked_picture(
            shown(1), [RankedTracklet(shown(1 if place < right else 2), 1.0) for place in range(4)]
        )
        for right in (0, 2, 4)
    }
    green, red = ([area(pictures[right], color) for right in (0, 2, 4)] for color in (RIGHT, WRONG))
    assert green == sorted(green)
    assert red == sorted(red, reverse=True)
    assert green[2] > 5 * green[0]  # the legend has a little of both
    assert red[0] > 5 * red[2]


def test_predicted_actions_are_judged() -> None:
    ranked = [RankedTracklet(shown(1, given=("riding",)), 1.0)]
    agreed = ranked_picture(shown(1), [RankedTracklet(shown(1), 1.0)], ACTIONS)
    differed = ranked_picture(shown(1), ranked, ACTIONS)
    assert area(differed, WRONG) > area(agreed, WRONG)
    unknown = ranked_picture(shown(1, given=None), [RankedTracklet(shown(1, given=None), 1.0)], ACTIONS)
    assert area(unknown, RIGHT) < area(agreed, RIGHT)


def test_attention_shows_weights_and_erased_frames() -> None:
    weights = np.array([[0.7, 0.1, 0.1, 0.1]])
    tracklet = ShownTracklet(frames(4, MAGENTA), 1, 2)
    plain, erased = attention_picture(tracklet, weights), attention_picture(tracklet, weights, weights == 0.7)
    assert area(plain, WRONG) == 0
    assert area(erased, WRONG) > 300
    assert area(erased, MAGENTA) < area(plain, MAGENTA)
    bars = (plain.pixels() == BAR).all(axis=2)
    tall, short = (
        np.flatnonzero(half.any(axis=1)) for half in np.split(bars[:, : bars.shape[1] // 2 * 2], 2, axis=1)
    )
    assert tall[-1] == short[-1]  # they stand on one line ...
    assert tall[0] < short[0]  # ... and grow upwards
    flat = attention_picture(tracklet, np.full((1, 4), 0.25))
    assert area(flat, BAR) > 1.5 * area(plain, BAR) > 0  # four full bars against 1.43


def test_frames_are_drawn_where_they_belong() -> None:
    canvas = Canvas(100, 60)
    canvas.picture(10, 20, 30, 30, np.full((4, 4, 3), MAGENTA, dtype=np.uint8))
    found = np.argwhere((canvas.pixels() == MAGENTA).all(axis=2))
    assert found.min(axis=0).tolist() == [40, 20]  # two pixels a point; rows first
    assert found.max(axis=0).tolist() == [99, 79]


def test_pictures_are_written_whole(tmp_path: Path) -> None:
    for place in range(3):
        Image.new("RGB", (16, 32), (place * 80, 90, 90)).save(tmp_path / f"{place}.jpg")
    tracklet = ShownTracklet([str(tmp_path / f"{place}.jpg") for place in range(3)], 4, 1, (0.2, 0.3), ())
    likelihoods, labels = [[0.9, 0.2], [0.2, 0.7], [0.3, 0.3]], [[1, 0], [0, 1], [math.nan] * 2]
    record = action_record(evaluate_actions(likelihoods, labels, ACTIONS))
    pictures = {
        "ranked": ranked_picture(tracklet, [RankedTracklet(tracklet, 0.5)] * 7, ACTIONS, title="A test"),
        "alone": ranked_picture(tracklet, []),
        "confusion": confusion_picture(record),
        "f1": f1_picture(record),
        "curves": precision_recall_picture({"walking": precision_recall_curve([0.9, 0.2], [True, False])}),
        "nobody": precision_recall_picture({}),
    }
    for name, canvas in pictures.items():
        path = canvas.save(tmp_path / "new" / f"{name}.png")
        with Image.open(path) as image:
            assert min(image.size) > 200
            assert np.array_equal(np.asarray(image), canvas.pixels())
            assert len(image.getcolors(2**20) or ()) > 20
    assert len(list((tmp_path / "new").iterdir())) == len(pictures)


def test_confusion_tints_the_diagonal_green_and_the_rest_red() -> None:
    labels = [[1, 0]] * 5 + [[0, 1]] * 5
    good = action_record(evaluate_actions([[0.9, 0.1]] * 5 + [[0.1, 0.9]] * 5, labels, ACTIONS))
    bad = action_record(evaluate_actions([[0.1, 0.9]] * 5 + [[0.9, 0.1]] * 5, labels, ACTIONS))
    assert area(confusion_picture(good), RIGHT) > 5000 > area(confusion_picture(good), PALETTE[1])
    assert area(confusion_picture(bad), PALETTE[1]) > 5000 > area(confusion_picture(bad), RIGHT)


def test_training_curves_fall_where_losses_fall() -> None:
    epochs = list(range(1, 21))
    canvas = training_picture(epochs, {"loss": [10.0 / epoch for epoch in epochs]}, {"model": [3e-4] * 20})
    rows, columns = np.nonzero((canvas.pixels()[:600] == PALETTE[0]).all(axis=2))
    inside = columns < 2 * (28 + 56 + 520)  # left of the legend
    left, right = columns[inside].min(), columns[inside].max()
    assert rows[inside][columns[inside] == left].mean() < rows[inside][columns[inside] == right].mean()


def test_axes_put_values_in_place() -> None:
    axes = Axes(Canvas(10, 10), 100, 50, 200, 80, (0, 10), (0.01, 100), logarithmic=True)
    assert (axes.x(0), axes.x(5), axes.x(10)) == (100, 200, 300)
    assert (axes.y(100), axes.y(1), axes.y(0.01)) == pytest.approx((50, 90, 130))
    assert axes.y(1e9) == 50
    assert ticks_of((0, 1)) == [0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert ticks_of((1, 120)) == [20, 40, 60, 80, 100, 120]
    assert ticks_of((3, 3)) == [3]


def test_text_is_cut_to_its_width() -> None:
    words = "walking 0.93, riding 0.71, trolley 0.66"
    assert fitted(words, 1000, 10) == words
    cut = fitted(words, 90, 10)
    assert cut.endswith("...")
    assert text_width(cut, 10) <= 90


@pytest.mark.parametrize(
    ("count", "most", "places"), [(8, 4, [1, 3, 5, 7]), (3, 4, [0, 1, 2]), (100, 1, [50])]
)
def test_frames_are_spread_over_the_tracklet(count: int, most: int, places: list[int]) -> None:
    assert spread(count, most) == places


def test_bad_input_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"for 4 frames, got \(1, 3\) and \(1, 3\)"):
        attention_picture(ShownTracklet(frames(4), 1, 2), np.ones((1, 3)) / 3)
    with pytest.raises(ValueError, match=r"bce: expected 2 values, one an epoch, got 1"):
        training_picture([1, 2], {"bce": [0.5]}, {})
    with pytest.raises(ValueError, match=r"0 epochs, 0 loss terms"):
        training_picture([], {}, {})
    with pytest.raises(FileNotFoundError, match=r"no frame at .*gone.jpg"):
        frame_pixels(str(tmp_path / "gone.jpg"))
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"broken.jpg: not a readable picture"):
        frame_pixels(str(tmp_path / "broken.jpg"))
    with pytest.raises(ValueError, match=r"got float64 \(2, 2\)"):
        frame_pixels(np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"without frames"):
        spread(0, 4)
