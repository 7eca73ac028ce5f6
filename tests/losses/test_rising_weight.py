import torch

from reidar_plugin.losses import RisingWeight


def test_rises_once_and_stays() -> None:
    weight = RisingWeight(start=0.25, end=0.5, below=0.15)
    seen = [weight(torch.tensor(value)).item() for value in (0.7, 0.15, 0.1499, 0.9)]
    assert seen == [0.25, 0.25, 0.5, 0.5]


def test_a_batch_without_labels_says_nothing() -> None:
    weight = RisingWeight(start=0.25, end=0.5)
    assert weight(torch.tensor(0.0)).item() == 0.25


def test_does_not_rise_in_eval_and_is_saved() -> None:
    weight = RisingWeight().eval()
    weight(torch.tensor(0.1))
    assert not weight.reached
    weight.train()(torch.tensor(0.1))
    other = RisingWeight()
    other.load_state_dict(weight.state_dict())
    assert other.reached


def test_the_watched_loss_gets_no_gradient() -> None:
    watched = torch.tensor(0.1, requires_grad=True)
    assert not RisingWeight()(watched).requires_grad
