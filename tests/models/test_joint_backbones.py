"""Every backbone in a joint model; each is built once."""

from typing import Any

import pytest
import torch
from torch import Tensor

from reidar_plugin.models import joint
from reidar_plugin.models.backbones import Backbone, backbone_names
from reidar_plugin.models.joint import JointModel, build_joint
from reidar_plugin.models.stages import keep_maps, stage_channels, stage_names, take_maps
from tests import quick_weights
from tests.models.shortened import shorten

LARGER = {"inceptionv4": (96, 96), "inceptionresnetv2": (96, 96)}


@pytest.fixture(scope="module", params=backbone_names())
def built(request: pytest.FixtureRequest) -> tuple[JointModel, Backbone]:
    """A shortened model, and the trunk that was made for it."""
    trunks: list[Backbone] = []
    original = joint.build_trunk

    def build_trunk(*given: Any, **more: Any) -> Backbone:
        trunks.append(original(*given, **more))
        return trunks[-1]

    size = LARGER.get(request.param, (64, 32))
    with pytest.MonkeyPatch.context() as patch:
        quick_weights.install(patch)
        patch.setattr(joint, "build_trunk", build_trunk)
        torch.manual_seed(0)
        model = build_joint(
            request.param, 5, num_actions=3, frame_size=size, attention_width=8, action_width=8
        )
    shorten(model.base)
    (trunk,) = trunks
    assert trunk.network is model.base
    return model, trunk


def clips(model: JointModel, batch: int = 2, length: int = 2) -> Tensor:
    return torch.randn(batch, length, 3, *model.frame_size, generator=torch.Generator().manual_seed(0))


def test_every_backbone_trains_and_tests(built: tuple[JointModel, Backbone]) -> None:
    model, _ = built
    output = model(clips(model))
    width = model.feature_dim
    assert [part if part is None else tuple(part.shape) for part in output] == [
        (2, 5),
        (2, width),
        (2, width),
        (2, 2),
        (2, 2),
        (2, 3),
        (2, 3, 8),
        (5, width),
        *[None] * 5,
    ]
    assert all(part.isfinite().all() for part in output if part is not None)
    sum(part.float().square().mean() for part in output if part is not None).backward()
    assert [key for key, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()] == []
    model.eval()
    with torch.no_grad():
        alone = model(clips(model, 1, 1))
    assert alone.feature.shape == (1, width)
    assert alone.attention.tolist() == [[1.0]]
    assert all(part.isfinite().all() for part in alone if part is not None)
    assert alone.class_vectors is None


def test_every_backbone_has_stages(built: tuple[JointModel, Backbone]) -> None:
    _, trunk = built
    names, channels = stage_names(trunk), stage_channels(trunk)
    assert len(names) > 2
    assert keep_maps(trunk, names[1]) == channels[names[1]]
    trunk.maps(trunk.network.train(), torch.randn(2, 3, *trunk.frame_size))
    maps = take_maps(trunk.network, names[1])
    assert maps.shape[:2] == (2, channels[names[1]])
    assert maps.isfinite().all()
