"""t-SNE against its definition, point by point, and the picture of people."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from reidar_plugin.report.figures.embedding import embedding_picture, people_to_show, project_people
from reidar_plugin.report.figures.tsne import affinities, divergence_gradient, similarities, tsne


def squares_of(features: Tensor) -> Tensor:
    rows = features.tolist()
    return torch.tensor([[math.dist(one, other) ** 2 for other in rows] for one in rows], dtype=torch.float64)


def groups(people: int = 3, each: int = 8, apart: float = 12.0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    centres = apart * torch.eye(people, 10)
    features = centres.repeat_interleave(each, dim=0) + torch.randn(people * each, 10, generator=generator)
    return features, torch.arange(1, people + 1).repeat_interleave(each)


def conditional(squares: list[float], own: int, beta: float) -> list[float]:
    powers = [0.0 if j == own else math.exp(-beta * square) for j, square in enumerate(squares)]
    return [power / sum(powers) for power in powers]


@pytest.mark.parametrize("perplexity", [2.0, 5.0])
def test_affinities_have_the_perplexity_asked_for(perplexity: float) -> None:
    squares = squares_of(torch.randn(9, 4, generator=torch.Generator().manual_seed(1)))
    rows = []
    for i, row in enumerate(squares.tolist()):
        low, high = 1e-9, 1e2
        for _ in range(200):  # on a scale of its own, unlike the code's
            beta = math.sqrt(low * high)
            entropy = -sum(p * math.log(p) for p in conditional(row, i, beta) if p > 0)
            low, high = (beta, high) if math.exp(entropy) > perplexity else (low, beta)
        rows.append(conditional(row, i, low))
    given = torch.tensor(rows)
    found = affinities(squares, perplexity)
    torch.testing.assert_close(found.float(), (given + given.T) / 18, rtol=1e-3, atol=1e-6)
    assert found.diagonal().abs().max() == 0
    torch.testing.assert_close(found.sum(), torch.tensor(1.0).double())


def test_affinities_of_far_points_do_not_vanish() -> None:
    squares = squares_of(torch.randn(9, 4)) * 1e8
    assert affinities(squares, 3.0).isfinite().all()
    assert affinities(torch.zeros(9, 9), 3.0).isfinite().all()  # all features alike


def test_gradient_is_that_of_the_divergence() -> None:
    generator = torch.Generator().manual_seed(2)
    joint = affinities(squares_of(torch.randn(7, 3, generator=generator)), 2.5)
    points = torch.randn(7, 2, generator=generator, dtype=torch.float64).requires_grad_()
    pairs = [(i, j) for i in range(7) for j in range(7) if i != j]
    kernel = {(i, j): 1 / (1 + (points[i] - points[j]).square().sum()) for i, j in pairs}
    total = sum(kernel.values())
    cost = sum(joint[pair] * torch.log(joint[pair] / (kernel[pair] / total)) for pair in pairs)
    cost.backward()
    assert points.grad is not None
    assert points.grad.abs().max() > 0.01
    torch.testing.assert_close(divergence_gradient(joint, points.detach()), points.grad)
    torch.testing.assert_close(similarities(points.detach())[1].sum(), torch.tensor(1.0).double())


def test_groups_stay_together() -> None:
    features, pids = groups()
    points = tsne(features, perplexity=5)
    gaps = torch.cdist(points, points) + torch.diag(torch.full((24,), torch.inf))
    assert torch.equal(pids[gaps.argmin(dim=1)], pids)
    within = max(float(torch.cdist(points[pids == p], points[pids == p]).max()) for p in (1, 2, 3))
    between = min(float(torch.cdist(points[pids == p], points[pids != p]).min()) for p in (1, 2, 3))
    assert between > within
    assert torch.equal(points, tsne(features, perplexity=5))  # no chance in it
    assert tsne(features[:, :1], perplexity=5).shape == (24, 2)


def test_refuses_what_it_cannot_lay_out() -> None:
    with pytest.raises(ValueError, match="below 4 for 5 points, got 30"):
        tsne(torch.randn(5, 3))
    with pytest.raises(ValueError, match=r"finite features \(N, D\), got \(4, 2\)"):
        tsne(torch.full((4, 2), torch.nan))
    with pytest.raises(ValueError, match=r"\(N, N\), got \(2, 3\)"):
        affinities(torch.zeros(2, 3), 2)


def test_first_people_with_enough_tracklets() -> None:
    pids = [7] * 3 + [0] * 9 + [-1] * 9 + [2] * 2 + [4] * 5 + [9] * 4
    assert people_to_show(pids, least=3) == [4, 7, 9]
    assert people_to_show(pids, people=2, least=3) == [4, 7]
    assert people_to_show(pids) == []


def test_only_the_people_shown_are_laid_out() -> None:
    features, pids = groups()
    points, whose = project_people(features, pids, [1, 3])
    assert points.shape == (16, 2)
    assert whose == [1] * 8 + [3] * 8
    with pytest.raises(ValueError, match=r"of the people \[5\], got 0"):
        project_people(features, pids, [5])


def test_picture_has_a_colour_a_person() -> None:
    points = torch.tensor([[0.0, 0.0], [0.1, 0.0], [5.0, 5.0], [5.0, 5.1]])
    picture = embedding_picture(points, [3, 3, 8, 8], title="two people", note="a note").pixels()
    colours = {tuple(pixel) for pixel in picture.reshape(-1, 3)}
    assert {(0, 114, 178), (213, 94, 0)} <= colours
    assert (0, 158, 115) not in colours
    many = embedding_picture(torch.randn(20, 2), list(range(1, 21)))
    assert many.pixels().shape == picture.shape
    with pytest.raises(ValueError, match=r"for 3 tracklets, got \(4, 2\)"):
        embedding_picture(points, [1, 2, 3])


def test_dots_lie_where_the_points_do() -> None:
    points = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    picture = embedding_picture(points, [1, 2, 3]).pixels()
    colours = ((0, 114, 178), (213, 94, 0), (0, 158, 115))
    inner = picture[:, : 2 * (28 + 420)]  # without the legend
    middles = [np.argwhere((inner == colour).all(axis=2)).mean(axis=0) for colour in colours]
    assert middles[1][1] - middles[0][1] > 300  # to the right
    assert middles[2][0] - middles[0][0] > 300  # below
