import pytest
import torch
from torch import Tensor, nn

from reidar_plugin.inference.features import balanced
from reidar_plugin.losses.objective import Objective
from reidar_plugin.losses.smoothed_cross_entropy import SmoothedCrossEntropy
from reidar_plugin.losses.triplet import TripletLoss
from reidar_plugin.models.backbones import build_backbone
from reidar_plugin.models.joint import JointModel, build_joint
from reidar_plugin.models.tclnet.boosting import SaliencyBoosting
from reidar_plugin.models.tclnet.erasing import SaliencyErasing
from reidar_plugin.models.tclnet.trunk import complement_frames
from reidar_plugin.models.trunks import build_trunk
from reidar_plugin.structures import Targets

pytestmark = pytest.mark.usefixtures("quick_weights")

WIDTH = 512  # of ResNet-18


def small(**settings: object) -> JointModel:
    torch.manual_seed(0)
    given = {"pooling": "peak", "frame_size": (64, 32), "num_actions": 3, "action_width": 8}
    return build_joint("tclnet_resnet18", 5, **{**given, **settings})


def clips(batch: int = 3, length: int = 4) -> Tensor:
    return torch.randn(batch, length, 3, 64, 32, generator=torch.Generator().manual_seed(0))


def test_parameters_are_those_of_the_public_code() -> None:
    """33,952,546 for 625 people; its shifts of the two necks and of the two classifiers are no parameters here."""
    network = build_trunk("tclnet_resnet50", frame_size=(64, 32)).network
    assert isinstance(network.layer2[4], SaliencyBoosting)
    assert isinstance(network.layer4, SaliencyErasing)
    heads = 2 * (2 * 2048 + (2048 + 1) * 625)
    assert sum(p.numel() for p in network.parameters()) + heads == 33_952_546


@pytest.mark.parametrize("source", ["feature", "layer3", "layer4"])
def test_trains_and_tests(source: str) -> None:
    model = small(action_source=source)
    output = model(clips())
    assert output.feature.shape == output.pooled.shape == (3, 2 * WIDTH)
    assert output.branch_logits.shape == (3, 2, 5)
    assert output.action_logits.shape == (3, 3)
    torch.testing.assert_close(output.branch_logits.sum(dim=1), output.logits)
    first, second = output.feature.chunk(2, dim=1), model.classifier.weight.chunk(2, dim=1)
    for branch in range(2):
        torch.testing.assert_close(output.branch_logits[:, branch], first[branch] @ second[branch].T)
    (output.logits.square().sum() + output.action_logits.square().sum()).backward()
    idle = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert idle == [] or (source != "feature" and idle == ["actions.queries"])


@torch.no_grad()
def test_clips_do_not_see_each_other_and_an_odd_one_repeats_its_last_frame() -> None:
    model, x = small().eval(), clips(3, 3)
    together = model(x)
    for b in range(3):
        torch.testing.assert_close(model(x[b : b + 1]).feature[0], together.feature[b], rtol=1e-4, atol=1e-4)
    filled = torch.cat([x, x[:, 2:]], dim=1)
    assert torch.equal(model(filled).feature, together.feature)
    assert together.attention.shape == (3, 4)
    assert model(x[:, 0]).feature.isfinite().all()  # a frame alone
    assert model(clips(1, 32)).feature.isfinite().all()


def test_trains_on_pairs_alone() -> None:
    message = r"tclnet_resnet18 trains on clips of 2, 4, ... frames, got 3: set video.seq_len"
    with pytest.raises(ValueError, match=message):
        small()(clips(2, 3))


@torch.no_grad()
def test_branches_start_alike_and_are_pooled_apart() -> None:
    model, x = small().eval(), clips()
    maps = model.maps(x)
    pooled = model(x).pooled
    for branch in range(2):
        expected = maps[:, branch::2].amax(dim=(3, 4)).mean(dim=1)
        torch.testing.assert_close(pooled[:, branch * WIDTH : (branch + 1) * WIDTH], expected)
    one, two = model.base.layer4.branches
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))


def test_losses_are_summed_over_branches() -> None:
    output, pids = small(num_actions=0)(clips(4)), torch.tensor([0, 0, 1, 1])
    losses = {"smoothed_cross_entropy": SmoothedCrossEntropy(0.0), "triplet": TripletLoss(0.4, "cosine")}
    targets = Targets(pids, torch.zeros(4, 0), torch.zeros(4, 0), torch.zeros(4, 4, dtype=torch.bool))
    _, values = Objective(losses)(output, targets)
    parts = output.feature.split(WIDTH, dim=1)
    triplet = sum(TripletLoss(0.4, "cosine")(part, pids) for part in parts)
    entropy = sum(nn.functional.cross_entropy(output.branch_logits[:, branch], pids) for branch in range(2))
    assert triplet > 0
    torch.testing.assert_close(values["triplet"], triplet.detach())
    torch.testing.assert_close(values["smoothed_cross_entropy"], entropy.detach())


@pytest.mark.parametrize("loss", ["softmax", "triplet"])
def test_the_host_gets_a_list_of_branches(loss: str) -> None:
    model, joint = small(loss=loss), small(num_actions=0)
    said, whole = model(clips()), joint(clips())
    logits = said if loss == "softmax" else said[0]
    torch.testing.assert_close(torch.stack(logits, dim=1), whole.branch_logits)
    if loss == "triplet":
        torch.testing.assert_close(torch.cat(said[1], dim=1), whole.feature)
    torch.testing.assert_close(model.eval()(clips()), joint.eval()(clips()).feature)


def test_branches_weigh_the_same_at_test() -> None:
    features = torch.randn(4, 6)
    found = balanced(features, 2)
    for row, given in zip(found, features, strict=True):
        torch.testing.assert_close(row[:3], given[:3] / given[:3].square().sum().sqrt())
        torch.testing.assert_close(row[3:], given[3:] / given[3:].square().sum().sqrt())
    assert balanced(features, 1) is features


def test_needs_a_resnet() -> None:
    with pytest.raises(ValueError, match="TCLNet takes the stages of a ResNet, and osnet_x0_25 has none"):
        complement_frames(build_backbone("osnet_x0_25", frame_size=(64, 32)))
