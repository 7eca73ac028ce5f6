"""People of SynthPed on paper: in one piece, on the ground, doing what they do."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from reidar_plugin.synthped.actions import ACTIONS
from reidar_plugin.synthped.actor import Motion, stage_actor
from reidar_plugin.synthped.dice import Array, Dice
from reidar_plugin.synthped.people import Look, dress, dress_all
from reidar_plugin.synthped.sketch import Eye, Ink, Sketch, paint

VIEWS = np.arange(8) / 8
EMPTY = (1, 2, 3)
TALL, GROUND = 180.0, 230
PLAIN = Ink(np.stack([np.arange(256, dtype=np.uint8)] * 3))


def draw(look: Look, action: str, headings: Array = VIEWS, phase: float = 0.1) -> list[Array]:
    """The person from several sides, on a canvas with room around."""
    frames = len(headings)
    eye = Eye(headings, 0.03, np.full(frames, TALL), np.tile([128.0, GROUND], (frames, 1)), 0.7)
    doing = {} if action == "walking" else {action: np.ones(frames)}
    sketch = stage_actor(look, Motion(np.full(frames, phase), np.ones(frames), doing), eye, PLAIN)
    pictures = []
    for frame, order in enumerate(sketch.order()):
        canvas = np.full((256, 256, 3), EMPTY, np.uint8)
        paint(canvas, sketch.parts, order, frame)
        pictures.append(canvas)
    return pictures


def body(picture: Array) -> Array:
    return ~cv2.inRange(picture, EMPTY, EMPTY).astype(bool)


@pytest.mark.parametrize("action", ACTIONS)
def test_everything_hangs_together(action: str) -> None:
    for person in range(6):
        for picture in draw(dress(Dice("pieces", person)), action, phase=person / 6):
            _, _, stats, _ = cv2.connectedComponentsWithStats(body(picture).astype(np.uint8), connectivity=8)
            sizes = sorted(stats[1:, cv2.CC_STAT_AREA].tolist())
            assert sizes[-1] > 2200  # somebody is there
            assert sum(sizes[:-1]) < 12, (person, action, sizes)  # and nothing flies beside


@pytest.mark.parametrize("action", ACTIONS)
def test_stands_on_the_ground(action: str) -> None:
    for picture in draw(dress(Dice("ground")), action):
        rows = np.flatnonzero(body(picture).any(axis=1))
        assert GROUND - 10 <= rows[-1] <= GROUND + 16  # nearer feet are lower: the camera looks down a little
        assert TALL * 0.85 < GROUND - rows[0] < TALL * 1.15


def test_actions_look_different_from_the_front() -> None:
    look = dress(Dice("front"))
    pictures = {action: draw(look, action, np.array([0.06]))[0] for action in ACTIONS}
    for action in set(ACTIONS) - {"walking"}:
        changed = (pictures[action] != pictures["walking"]).any(axis=2).sum()
        assert changed > 75, action


def test_a_rider_has_two_round_wheels() -> None:
    picture = draw(dress(Dice("wheels")), "riding", np.array([0.25]))[0]
    columns = np.flatnonzero(body(picture).any(axis=0))
    assert columns[-1] - columns[0] > 0.9 * TALL  # a bicycle is about as long as its rider is tall
    tyre = np.abs(picture.astype(int) - 24).max(axis=2) < 3
    middle = int(GROUND - 0.185 * TALL)  # the height of the hubs
    hubs = np.flatnonzero(tyre[middle])
    assert hubs[-1] - hubs[0] == pytest.approx((0.66 + 2 * 0.178) * TALL, abs=6)  # from rim to rim
    for z in (-0.285, 0.375):  # the rims, above and below the hubs
        column = tyre[:, int(128 + z * TALL) - 1 : int(128 + z * TALL) + 2].any(axis=1)
        assert {True} == {
            bool(column[int(middle + d * 0.178 * TALL) - 3 : int(middle + d * 0.178 * TALL) + 4].any())
            for d in (-1, 1)
        }


def test_views_differ_and_mirror() -> None:
    pictures = draw(dress(Dice("views")), "walking")
    shapes = [body(picture) for picture in pictures]
    for a in range(8):
        for b in range(a):
            assert (pictures[a] != pictures[b]).any(axis=2).sum() > 250
    assert (shapes[2] ^ shapes[6][:, ::-1]).sum() < 0.35 * shapes[2].sum()  # left and right profile


def test_the_nearer_arm_covers_the_trunk() -> None:
    look = dress(Dice("arms"))
    front, back = draw(look, "phone_to_face", np.array([0.0, 0.5]))
    chest = (slice(GROUND - 145, GROUND - 108), slice(112, 145))
    skin_or_phone = (front[chest] != back[chest]).any(axis=2).mean()
    assert skin_or_phone > 0.15


def test_nobody_shares_everything_and_many_share_clothes() -> None:
    crowd = dress_all(634, 0, "test")
    assert len(set(crowd)) == 634
    clothes = [(look.top_colour, look.bottom_colour) for look in crowd]
    shared = sum(clothes.count(pair) > 1 for pair in clothes) / len(clothes)
    assert shared > 0.9
    assert len({look.top_name for look in crowd}) == 9
    assert len({look.bottom_name for look in crowd}) >= 8


def test_a_double_goes_home_to_change(monkeypatch: pytest.MonkeyPatch) -> None:
    from reidar_plugin.synthped import people

    looks = iter([dress(Dice("one")), dress(Dice("one")), dress(Dice("two"))])
    monkeypatch.setattr(people, "dress", lambda dice: next(looks))
    assert people.dress_all(2, 0, "x") == [dress(Dice("one")), dress(Dice("two"))]


def test_eye_by_hand() -> None:  # facing the camera, the person's left is at the right of the picture
    front = Eye(np.zeros(1), 0.0, np.array([100.0]), np.array([[50.0, 200.0]]), 0.0)
    np.testing.assert_allclose(front.pixel(np.array([[0.1, 1.0, 0.3]])), [[60.0, 100.0]])
    np.testing.assert_allclose(front.depth(np.array([[0.1, 1.0, 0.3]])), [0.3])
    right = Eye(np.full(1, 0.25), 0.0, np.array([100.0]), np.array([[50.0, 200.0]]), 0.0)
    np.testing.assert_allclose(right.pixel(np.array([[0.1, 1.0, 0.3]])), [[80.0, 100.0]])
    np.testing.assert_allclose(
        right.depth(np.array([[0.1, 1.0, 0.3]])), [-0.1]
    )  # the left side is the far one
    np.testing.assert_allclose(right.width(0.12, 0.05), [5.0])


def test_parts_are_painted_from_back_to_front_and_only_when_shown() -> None:
    eye = Eye(np.zeros(2), 0.0, np.full(2, 10.0), np.zeros((2, 2)), 0.0)
    sketch = Sketch(eye)
    square = np.tile(np.array([[2.0, 2.0], [2.0, 8.0], [8.0, 8.0], [8.0, 2.0]]), (2, 1, 1))
    sketch.part(np.array([1.0, -1.0])).fill(square, (10, 0, 0))
    sketch.part(0.0, shown=np.array([True, False])).fill(square, (20, 0, 0))
    sketch.part(-0.5).fill(square, (30, 0, 0))
    assert sketch.order() == [[2, 1, 0], [0, 2]]
    for frame, blue in enumerate((10, 30)):
        canvas = np.zeros((12, 12, 3), np.uint8)
        paint(canvas, sketch.parts, sketch.order()[frame], frame)
        assert canvas[5, 5].tolist() == [blue, 0, 0]
        assert canvas[1, 1].tolist() == [0, 0, 0]


@pytest.mark.parametrize("bag", ["handbag", "backpack"])
def test_a_walker_has_no_bag_in_the_hand(bag: str) -> None:  # it would look like an item in one hand
    look = dress(Dice("bags"))
    with_bag, without = (draw(replace(look, bag=kind), "walking") for kind in (bag, "none"))
    hand = GROUND - int(0.53 * TALL)  # of an arm that hangs
    rows = [(one != other).any(axis=(1, 2)) for one, other in zip(with_bag, without, strict=True)]
    assert sum(view.sum() > 20 for view in rows) >= 5  # it is there, from most sides
    assert not any(view[hand:].any() for view in rows)


def test_a_phone_shows_its_screen_to_who_holds_it() -> None:
    look = dress(Dice("screen"))
    front, back = draw(look, "phone_to_face", np.array([0.10, 0.40]))
    screen = np.array(PLAIN.ramp((206, 222, 236))[0])
    assert (back == screen).all(axis=2).sum() > 40 > (front == screen).all(axis=2).sum()
