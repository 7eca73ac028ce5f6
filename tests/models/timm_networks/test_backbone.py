import copy
import pickle

import pytest
import torch
from torch import Tensor

from reidar_plugin.errors import ConfigError, InputError
from reidar_plugin.models.backbones import Backbone
from reidar_plugin.models.joint import build_joint
from reidar_plugin.models.stages import keep_maps, stage_channels, stage_names, take_maps
from reidar_plugin.models.timm_networks import build_timm
from tests.models.timm_networks.small import NETWORKS

pytestmark = pytest.mark.usefixtures("small_networks")


def built(name: str, last_stride: int = 2) -> Backbone:
    torch.manual_seed(0)
    made = build_timm(name, frame_size=NETWORKS[name].frame_size, last_stride=last_stride)
    made.network.eval()
    return made


def frames_for(name: str) -> Tensor:
    return torch.randn(2, 3, *NETWORKS[name].frame_size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", NETWORKS)
@torch.no_grad()
def test_maps_are_what_timm_itself_gives(name: str) -> None:
    """Place for place: the token of a row and a column, or the vector there."""
    made, known, frames = built(name), NETWORKS[name], frames_for(name)
    height, width = known.map_size
    assert (made.name, made.channels, made.map_size) == (f"timm_{name}", known.channels, known.map_size)
    maps, theirs = made.maps(made.network, frames), made.network.forward_features(frames)
    assert maps.shape == (2, known.channels, height, width)
    assert maps.std() > 0
    for row in range(height):
        for column in range(width):
            if theirs.dim() == 3:
                assert theirs.shape[1] == known.prefix + height * width
                expected = theirs[:, known.prefix + width * row + column]
            else:
                expected = (
                    theirs[:, row, column] if theirs.shape[3] == known.channels else theirs[:, :, row, column]
                )
            assert torch.equal(maps[:, :, row, column], expected)


@pytest.mark.parametrize(
    "name", ["test_vit", "deit_tiny_distilled_patch16_224", "vit_small_patch14_reg4_dinov2"]
)
@torch.no_grad()
def test_maps_are_those_of_timms_own_walk(name: str) -> None:
    made, frames = built(name), frames_for(name)
    (theirs,) = made.network.forward_intermediates(frames, indices=1, norm=True, intermediates_only=True)
    torch.testing.assert_close(made.maps(made.network, frames), theirs)


@pytest.mark.parametrize("name", ["test_vit", "deit_tiny_distilled_patch16_224", "mixer_s32_224"])
@torch.no_grad()
def test_what_changes_at_the_left_bottom_is_seen_there(name: str) -> None:
    made, frames = built(name), frames_for(name)
    height, width = frames.shape[2] // 4, frames.shape[3] // 2
    changed = frames.clone()
    changed[:, :, -height:, :width] += 5 * torch.randn(height, width)
    difference = (made.maps(made.network, changed) - made.maps(made.network, frames)).norm(dim=1)
    assert difference.flatten(1).argmax(dim=1).tolist() == [6, 6]  # row 3, column 0 of 4 x 2


@pytest.mark.parametrize("name", NETWORKS)
def test_every_parameter_of_a_joint_model_learns(name: str) -> None:
    known = NETWORKS[name]
    torch.manual_seed(0)
    model = build_joint(
        f"timm_{name}",
        5,
        num_actions=3,
        frame_size=known.frame_size,
        last_stride=1 if known.last_stride else 2,
        attention_width=4,
        action_width=8,
        action_source=known.stage,
    )
    clips = torch.randn(3, 2, 3, *known.frame_size)
    output = model(clips)
    (output.logits.square().mean() + output.action_logits.square().mean()).backward()
    parameters = dict(model.named_parameters())
    assert [key for key, value in parameters.items() if value.grad is None] == []
    assert all(value.grad.isfinite().all() for value in parameters.values())
    state = copy.deepcopy(model.state_dict())
    twin = pickle.loads(pickle.dumps(model)).eval()
    twin.load_state_dict(state)
    with torch.no_grad():
        assert torch.equal(twin(clips).feature, model.eval()(clips).feature)


@pytest.mark.parametrize(
    "name", ["swin_tiny_patch4_window7_224", "deit_tiny_distilled_patch16_224", "test_resnet"]
)
@torch.no_grad()
def test_stages_give_maps(name: str) -> None:
    made, known, frames = built(name), NETWORKS[name], frames_for(name)
    outputs = []
    made.network.get_submodule(known.stage).register_forward_hook(lambda *call: outputs.append(call[2]))
    channels = keep_maps(made, known.stage)
    made.maps(made.network, frames)
    kept = take_maps(made.network, known.stage)
    theirs = outputs[-1]
    if name.startswith("swin"):
        theirs = theirs.movedim(3, 1)
    if name.startswith("deit"):
        theirs = torch.stack([theirs[:, 2:4], theirs[:, 4:6], theirs[:, 6:8], theirs[:, 8:]], dim=1).movedim(
            3, 1
        )
    assert kept.shape[1] == channels
    assert torch.equal(kept, theirs)


def test_stages_are_those_that_timm_lists() -> None:
    assert stage_names(built("test_vit")) == [f"blocks.{number}" for number in range(6)]
    assert stage_channels(built("swin_tiny_patch4_window7_224")) == {
        f"layers.{n}": 12 * 2**n for n in range(4)
    }
    with pytest.raises(
        ConfigError, match=r"timm_test_vit has no such stage; did you mean 'blocks.1'.*frames, blocks.0"
    ):
        keep_maps(built("test_vit"), "blocks.11")


def test_a_network_of_one_size_says_so() -> None:
    made = built("test_vit")
    with pytest.raises(
        InputError, match=r"built for frames of 64 x 32, got frames of 32 x 64: set data.height"
    ):
        made.maps(made.network, torch.zeros(1, 3, 32, 64))
    free = built("test_resnet")
    assert free.maps(free.network, torch.zeros(1, 3, 96, 64)).shape[2:] == (3, 2)


def test_what_cannot_serve_says_why() -> None:
    for name, reason in {
        "convit_tiny": "timm's convit_tiny takes no frames of 64 x 32",
        "mvitv2_tiny": "timm's mvitv2_tiny cannot be built for frames of another size",
        "coat_tiny": r"timm's coat_tiny cannot be a backbone: .* gives a list, expected maps of 152 channels",
    }.items():
        with pytest.raises(ConfigError, match=reason) as caught:
            build_timm(name, frame_size=(64, 32), last_stride=2)
        assert "\n" not in str(caught.value)


def test_the_head_is_off_and_the_rest_trains() -> None:
    made = build_timm("mobilenetv3_small_050", frame_size=(64, 32))
    assert not {"conv_head", "classifier", "global_pool"} & {
        child for child, _ in made.network.named_children()
    }
    assert all(part.training for part in made.network.modules())
