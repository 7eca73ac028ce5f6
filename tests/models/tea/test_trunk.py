import pytest
import torch
from torch import Tensor, nn

from reidar_plugin.models.backbones import build_backbone
from reidar_plugin.models.clip_layer import maps_of_clips
from reidar_plugin.models.joint import JointModel, build_joint
from reidar_plugin.models.tea.excitation import MotionExcitation
from reidar_plugin.models.tea.mixing import TemporalMixing
from reidar_plugin.models.tea.trunk import excite_motion
from reidar_plugin.models.trunks import build_trunk

pytestmark = pytest.mark.usefixtures("quick_weights")


def small(name: str = "tea_res2net26", **settings: object) -> JointModel:
    torch.manual_seed(0)
    given = {"pooling": "mean", "frame_size": (32, 16), "num_actions": 3, "action_width": 8}
    return build_joint(name, 5, **{**given, **settings})


def clips(batch: int = 2, length: int = 4) -> Tensor:
    return torch.randn(batch, length, 3, 32, 16, generator=torch.Generator().manual_seed(0))


def test_parameters_are_those_of_the_public_code() -> None:
    """26,148,754 with 1000 classes, as its constructor makes it."""
    with torch.device("meta"):
        network = build_trunk("tea_res2net50", frame_size=(32, 16)).network
    assert sum(p.numel() for p in network.parameters()) + (2048 + 1) * 1000 == 26_148_754


def test_stands_in_every_block() -> None:
    network = build_trunk("tea_res2net26", frame_size=(32, 16)).network
    for number in range(1, 5):
        for block in network.get_submodule(f"layer{number}"):
            assert isinstance(block.excite, MotionExcitation)
            own = [bool(mix.kernel[1].all()) for mix in block.mix]
            assert own == [True, True, True, False]  # the last one starts as a shift


@torch.no_grad()
def test_a_frame_alone_is_read_as_by_a_res2net_without_its_last_groups() -> None:
    torch.manual_seed(0)
    plain = build_trunk("res2net26", frame_size=(32, 16))
    torch.manual_seed(0)
    made = build_trunk("tea_res2net26", frame_size=(32, 16))
    made.network.load_state_dict(plain.network.state_dict(), strict=False)
    for number in range(1, 5):
        for block in plain.network.get_submodule(f"layer{number}"):
            nn.init.zeros_(block.conv3.weight[:, 3 * block.convs[0].in_channels :])
    frames = clips(1, 3)[0]
    expected = plain.maps(plain.network.eval(), frames)
    assert expected.abs().max() > 0.1
    found = maps_of_clips(made.network.eval(), made.maps, frames[:, None])[:, 0]
    torch.testing.assert_close(found, expected)


@torch.no_grad()
@pytest.mark.parametrize("name", ["tea_resnet18", "tea_resnet50_ibn_a"])
def test_a_frame_alone_is_read_as_by_a_resnet(name: str) -> None:
    torch.manual_seed(0)
    plain = build_backbone(name.removeprefix("tea_"), frame_size=(32, 16))
    torch.manual_seed(0)
    made = build_trunk(name, frame_size=(32, 16))
    theirs, ours = plain.network.state_dict(), made.network.state_dict()
    for key in theirs:  # what is drawn after the excitation of a block does not agree by itself
        ours[key.replace("conv2.weight", "conv2.2.weight") if "layer" in key else key].copy_(theirs[key])
    frames = clips(1, 2)[0]
    expected = plain.maps(plain.network.eval(), frames)
    torch.testing.assert_close(maps_of_clips(made.network.eval(), made.maps, frames[:, None])[:, 0], expected)
    assert sum(isinstance(layer, TemporalMixing) for layer in made.network.modules()) >= 8


@torch.no_grad()
def test_clips_do_not_see_each_other_but_all_of_their_frames() -> None:
    model, x = small(num_actions=0).eval(), clips(2, 5)
    other = x.clone()
    other[1, 4] += 1
    changed = (model.maps(x) != model.maps(other)).flatten(2).any(dim=2)
    assert changed.tolist() == [[False] * 5, [True] * 5]
    for length in (1, 2, 32):
        assert model(clips(1, length)).feature.isfinite().all()


@pytest.mark.parametrize("source", ["feature", "layer3"])
def test_trains(source: str) -> None:
    model = small(action_source=source)
    output = model(clips())
    (output.logits.square().sum() + output.action_logits.square().sum()).backward()
    idle = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert idle == []
    still = [name for name, p in model.base.named_parameters() if not p.grad.abs().max() > 0]
    assert still == []


@pytest.mark.parametrize("loss", ["softmax", "triplet"])
def test_the_host_gets_what_it_expects(loss: str) -> None:
    said = small(loss=loss)(clips()[:, 0])  # its engines pass single frames
    logits = said if loss == "softmax" else said[0]
    assert logits.shape == (2, 5)
    logits.square().sum().backward()


def test_needs_a_resnet_or_a_res2net() -> None:
    with pytest.raises(ValueError, match="TEA takes the stages of a ResNet, and osnet_x0_25 has none"):
        excite_motion(build_backbone("osnet_x0_25", frame_size=(64, 32)))
