"""Scripts of tracklets: labels are weak in the stated measure, and a script depends on nothing but its own name."""

from dataclasses import replace

import numpy as np
import pytest

from reidar_plugin.synthped.actions import PASSING
from reidar_plugin.synthped.choreography import write_script
from reidar_plugin.synthped.plan import DISTRACTOR, JUNK, Plan, plan_mars
from reidar_plugin.synthped.presets import PRESETS
from reidar_plugin.synthped.street.camera import make_cameras


@pytest.fixture(scope="module")
def small() -> Plan:
    return plan_mars(replace(PRESETS["mars"], people=(60, 60), tracklets=(780, 780), stretch=0.4), seed=3)


def test_labels_are_weak_in_the_stated_measure(small: Plan) -> None:
    cameras = make_cameras(small.seed, small.cameras)
    known = [shot for shot in small.shots if shot.person >= 0]
    scripts = [write_script(small, shot, cameras[shot.camera - 1]) for shot in known]
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
    cameras = make_cameras(small.seed, small.cameras)
    shot = small.shots[100]
    first, again = (
        write_script(small, shot, cameras[shot.camera - 1]),
        write_script(small, shot, cameras[shot.camera - 1]),
    )
    np.testing.assert_array_equal(first.window_x, again.window_x)
    other = write_script(replace(small, seed=9), shot, cameras[shot.camera - 1])
    assert (first.window_x != other.window_x).all()


def test_the_box_takes_in_who_is_held_by_the_hand(small: Plan) -> None:
    cameras = make_cameras(small.seed, small.cameras)
    shots = [shot for shot in small.shots if shot.label == "holding_hands"]
    scripts = [write_script(small, shot, cameras[shot.camera - 1]) for shot in shots]
    pairs = [script.cast for script in scripts if len(script.cast) == 2]
    assert len(pairs) > 5
    for person, other in pairs:
        assert np.abs(person.x).max() < 0.20  # the box reaches from -0.25 to 0.25
        assert np.abs(other.x).max() < 0.25


def test_distractors_and_junk(small: Plan) -> None:
    cameras = make_cameras(small.seed, small.cameras)
    casts: dict[int, set[int]] = {DISTRACTOR: set(), JUNK: set()}
    for shot in small.shots:
        if shot.pid in casts:
            script = write_script(small, shot, cameras[shot.camera - 1])
            casts[shot.pid].add(min(len(script.cast), 1))
            assert (set(script.actions) == {""}) == (not script.cast)
            if shot.pid == JUNK:
                assert script.cast[0].look in small.crowds["test"]  # a badly cut box of somebody known
    assert casts == {DISTRACTOR: {0, 1}, JUNK: {1}}
