"""Ranked tracklets: what is right and what is wrong can be told apart, and all are shown."""

from reidar_plugin.report.figures.ranked import RankedTracklet, ranked_picture
from reidar_plugin.report.figures.strips import ShownTracklet
from reidar_plugin.report.figures.style import RIGHT, WRONG
from tests.report.shown import ACTIONS, MAGENTA, area, frames, shown


def test_right_and_wrong_can_be_told_apart() -> None:
    pictures = {
        right: ranked_picture(
            shown(1), [RankedTracklet(shown(1 if rank < right else 2), 1.0) for rank in range(4)]
        )
        for right in (0, 2, 4)
    }
    green, red = ([area(pictures[right], color) for right in (0, 2, 4)] for color in (RIGHT, WRONG))
    assert green == sorted(green)
    assert red == sorted(red, reverse=True)
    assert green[2] > 5 * green[0]  # the legend has a little of both
    assert red[0] > 5 * red[2]


def test_predicted_actions_are_judged() -> None:
    agreed = ranked_picture(shown(1), [RankedTracklet(shown(1), 1.0)], ACTIONS)
    differed = ranked_picture(shown(1), [RankedTracklet(shown(1, given=("using_hands",)), 1.0)], ACTIONS)
    assert area(differed, WRONG) > area(agreed, WRONG)
    unknown = ranked_picture(shown(1, given=None), [RankedTracklet(shown(1, given=None), 1.0)], ACTIONS)
    assert area(unknown, RIGHT) < area(agreed, RIGHT)


def test_every_tracklet_is_shown() -> None:
    """Four of its frames each, five tracklets in a row."""
    seen = RankedTracklet(ShownTracklet(frames(6, MAGENTA), 2, 1), 0.5)
    one, seven = (ranked_picture(shown(1), [seen] * count, title="A test") for count in (1, 7))
    assert area(one, MAGENTA) == 4 * 92 * 184
    assert area(seven, MAGENTA) == 7 * area(one, MAGENTA)
    assert seven.image.height > one.image.height
    assert ranked_picture(shown(1), []).pixels().shape[1] == one.pixels().shape[1]
