"""Plans of SynthPed: MARS' numbers, Table 1's shares, and what cannot be planned."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reidar_plugin.synthped.actions import ACTIONS, PASSING, SHARES, hand_out
from reidar_plugin.synthped.camera import install
from reidar_plugin.synthped.dice import Dice
from reidar_plugin.synthped.direct import direct
from reidar_plugin.synthped.plan import DISTRACTOR, JUNK, Plan, plan_lpw, plan_mars
from reidar_plugin.synthped.presets import LENGTHS, PRESETS, tracklet_lengths

INFO = Path(__file__).resolve().parents[2] / "../shared/mars/info"


@pytest.fixture(scope="module")
def mars() -> Plan:
    return plan_mars(PRESETS["mars"], seed=0)


@pytest.fixture(scope="module")
def small() -> Plan:
    return plan_mars(replace(PRESETS["mars"], people=(60, 60), tracklets=(780, 780), stretch=0.4), seed=3)


def test_the_mars_preset_has_the_numbers_of_mars(mars: Plan) -> None:
    train = [shot for shot in mars.shots if shot.split == "train"]
    test = [shot for shot in mars.shots if shot.split == "test"]
    queries = [test[place] for place in mars.queries]
    assert (len(train), len({shot.pid for shot in train})) == (8298, 625)
    assert (len(test), len(queries), len({shot.pid for shot in queries})) == (12180, 1980, 626)
    gallery = len(test) - len(queries) - sum(shot.pid == JUNK for shot in test)
    assert (gallery, sum(shot.pid == DISTRACTOR for shot in test)) == (9330, 3248)
    assert {shot.camera for shot in mars.shots} == {1, 2, 3, 4, 5, 6}
    frames = sum(shot.length for shot in mars.shots)
    assert abs(frames / 1_191_003 - 1) < 0.03  # MARS: 509,914 + 681,089


def answerable(plan: Plan) -> int:
    """Queries whose person another camera has in the gallery: those that the protocol of MARS counts."""
    test, queries = [shot for shot in plan.shots if shot.split == "test"], set(plan.queries)
    gallery = {(shot.pid, shot.camera) for index, shot in enumerate(test) if index not in queries}
    asked = [(test[index].pid, test[index].camera) for index in plan.queries]
    return sum(any(pid == who and camera != other for who, other in gallery) for pid, camera in asked)


def test_a_town_tests_with_many_more_queries_than_the_laptop_set() -> None:
    laptop, town = (plan_mars(PRESETS[name], seed=0) for name in ("laptop", "town"))
    assert (len(laptop.queries), answerable(laptop)) == (285, 232)
    assert (len(town.queries), answerable(town)) == (627, 600)
    assert [len(town.crowds[split]) for split in ("train", "test")] == [400, 200]


def test_queries_are_one_for_each_person_and_camera(mars: Plan) -> None:
    test = [shot for shot in mars.shots if shot.split == "test"]
    cameras: dict[int, set[int]] = {}
    for shot in test:
        if shot.pid > 0:
            cameras.setdefault(shot.pid, set()).add(shot.camera)
    asked = Counter((test[place].pid, test[place].camera) for place in mars.queries)
    wanted = {(pid, camera) for pid, seen in cameras.items() if len(seen) > 1 for camera in seen}
    assert set(asked) == wanted
    assert set(asked.values()) == {1}


def test_actions_of_the_mars_preset_are_those_of_table_1(mars: Plan) -> None:
    for split in ("train", "test"):
        counts = Counter(mars.labels[split])
        assert tuple(counts[action] for action in ACTIONS) == SHARES["mars", split]


@pytest.mark.parametrize(("number", "least"), [(10, 1), (47, 1), (48, 2), (95, 2), (96, 3), (160, 3)])
def test_no_action_is_left_out(number: int, least: int) -> None:
    counts = Counter(hand_out(SHARES["mars", "train"], number, Dice(0)))
    assert sum(counts.values()) == number
    assert min(counts[action] for action in ACTIONS) == least
    assert counts.most_common(1)[0][0] == "walking"


def test_too_few_people_for_all_actions() -> None:
    assert Counter(hand_out(SHARES["mars", "train"], 3, Dice(0))) == {"walking": 2, "item_one_hand": 1}


def test_even_shares() -> None:
    plan = plan_mars(replace(PRESETS["tiny"], people=(16, 16), tracklets=(60, 60)), 0, "even")
    assert set(Counter(plan.labels["train"]).values()) == {2}


@pytest.mark.shared
@pytest.mark.skipif(not INFO.is_dir(), reason=f"needs the real tables in {INFO}")
@pytest.mark.parametrize("kind", sorted(LENGTHS))
def test_lengths_are_spread_as_in_mars(kind: str) -> None:
    from scipy.io import loadmat

    train = loadmat(INFO / "tracks_train_info.mat")["track_train_info"]
    test = loadmat(INFO / "tracks_test_info.mat")["track_test_info"]
    rows = {
        "train": train,
        "test": test[test[:, 2] > 0],
        "distractor": test[test[:, 2] == 0],
        "junk": test[test[:, 2] < 0],
    }
    real = np.sort(rows[kind][:, 1] - rows[kind][:, 0] + 1)
    ours = np.sort(tracklet_lengths(kind, len(real), 1.0, Dice(0)))
    grid = np.arange(1, 930)
    gap = np.abs(np.searchsorted(real, grid, "right") - np.searchsorted(ours, grid, "right")).max() / len(
        real
    )
    assert gap < 0.035  # Kolmogorov and Smirnov
    assert abs(ours.sum() / real.sum() - 1) < 0.03


def test_lengths_by_hand() -> None:
    assert sorted(tracklet_lengths("train", 2, 1.0, Dice(0))) == [18, 88]  # between 16 and 20, 75 and 100
    assert min(tracklet_lengths("train", 400, 0.1, Dice(0))) == 4
    assert tracklet_lengths("train", 50, 1.0, Dice(0)) != tracklet_lengths(
        "train", 50, 1.0, Dice(1)
    )  # another order


def test_names(mars: Plan) -> None:
    shot = next(shot for shot in mars.shots if shot.pid == DISTRACTOR)
    assert shot.name(7) == f"0000C{shot.camera}T0001F007.jpg"
    assert shot.folder == "bbox_test/0000"
    assert next(shot for shot in mars.shots if shot.pid == JUNK).name(1).startswith("00-1C1T0001F001")
    keys = [shot.key for shot in mars.shots]
    assert len(set(keys)) == len(keys)


def test_neither_length_nor_number_of_tracklets_tells_the_action(mars: Plan) -> None:
    train = [shot for shot in mars.shots if shot.split == "train"]
    mean = np.mean([shot.length for shot in train])
    for action in ("item_one_hand", "item_both_hands"):
        lengths = np.array([shot.length for shot in train if shot.label == action])
        assert abs(lengths.mean() - mean) < 4 * lengths.std() / len(lengths) ** 0.5


def test_lpw_is_planned_as_lpw(small: Plan) -> None:
    plan = plan_lpw(replace(PRESETS["tiny"], people=(60, 20)), seed=0)
    seen: dict[tuple[int, int], set[int]] = {}
    for shot in plan.shots:
        scene, view, pid = (int("".join(c for c in part if c.isdigit())) for part in shot.key.split("/"))
        assert shot.split == ("test" if scene == 1 else "train")
        assert shot.pid == pid
        seen.setdefault((scene, pid), set()).add(view)
    tested = [views for (scene, _), views in seen.items() if scene == 1]
    assert len(tested) == 20
    assert all(2 in views and views & {1, 3} and views <= {1, 2, 3} for views in tested)
    trained = [views for (scene, _), views in seen.items() if scene > 1]
    assert len(trained) == 60
    assert all(len(views) >= 2 and views <= {1, 2, 3, 4} for views in trained)
    assert {shot.camera for shot in plan.shots} == set(range(1, 12))
    labels = {shot.key.split("/", 1)[1]: shot.label for shot in plan.shots if shot.split == "train"}
    assert len(set(labels.values())) == 8


def test_labels_are_weak_in_the_stated_measure(small: Plan) -> None:
    cameras = install(small.seed, small.cameras)
    known = [shot for shot in small.shots if shot.person >= 0]
    scripts = [direct(small, shot, cameras[shot.camera - 1]) for shot in known]
    whole = np.mean([set(script.actions) == {script.actions[0]} and script.actions[0] != shot.label
                     for shot, script in zip(known, scripts, strict=True)])  # fmt: skip
    mixed = np.mean([len(set(script.actions)) == 2 for script in scripts])
    assert whole == pytest.approx(0.06, abs=0.03)
    assert 0.05 < mixed < 0.22
    assert 0.05 < np.mean(np.concatenate([script.occluded for script in scripts])) < 0.25
    for shot, script in zip(known, scripts, strict=True):
        assert len(script.actions) == len(script.occluded) == len(script.window_x) == shot.length
        assert set(script.actions) <= {shot.label, *(name for name, _ in PASSING[shot.label])}
    assert len({script.pose for script in scripts}) == 6
    assert {"walking", "standing", "running", "various"} <= {script.motion for script in scripts}


def test_a_script_depends_on_its_own_name_only(small: Plan) -> None:
    cameras = install(small.seed, small.cameras)
    shot = small.shots[100]
    first, again = (
        direct(small, shot, cameras[shot.camera - 1]),
        direct(small, shot, cameras[shot.camera - 1]),
    )
    np.testing.assert_array_equal(first.window_x, again.window_x)
    other = direct(replace(small, seed=9), shot, cameras[shot.camera - 1])
    assert (first.window_x != other.window_x).all()


def test_too_few_tracklets() -> None:
    with pytest.raises(ValueError, match=r"tracklets of the train people must be at least \d+ .*got 12"):
        plan_mars(replace(PRESETS["tiny"], tracklets=(12, 44)), seed=0)


def test_the_box_takes_in_who_is_held_by_the_hand(small: Plan) -> None:
    cameras = install(small.seed, small.cameras)
    shots = [shot for shot in small.shots if shot.label == "holding_hands"]
    scripts = [direct(small, shot, cameras[shot.camera - 1]) for shot in shots]
    pairs = [script.cast for script in scripts if len(script.cast) == 2]
    assert len(pairs) > 5
    for person, other in pairs:
        assert np.abs(person.x).max() < 0.20  # the box reaches from -0.25 to 0.25
        assert np.abs(other.x).max() < 0.25
