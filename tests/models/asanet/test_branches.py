"""The branches of ASA-Net and their fusion, put together by hand from their parts."""

import pytest
import torch
from torch import Tensor, nn

from reidar_plugin.errors import ConfigError
from reidar_plugin.models.asanet.branches import (
    AttributeBranch,
    AttributeBranches,
    EnhancedIdentity,
    residual_stage,
)
from reidar_plugin.models.asanet.salience import SalientRegions
from reidar_plugin.models.temporal import MeanPooling

C, T = 16, 2


class Block(nn.Module):
    """A residual block as small as one can be."""

    expansion = 4

    def __init__(
        self, inplanes: int, planes: int, stride: int = 1, downsample: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.inner = nn.Conv2d(inplanes, planes * self.expansion, 3, stride, 1)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x) + (x if self.downsample is None else self.downsample(x))


def stage(width: int, stride: int = 1) -> nn.Module:
    return residual_stage(Block, 2, C, width, stride)


def build(**settings: object) -> AttributeBranches:
    torch.manual_seed(0)
    given: dict[str, object] = {"map_size": (4, 2), "width": 5, **settings}
    return AttributeBranches(stage(2 * C), lambda: stage(C // 2), C, ((0, 1, 4), (2, 3)), **given).eval()  # type: ignore[arg-type]


MAPS = torch.randn(3, T, C, 4, 2, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("fusion", "width"), [("a", 3 * 5 + 8), ("b", 4 * 5), ("none", 3 * 5)])
@torch.no_grad()
def test_the_fused_feature_is_put_together_as_drawn(fusion: str, width: int) -> None:
    """Parts are run one by one and joined by hand; a, b and none differ as in figure 5."""
    trunk = build(fusion=fusion)
    found = trunk(MAPS)
    frames = MAPS.flatten(0, 1)

    def mean(maps: Tensor) -> Tensor:
        return maps.unflatten(0, (3, T)).mean(dim=(1, 3, 4))

    identity = trunk.identity_stage(frames)
    means, logits, enhanced, masks = {}, {}, {}, []
    for name in ("relevant", "irrelevant"):
        maps = trunk.attributes[name].stage(frames)
        means[name] = mean(maps)
        logits[name] = trunk.attributes[name].head(means[name])
        branch = trunk.enhanced[name]
        maps, mask = branch.salience(branch.reduce(identity), maps)
        masks.append(mask.unflatten(0, (3, T)))
        enhanced[name] = branch.fc(mean(maps))
    branch = trunk.enhanced["identity"]
    parts = [enhanced["relevant"], branch.fc(mean(branch.reduce(identity))), enhanced["irrelevant"]]
    if fusion == "a":
        parts.append(means["relevant"])
    if fusion == "b":
        parts.append(trunk.merge(torch.cat([means["relevant"], means["irrelevant"]], dim=1)))
    assert trunk.feature_dim == found.clip.pooled.shape[1] == width
    torch.testing.assert_close(found.clip.pooled, torch.cat(parts, dim=1))
    torch.testing.assert_close(found.pose_motion, means["irrelevant"])
    torch.testing.assert_close(found.masks, torch.stack(masks, dim=2))
    torch.testing.assert_close(found.attribute_logits[:, [0, 1, 4]], logits["relevant"])
    torch.testing.assert_close(found.attribute_logits[:, [2, 3]], logits["irrelevant"])


@pytest.mark.parametrize("stride", [1, 2])
def test_a_stage_has_the_width_and_the_stride_asked_for(stride: int) -> None:
    made = stage(12, stride)
    assert len(made) == 2
    assert made(torch.randn(2, C, 4, 2)).shape == (2, 12, 4 // stride, 2 // stride)


def test_an_identity_branch_without_salience_is_convolution_pooling_and_layer() -> None:
    branch = EnhancedIdentity(2 * C, 4, 5, lambda _: MeanPooling(), None)
    maps = torch.randn(4, 2 * C, 3, 2)
    clip, mask = branch(maps, maps, T)
    assert mask is None
    expected = branch.fc(branch.reduce(maps).unflatten(0, (2, T)).mean(dim=(1, 3, 4)))
    torch.testing.assert_close(clip.pooled, expected)


def test_a_mask_belongs_to_its_clip_and_frame() -> None:
    branch = EnhancedIdentity(2 * C, 4, 5, lambda _: MeanPooling(), SalientRegions(4, 6)).eval()
    identity, attribute = torch.randn(4, 2 * C, 3, 2), torch.randn(4, 6, 3, 2)
    _, mask = branch(identity, attribute, T)
    assert mask.shape == (2, T, 3, 2)
    alone = branch.salience(branch.reduce(identity[3:]), attribute[3:]).mask
    torch.testing.assert_close(mask[1, 1], alone[0])


@pytest.mark.parametrize(("projected", "width"), [(False, 8), (True, 4)])
def test_an_attribute_branch_projects_on_request(projected: bool, width: int) -> None:
    branch = AttributeBranch(stage(8), 8, 4, 0, lambda _: MeanPooling(), projected)
    maps, feature, logits = branch(MAPS.flatten(0, 1), T)
    assert maps.shape == (6, 8, 4, 2)
    assert feature.shape == (3, width) == (3, branch.width)
    assert logits.shape == (3, 0)  # no attributes, no head
    assert branch.head is None


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"fusion": "c"}, "unknown fusion 'c'; choose one of a, b, none"),
        ({"branches": []}, r"each once, got \[\]"),
        ({"branches": ["identity", "identity"]}, "each once, got"),
    ],
)
def test_refuses(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        build(**settings)
