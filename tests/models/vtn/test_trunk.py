import pytest
import torch
from torch import Tensor

from reidar_plugin.models.joint import JointModel, build_joint
from reidar_plugin.models.trunks import build_trunk

pytestmark = pytest.mark.usefixtures("quick_weights")

SIZE = (32, 16)


def small(name: str = "vtn_vit_t16", **settings: object) -> JointModel:
    torch.manual_seed(0)
    given = {"pooling": "mean", "frame_size": SIZE, "num_actions": 3, "action_width": 8}
    return build_joint(name, 5, **{**given, **settings})


def clips(batch: int = 3, length: int = 4) -> Tensor:
    return torch.randn(batch, length, 3, *SIZE, generator=torch.Generator().manual_seed(0))


def test_parameters_are_those_of_the_public_code_but_three_rows() -> None:
    """Its two token types, which positions can say, and the position of padding, which is never read."""
    with torch.device("meta"):
        network = build_trunk("vtn_vit_b16", frame_size=(224, 224)).network
    vit, layer = 85_798_656, 7 * (768 * 768 + 768) + 2 * 768 * 3072 + 3072 + 768 + 4 * 768
    public = vit + 768 + 288 * 768 + 2 * 768 + 2 * 768 + 3 * layer + 2 * 768 + 768 * 768 + 768
    assert public == 113_194_752
    assert sum(p.numel() for p in network.parameters()) == public - 3 * 768


@pytest.mark.parametrize("name", ["vtn_vit_t16", "vtn_resnet18", "vtn_osnet_x0_25"])
@torch.no_grad()
def test_every_frame_is_given_what_the_clip_token_says(name: str) -> None:
    model, x = small(name, num_actions=0).eval(), clips()
    maps = model.maps(x)
    assert maps.shape == (3, 4, model.feature_dim, 1, 1)
    assert (maps == maps[:, :1]).all()
    torch.testing.assert_close(model(x).pooled, maps[:, 0, :, 0, 0])


@torch.no_grad()
def test_clips_do_not_see_each_other_but_all_of_their_frames() -> None:
    model, x = small(num_actions=0).eval(), clips(2, 16)
    before = model(x).feature
    for t in (0, 15):
        other = x.clone()
        other[1, t] += 1
        changed = (model(other).feature - before).abs().amax(dim=1)
        assert changed[0] < 1e-5 < changed[1]
    backwards = model(x.flip(1)).feature
    assert not torch.allclose(backwards, before, atol=1e-4)  # positions tell the order
    for length in (1, 32):
        assert model(clips(1, length)).feature.isfinite().all()


@pytest.mark.parametrize("source", ["feature", "spatial.patches"])
def test_trains(source: str) -> None:
    model = small(action_source=source)
    output = model(clips())
    if source != "feature":
        assert output.action_attention.shape == (3, 3, 4, 2, 1)
    (output.logits.square().sum() + output.action_logits.square().sum()).backward()
    idle = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert idle == []


@pytest.mark.parametrize("loss", ["softmax", "triplet"])
def test_the_host_gets_what_it_expects(loss: str) -> None:
    said = small(loss=loss)(clips()[:, 0])  # its engines pass single frames
    logits = said if loss == "softmax" else said[0]
    assert logits.shape == (3, 5)
    logits.square().sum().backward()
