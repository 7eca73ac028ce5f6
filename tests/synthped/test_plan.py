"""Plans of SynthPed: MARS' numbers, Table 1's shares, and what cannot be planned."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from reidar_plugin.synthped.actions import ACTIONS, SHARES
from reidar_plugin.synthped.plan import DISTRACTOR, JUNK, Plan, plan_lpw, plan_mars
from reidar_plugin.synthped.presets import PRESETS


@pytest.fixture(scope="module")
def mars() -> Plan:
    return plan_mars(PRESETS["mars"], seed=0)


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


def test_even_shares() -> None:
    plan = plan_mars(replace(PRESETS["tiny"], people=(16, 16), tracklets=(60, 60)), 0, "even")
    assert set(Counter(plan.labels["train"]).values()) == {2}


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


def test_lpw_is_planned_as_lpw() -> None:
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


def test_too_few_tracklets() -> None:
    with pytest.raises(ValueError, match=r"tracklets of the train people must be at least \d+ .*got 12"):
        plan_mars(replace(PRESETS["tiny"], tracklets=(12, 44)), seed=0)
