"""What is measured on SynthPed: the measures by hand, planted leaks are found, and one run from end to end."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reidar_plugin.data.tracklets import Tracklet
from reidar_plugin.synthped import PRESETS
from reidar_plugin.synthped.plan import plan_mars
from tools.measures.leaks import empty_scenes, mean_recall, tells_what, tells_who
from tools.measures.learning import average_precision, judge_actions
from tools.measures.ranking import rank


def tracklets(people: int, cameras: int) -> list[Tracklet]:
    return [Tracklet("", (), person, camera) for camera in range(cameras) for person in range(people)]


def test_rank_by_hand() -> None:
    """One query; its own camera does not count, then a wrong one, then two right ones."""
    query, *gallery = [
        Tracklet("", (), pid, camid) for pid, camid in ((7, 0), (7, 0), (3, 1), (7, 1), (7, 2))
    ]
    first, average = rank(np.array([[0.0, 1.0, 2.0, 3.0]]), [query], gallery)
    assert (first, average) == (0.0, pytest.approx(100 * (1 / 2 + 2 / 3) / 2))
    first, _ = rank(np.array([[0.0, 5.0, 2.0, 3.0]]), [query], gallery)
    assert first == 100.0
    neighbour = Tracklet("", (), 4, 0)  # a stranger in the query's camera
    near = np.array([[0.0, 5.0, 2.0, 3.0, 1.0]])
    assert rank(near, [query], [*gallery, neighbour])[0] == 0.0
    assert rank(near, [query], [*gallery, neighbour], own_camera=False)[0] == 100.0


def bounds(text: str) -> tuple[float, float]:
    low, high = text.split(" ... ")
    return float(low), float(high)


def test_a_planted_leak_of_the_person_is_found() -> None:
    test = tracklets(people=30, cameras=3)
    own = np.random.default_rng(0).normal(size=(30, 4))
    noise = np.random.default_rng(1).normal(size=(90, 4))
    found, chance = tells_who(own[[t.pid for t in test]] + 0.1 * noise, test, queries=30)
    assert float(found) > 90 > 20 > bounds(chance)[1]
    found, chance = tells_who(noise, test, queries=30)
    low, high = bounds(chance)
    assert low <= float(found) <= high


@pytest.mark.parametrize("leak", [True, False])
def test_a_planted_leak_of_the_action_is_found(leak: bool) -> None:
    test = tracklets(people=40, cameras=4)
    names = np.array(["walking", "riding", "trolley", "walking"])
    labels = {"train": names[np.arange(200) % 4], "test": names[[t.pid % 4 for t in test]]}
    generator = np.random.default_rng(0)
    rows = {half: generator.normal(size=(len(of), 3)) for half, of in labels.items()}
    for half, of in labels.items():
        rows[half][:, 1] += 6.0 * (of == "riding") * leak
    found, chance = tells_what(rows, labels, ("riding",), test)
    low, high = bounds(chance)
    assert (float(found) > 95 > 80 > high) if leak else (low <= float(found) <= high)


def test_scenes_are_drawn_without_the_person() -> None:
    plan = plan_mars(replace(PRESETS["tiny"], people=(4, 4), tracklets=(10, 10)), seed=0)
    others = {
        split: [replace(look, top_colour="red", bag="backpack", item="book") for look in crowd]
        for split, crowd in plan.crowds.items()
    }
    before, after = empty_scenes(plan), empty_scenes(replace(plan, crowds=others))
    assert set(before) == {shot.key for shot in plan.shots if shot.person >= 0}
    for key, row in before.items():
        assert len(row) == 2 * 8 * 4 * 3 + 4
        np.testing.assert_array_equal(row, after[key])


def test_average_precision_by_hand() -> None:
    assert average_precision(np.array([0.9, 0.8, 0.1]), np.array([True, False, True])) == pytest.approx(5 / 6)


def test_mean_recall_by_hand() -> None:
    assert mean_recall(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])) == 75.0


def test_rare_actions_weigh_as_much_as_frequent_ones() -> None:
    """Walking is nine times as frequent: the answer by probability is walking, by likelihood it is riding."""
    likely = np.zeros((2, 8))
    likely[:, :2] = [0.6, 0.4], [0.3, 0.7]
    share = np.array([0.9, 0.1, 0, 0, 0, 0, 0, 0])
    rows = list(judge_actions(likely, share, np.array([0, 1])))
    assert rows[0] == ("three actions: tracklets right", "50.0 %")
    assert rows[2] == ("three actions: mean recall, all weighing the same", "100.0 %")
    assert rows[4] == ("three actions: mean average precision", "100.0 %")
    assert rows[-1] == ("  recall of riding", "100 % of 1")


@pytest.mark.slow
def test_the_tool(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[2] / "tools")  # where a script looks first
    from tools import measure_synthped

    monkeypatch.setattr("measures.drawn_set.SHOTS", 6)
    arguments = ["--root", str(tmp_path), "--preset", "tiny", "--steps", "2", "--threads", "1"]
    measure_synthped.main(arguments)
    said = capsys.readouterr().out
    for row in ("all that the generator knows", "the twelve attributes of the CSV"):
        assert next(line for line in said.splitlines() if line.startswith(row)).split()[-2:] == ["100", "100"]
    assert re.search(r"^64 x 32 \(\d+ frames\) +[1-9]\d* *$", said, re.MULTILINE)
    assert "background, drawn without the person" in said
    assert "the demo's network, untrained" in said
    assert "unseen people: rank-1" in said
