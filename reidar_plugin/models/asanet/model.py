"""ASA-Net: the joint model with identity features enhanced by attributes.

The stem is a ResNet of the host up to its third stage, and its fourth stage is the identity branch. The branches
(branches.py) and their fusion replace the temporal pooling of the joint model; neck, classifier and action network
are those of the joint model.

Reference: Chai et al., Video Person Re-identification using Attribute-enhanced Features. docs/deviations.md lists
what the paper leaves open or prints incorrectly, and the decisions made here.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from torch import Tensor, nn

from reidar_plugin.errors import ConfigError
from reidar_plugin.models.asanet.branches import BRANCHES, AttributeBranches, BranchOutput, residual_stage
from reidar_plugin.models.backbones import Backbone, measured_maps
from reidar_plugin.models.heads import check_clips
from reidar_plugin.models.joint import FEATURE, JointModel, as_clips, chosen_actions
from reidar_plugin.models.trunks import build_trunk
from reidar_plugin.structures import JointOutput

__all__ = ["AsaNet", "attribute_columns", "build_asanet"]

_STEM = ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3")


class AsaNet(JointModel):
    """A joint model whose clip feature is fused from five branches, with attribute logits in its output.

    The arguments are those of :class:`~reidar_plugin.models.joint.JointModel`, with an :class:`AttributeBranches`
    as the pooling.
    """

    def forward(
        self, frames: Tensor, counts: Tensor | None = None
    ) -> JointOutput | Tensor | tuple[Tensor, Tensor]:
        clips = as_clips(frames)
        check_clips(self.temporal, clips)  # the heads of the attributes come before the neck
        output: BranchOutput = self.temporal(self.maps(clips))
        return self.judge(
            clips,
            *output.clip,
            counts=counts,
            attribute_logits=output.attribute_logits,
            pose_motion=output.pose_motion,
            masks=output.masks,
        )


def build_asanet(
    num_classes: int,
    loss: str = "reidar",
    pretrained: bool = False,
    use_gpu: bool = False,
    *,
    backbone: str = "resnet50",
    frame_size: tuple[int, int] = (256, 128),
    last_stride: int = 1,
    columns: tuple[Sequence[int], Sequence[int]] = ((), ()),
    fusion: str = "b",
    branches: Sequence[str] = BRANCHES,
    salience: bool = True,
    mask: str = "linear",
    pooling: str = "mean",
    branch_width: int = 128,
    attribute_feature: str = "pooled",
    num_actions: int = 0,
    action_width: int = 512,
    action_dropout: float = 0.25,
    action_activation: str = "relu",
    action_source: str = FEATURE,
    action_gradient: bool = True,
    action_layers: Sequence[int] = (),
    action_pooling: str = "clip",
    weights: str = "",
    sha256: str = "",
) -> AsaNet:
    """Build ASA-Net; the first four arguments are those of the host's model builders.

    Args:
        num_classes: number of training identities.
        loss: ``reidar`` returns everything that the losses read, ``softmax`` and ``triplet`` what the host expects.
        pretrained: load ImageNet weights.
        use_gpu: unused, part of the host's interface.
        backbone: name of a ResNet of the host.
        frame_size: height and width of the frames.
        last_stride: stride of the fourth stage.
        columns: columns of the identity-relevant and of the irrelevant attributes in the attribute space.
        fusion: see :class:`AttributeBranches`.
        branches: see :class:`AttributeBranches`.
        salience: see :class:`AttributeBranches`.
        mask: see :class:`AttributeBranches`.
        pooling: see :class:`AttributeBranches`.
        branch_width: width W of each identity feature.
        attribute_feature: ``pooled`` (width C/2, the mean of the attribute maps, since equation 3 has no layer in
            between) or ``projected`` (width C/4, which the paper states).
        num_actions: number of actions; 0 builds no action network.
        action_width: width of an action block.
        action_dropout: dropout probability in the action network.
        action_activation: activation in the action network.
        action_source: what the action network reads, see :func:`~reidar_plugin.models.joint.build_joint`.
        action_gradient: whether actions train what they read.
        action_layers: see :class:`~reidar_plugin.models.action_maps.MapActionNetwork`.
        action_pooling: see :class:`~reidar_plugin.models.action_maps.MapActionNetwork`.
        weights: file of backbone weights; empty for the default download.
        sha256: checksum of that file; empty for none.
    """
    if attribute_feature not in ("pooled", "projected"):
        raise ConfigError(f"unknown attribute_feature {attribute_feature!r}; choose one of pooled, projected")
    whole = build_trunk(
        backbone,
        pretrained=pretrained,
        frame_size=frame_size,
        last_stride=last_stride,
        weights=weights,
        sha256=sha256,
    )
    stem, fourth = _cut(whole)
    if loss != "reidar":
        columns = ((), ())  # the losses of the host do not train attribute heads
    trunk = AttributeBranches(
        fourth,
        partial(residual_stage, type(fourth[0]), len(fourth), stem.channels, stem.channels // 2, last_stride),
        stem.channels,
        columns,
        map_size=whole.map_size,
        fusion=fusion,
        branches=branches,
        salience=salience,
        mask=mask,
        pooling=pooling,
        width=branch_width,
        projected=attribute_feature == "projected",
    )
    shared = stem._replace(channels=trunk.feature_dim)  # the width that neck and heads read
    actions = chosen_actions(
        shared,
        num_actions,
        loss,
        source=action_source,
        gradient=action_gradient,
        layers=action_layers,
        pooling=action_pooling,
        width=action_width,
        dropout=action_dropout,
        activation=action_activation,
    )
    return AsaNet(
        shared,
        trunk,
        num_classes=num_classes,
        actions=actions,
        action_source=action_source,
        loss=loss,
    )


def _cut(whole: Backbone) -> tuple[Backbone, nn.Sequential]:
    """Split a ResNet into the network without its fourth stage, and that stage."""
    network: Any = whole.network
    if not all(hasattr(network, part) for part in (*_STEM, "layer4")) or not hasattr(
        network.layer4[0], "expansion"
    ):
        raise ConfigError(
            f"ASA-Net takes the stages of a ResNet apart, and {whole.name} has none; "
            "set reidar.model.asanet.backbone to one such as resnet50 or resnet50_ibn_a"
        )
    fourth = network.layer4
    del network.layer4
    channels, height, width = measured_maps(whole.name, network, _third_stage, whole.frame_size)
    return whole._replace(maps=_third_stage, channels=channels, map_size=(height, width)), fourth


def _third_stage(network: Any, frames: Tensor) -> Tensor:
    maps = frames
    for part in _STEM:
        maps = getattr(network, part)(maps)
    return maps


def attribute_columns(space: Any) -> tuple[list[int], list[int]]:
    """Columns of an attribute space that belong to the person, and those that belong to the moment."""
    relevant, irrelevant = (space.columns(space.part(of_person)) for of_person in (True, False))
    return relevant, irrelevant
