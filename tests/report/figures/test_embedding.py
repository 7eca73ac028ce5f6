"""People in the plane: who is shown, that groups stay together, and that they can be told apart."""

import numpy as np
import pytest
import torch
from torch import Tensor

from reidar_plugin.report.figures.embedding import embedding_chart, people_to_show, project_people


def groups(people: int = 3, each: int = 8, size: int = 10, apart: float = 12.0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    centres = apart * torch.eye(people, size)
    features = centres.repeat_interleave(each, dim=0) + torch.randn(people * each, size, generator=generator)
    return features, torch.arange(1, people + 1).repeat_interleave(each)


def test_first_people_with_enough_tracklets() -> None:
    pids = [7] * 3 + [0] * 9 + [-1] * 9 + [2] * 2 + [4] * 5 + [9] * 4
    assert people_to_show(pids, least=3) == [4, 7, 9]
    assert people_to_show(pids, people=2, least=3) == [4, 7]
    assert people_to_show(pids) == []


def test_groups_stay_together_and_calls_agree() -> None:
    features, pids = groups(
        size=600, apart=80.0
    )  # of so many numbers that the start of t-SNE is drawn at random
    mixed = torch.randperm(24, generator=torch.Generator().manual_seed(1))
    points, whose = project_people(features[mixed], pids[mixed], [1, 2, 3])
    assert whose == pids[mixed].tolist()
    gaps = np.linalg.norm(points[:, None] - points[None], axis=2)
    same = np.equal.outer(whose, whose)
    assert gaps[~same].min() > gaps[same].max()
    state = np.random.get_state()[1].copy()  # type: ignore[union-attr]
    again, _ = project_people(features[mixed], pids[mixed], [1, 2, 3])
    assert np.array_equal(points, again)
    assert np.array_equal(state, np.random.get_state()[1])  # nobody's random numbers are used up


def test_only_the_people_shown_are_laid_out() -> None:
    features, pids = groups()
    mixed = torch.arange(24).reshape(3, 8).T.flatten()  # 1, 2, 3, 1, 2, 3, ...
    points, whose = project_people(features[mixed], pids[mixed], [1, 3])
    assert points.shape == (16, 2)
    assert whose == [1, 3] * 8
    gaps = np.linalg.norm(points[:, None] - points[None], axis=2)
    same = np.equal.outer(whose, whose)
    assert gaps[~same].min() > gaps[same].max()
    with pytest.raises(ValueError, match=r"6 tracklets or more of the people \[5\], got 0"):
        project_people(features, pids, [5])


def test_a_person_is_a_group_of_dots_with_a_letter_and_a_line_in_the_legend() -> None:
    points = np.array([[0.0, 0.0], [1.0, 3.0], [5.0, 5.0], [5.0, 6.0], [5.5, 5.0]])
    [axes] = embedding_chart(points, [8, 8, 3, 3, 3], title="two people", note="a note").axes
    first, second = axes.collections
    np.testing.assert_array_equal(first.get_offsets(), points[2:])  # by the number of the person
    np.testing.assert_array_equal(second.get_offsets(), points[:2])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "A  person 3 (3)",
        "B  person 8 (2)",
    ]
    letters = {text.get_text(): tuple(text.xy) for text in axes.texts}
    assert letters.pop("a note") == (0, 0)
    assert letters == {"A": (5.0, 6.0), "B": (1.0, 3.0)}  # above the topmost dot
    assert axes.get_title("left") == "two people"


def test_sixteen_people_can_be_told_apart() -> None:
    [axes] = embedding_chart(np.random.default_rng(0).normal(size=(32, 2)), list(range(1, 17)) * 2).axes
    looks = {(tuple(dots.get_edgecolor()[0]), tuple(dots.get_facecolor()[0])) for dots in axes.collections}
    assert len(looks) == 16
    many = embedding_chart(np.zeros((30, 2)), list(range(1, 31))).axes[0].texts
    assert [text.get_text() for text in many[24:28]] == ["Y", "Z", "A1", "B1"]


def test_points_of_other_tracklets() -> None:
    with pytest.raises(ValueError, match=r"for 3 tracklets, got \(4, 2\)"):
        embedding_chart(np.zeros((4, 2)), [1, 2, 3])
