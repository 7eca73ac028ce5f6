import pytest
import torch
from torch import Tensor, nn

from reidar_plugin.host import reid
from reidar_plugin.models.heads import ActionNetwork, ShiftlessBatchNorm1d, identity_classifier
from tools.benchmarks.kernels import KernelCalls


class OneBlock(nn.Module):
    """A single action block, as the paper draws it."""

    def __init__(self, features: int, width: int, slope: float) -> None:
        super().__init__()
        self.linear = nn.Linear(features, width)
        self.norm = nn.BatchNorm1d(width)
        self.out = nn.Linear(width, 1)
        self.slope = slope

    def forward(self, feature: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.norm(self.linear(feature))
        hidden = torch.where(hidden > 0, hidden, self.slope * hidden)
        return self.out(hidden), hidden


def separate(network: ActionNetwork, slope: float) -> nn.ModuleList:
    """The same weights in blocks of their own."""
    blocks = nn.ModuleList()
    for m in range(network.num_actions):
        rows = slice(m * network.width, (m + 1) * network.width)
        block = OneBlock(network.project.in_features, network.width, slope)
        block.linear.weight.data.copy_(network.project.weight[rows])
        block.linear.bias.data.copy_(network.project.bias[rows])
        block.norm.weight.data.copy_(network.norm.weight[rows])
        block.norm.bias.data.copy_(network.norm.bias[rows])
        block.out.weight.data.copy_(network.weight[m][None])
        block.out.bias.data.copy_(network.bias[m][None])
        blocks.append(block)
    return blocks


def randomised(num_actions: int = 3, activation: str = "relu") -> ActionNetwork:
    torch.manual_seed(0)
    network = ActionNetwork(8, num_actions, width=6, dropout=0.0, activation=activation)
    for parameter in network.parameters():
        nn.init.normal_(parameter)
    return network


@pytest.mark.parametrize(("activation", "slope"), [("relu", 0.0), ("leaky_relu", 0.1)])
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_equals_separate_blocks(activation: str, slope: float, training: bool) -> None:
    network = randomised(activation=activation).double().train(training)
    blocks = separate(network, slope).double().train(training)
    x, y = (
        torch.randn(5, 8, generator=torch.Generator().manual_seed(1)).double().requires_grad_()
        for _ in range(2)
    )
    logits, hidden = network(x)
    alone = [block(y) for block in blocks]
    expected_logits = torch.cat([logit for logit, _ in alone], dim=1)
    expected_hidden = torch.stack([h for _, h in alone], dim=1)
    torch.testing.assert_close(logits, expected_logits, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(hidden, expected_hidden, rtol=1e-6, atol=1e-6)
    assert (hidden < 0).any() == (slope > 0)
    (logits.square().sum() + hidden.sin().sum()).backward()
    (expected_logits.square().sum() + expected_hidden.sin().sum()).backward()
    torch.testing.assert_close(x.grad, y.grad, rtol=1e-6, atol=1e-6)
    for m, block in enumerate(blocks):
        torch.testing.assert_close(network.weight.grad[m], block.out.weight.grad[0])
        torch.testing.assert_close(network.project.weight.grad[m * 6 : (m + 1) * 6], block.linear.weight.grad)
        torch.testing.assert_close(network.norm.running_var[m * 6 : (m + 1) * 6], block.norm.running_var)


def calls(num_actions: int) -> int:
    network, feature = ActionNetwork(8, num_actions, width=6), torch.randn(4, 8)
    with KernelCalls() as counted:
        network(feature).logits.sum().backward()
    return counted.all


def test_kernels_do_not_grow_with_the_actions() -> None:
    assert calls(2) == calls(64) < 60


def test_blocks_start_as_the_papers_do() -> None:
    network = ActionNetwork(2048, 8)
    assert network.project.weight.std().item() == pytest.approx((2 / 512) ** 0.5, rel=0.01)
    assert network.weight.std().item() == pytest.approx(0.001, rel=0.05)
    assert not network.project.bias.any()
    assert not network.bias.any()
    assert network.dropout.p == 0.25
    assert not isinstance(network.activation, nn.LeakyReLU) or network.activation.negative_slope == 0


def test_dropout_is_seen_in_hidden() -> None:
    network = ActionNetwork(8, 2, width=100, dropout=0.5, activation="leaky_relu")
    zeros = (network(torch.randn(32, 8)).hidden == 0).float().mean().item()
    assert 0.45 < zeros < 0.55
    assert (network.eval()(torch.randn(32, 8)).hidden != 0).all()


def test_refuses_what_it_cannot_build() -> None:
    with pytest.raises(ValueError, match="at least 1 action, got 0"):
        ActionNetwork(8, 0)
    with pytest.raises(
        ValueError, match=r"unknown activation 'swish'; choose one of \['leaky_relu', 'relu'\]"
    ):
        ActionNetwork(8, 2, activation="swish")


def test_neck_normalises_without_a_trainable_shift() -> None:
    neck = ShiftlessBatchNorm1d(3)
    x = torch.randn(16, 3) * 4 + 7
    expected = (x - x.mean(dim=0)) / (x.var(dim=0, correction=0) + 1e-5).sqrt()
    torch.testing.assert_close(neck(x).detach(), expected)
    assert [name for name, _ in neck.named_parameters()] == ["weight"]


def test_neck_survives_the_host_opening_all_layers() -> None:
    model = nn.Sequential(ShiftlessBatchNorm1d(3))
    reid.utils.open_all_layers(model)
    optimiser = torch.optim.SGD(model.parameters(), lr=1.0)
    (model(torch.randn(8, 3)) * torch.randn(8, 3)).sum().backward()
    optimiser.step()
    assert model[0].weight.ne(1).all()
    assert not model[0].bias.any()
    assert not model[0].bias.requires_grad


def test_neck_takes_the_frozen_shift_of_a_checkpoint() -> None:
    neck, theirs = ShiftlessBatchNorm1d(3).eval(), nn.BatchNorm1d(3).eval()
    theirs.bias.data.copy_(torch.tensor([1.0, -2.0, 3.0]))
    assert neck.state_dict().keys() == theirs.state_dict().keys()
    neck.load_state_dict(theirs.state_dict())
    x = torch.randn(4, 3)
    torch.testing.assert_close(neck(x), theirs(x))


def test_neck_says_why_one_clip_cannot_be_trained_on() -> None:
    neck = ShiftlessBatchNorm1d(3)
    with pytest.raises(
        ValueError, match=r"at least 2 clips in a training batch, got 1: raise train\.batch_size"
    ):
        neck(torch.zeros(1, 3))
    assert neck.eval()(torch.zeros(1, 3)).shape == (1, 3)


def test_classifier() -> None:
    classifier = identity_classifier(64, 625)
    assert classifier.bias is None
    assert classifier.weight.std().item() == pytest.approx(0.001, rel=0.05)
