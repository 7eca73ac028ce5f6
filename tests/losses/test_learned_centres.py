import copy

import torch

from reidar_plugin.losses.learned_centres import LearnedCentres, scale_gradient


def test_the_factor_multiplies_the_gradient_and_not_the_value() -> None:
    tensor = torch.tensor([1.0, -2.0], dtype=torch.float64, requires_grad=True)
    scaled = scale_gradient(tensor, 2000.0)
    assert torch.equal(scaled, tensor)
    scaled.square().sum().backward()
    assert tensor.grad is not None
    assert tensor.grad.tolist() == [2000 * 2.0, 2000 * -4.0]


def test_a_factor_of_one_adds_nothing_to_the_graph() -> None:
    tensor = torch.ones(2, requires_grad=True)
    assert scale_gradient(tensor, 1.0) is tensor


def test_centres_are_drawn_from_a_normal_distribution_and_saved_under_their_name() -> None:
    torch.manual_seed(0)
    loss = LearnedCentres(3, 4)
    torch.manual_seed(0)
    assert torch.equal(loss.centres, torch.randn(3, 4))
    assert list(loss.state_dict()) == ["centres"]


def test_a_copy_keeps_the_scale() -> None:
    loss = LearnedCentres(3, 4)
    loss.gradient_scale = 5.0
    twin = copy.deepcopy(loss)
    twin.learning_centres().sum().backward()
    assert twin.centres.grad is not None
    assert (twin.centres.grad == 5).all()
    assert loss.centres.grad is None
