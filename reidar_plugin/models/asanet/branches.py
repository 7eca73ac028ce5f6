r"""The five branches of ASA-Net: from the maps of the third stage to one feature, and to the attributes.

::

    maps (B, T, C, h, w) ---+-- stage, C/2 --- relevant maps ---+-- pool ---- f_re_attr ---- head: logits
                            |                                   +-- ASRE --+
                            |                             1 x 1, C/4 --+   +-- pool, FC -- f_re_ID
                            +-- stage, 2C ---- identity maps ----------+-- 1 x 1, C/4 -- pool, FC -- f_ID
                            |                             1 x 1, C/4 --+   +-- pool, FC -- f_ir_ID
                            |                                   +-- ASRE --+
                            +-- stage, C/2 --- irrelevant maps -+-- pool ---- f_ir_attr ---- head: logits

    fusion a:    [f_re_ID, f_ID, f_ir_ID, f_re_attr]
    fusion b:    [f_re_ID, f_ID, f_ir_ID, FC [f_re_attr, f_ir_attr]]
    fusion none: [f_re_ID, f_ID, f_ir_ID]

The PMI triplet loss compares pose and motion by ``f_ir_attr``.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from reidar_plugin.errors import ConfigError
from reidar_plugin.models.asanet.salience import SalientRegions
from reidar_plugin.models.full_precision import full_precision
from reidar_plugin.models.temporal import Pooled, build_pooling

__all__ = ["BRANCHES", "FUSIONS", "AttributeBranch", "AttributeBranches", "BranchOutput", "residual_stage"]

#: Values of the config key ``reidar.model.asanet.branches``.
BRANCHES = ("identity", "relevant", "irrelevant")
#: Values of the config key ``reidar.model.asanet.fusion``.
FUSIONS = ("a", "b", "none")

Pooling = Callable[[int], nn.Module]  # channels -> module


def residual_stage(block: Any, blocks: int, channels: int, width: int, stride: int) -> nn.Module:
    """A residual stage ``(N, channels, h, w) -> (N, width, h / stride, w / stride)`` of the host's blocks.

    Args:
        block: class of the blocks, ``Bottleneck`` or ``BasicBlock`` of the host.
        blocks: number of blocks.
        channels: number of channels of the input.
        width: number of channels of the output.
        stride: stride of the first block.
    """
    planes = width // block.expansion
    shortcut = nn.Sequential(nn.Conv2d(channels, width, 1, stride, bias=False), nn.BatchNorm2d(width))
    first = block(inplanes=channels, planes=planes, stride=stride, downsample=shortcut)
    stage = nn.Sequential(first, *(block(inplanes=width, planes=planes) for _ in range(blocks - 1)))
    for layer in stage.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return stage


class EnhancedIdentity(nn.Module):
    """Identity maps ``(N, 2C, h, w)`` -> clip feature ``(B, W)``, with attribute regions enhanced.

    Args:
        channels: number 2C of channels of the identity maps.
        reduced: number C/4 of channels after the 1 x 1 convolution.
        width: width W of the feature, after the linear layer.
        pooling: builds the pooling over space and time for a number of channels.
        salience: ASRE module; None leaves the maps unchanged (for the identity branch, and in the ablation).
    """

    def __init__(
        self, channels: int, reduced: int, width: int, pooling: Pooling, salience: SalientRegions | None
    ) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(channels, reduced, kernel_size=1)
        self.salience = salience
        self.pool = pooling(reduced)
        self.fc = nn.Linear(reduced, width)

    def forward(self, identity: Tensor, attribute: Tensor, length: int) -> tuple[Pooled, Tensor | None]:
        """The pooled clip, and the mask ``(B, T, h, w)`` or None without ASRE; ``length`` is T."""
        maps, mask = self.reduce(identity), None
        if self.salience is not None:
            maps, mask = self.salience(maps, attribute)
            mask = mask.unflatten(0, (-1, length))
        clip: Pooled = self.pool(maps.unflatten(0, (-1, length)))
        return clip._replace(pooled=_in_full(self.fc, clip.pooled)), mask


class AttributeBranch(nn.Module):
    """Branch of the relevant or of the irrelevant attributes: attribute maps, clip feature and attribute logits.

    Args:
        stage: residual stage ``(N, C, h, w) -> (N, C/2, h, w)``.
        channels: number C/2 of channels of the attribute maps.
        reduced: width C/4 of the hidden layer of the head, and of a projected feature.
        attributes: number of attribute columns to predict; 0 builds no head.
        pooling: builds the pooling over space and time for a number of channels.
        projected: project the feature to width C/4 by a linear layer.
    """

    def __init__(
        self,
        stage: nn.Module,
        channels: int,
        reduced: int,
        attributes: int,
        pooling: Pooling,
        projected: bool,
    ) -> None:
        super().__init__()
        self.stage = stage
        self.pool = pooling(channels)
        self.project = nn.Linear(channels, reduced) if projected else nn.Identity()
        self.width = reduced if projected else channels
        self.head: nn.Module | None = None
        if attributes:
            hidden = (nn.Linear(self.width, reduced), nn.BatchNorm1d(reduced), nn.ReLU())
            self.head = nn.Sequential(*hidden, nn.Linear(reduced, attributes))

    def forward(self, maps: Tensor, length: int) -> tuple[Tensor, Tensor, Tensor]:
        """Attribute maps, clip feature, and logits ``(B, A)`` with A = 0 without a head; ``length`` is T."""
        maps = self.stage(maps)
        feature = _in_full(self.project, self.pool(maps.unflatten(0, (-1, length))).pooled)
        logits = feature[:, :0] if self.head is None else _in_full(self.head, feature)
        return maps, feature, logits


class BranchOutput(NamedTuple):
    """Output of :class:`AttributeBranches` for a batch of clips."""

    clip: Pooled  #: pooled clip, whose ``pooled`` is the fused feature ``(B, D)``
    attribute_logits: Tensor  #: ``(B, A)``, columns in the order of the attribute space
    pose_motion: Tensor  #: feature of the irrelevant attributes, ``(B, G)``
    masks: Tensor | None  #: masks ``(B, T, R, h, w)`` of the ASRE modules, relevant first; None without ASRE


class AttributeBranches(nn.Module):
    """The five branches and their fusion: maps of the third stage ``(B, T, C, h, w)`` -> :class:`BranchOutput`.

    Args:
        identity_stage: stage ``(N, C, h, w) -> (N, 2C, h, w)``, the fourth stage of the backbone.
        attribute_stage: builds a stage ``(N, C, h, w) -> (N, C/2, h, w)``.
        channels: number C of channels of the input maps.
        columns: columns of the relevant and of the irrelevant attributes in the attribute space; together all.
        map_size: height and width of the maps after a stage.
        fusion: how features are fused, name in :data:`FUSIONS`.
        branches: the branches whose identity features are fused, names in :data:`BRANCHES` (Table IV).
        salience: whether to build ASRE (Table V).
        mask: kind of mask, see :class:`SalientRegions`.
        pooling: pooling over space and time, name in :data:`~reidar_plugin.models.temporal.POOLINGS`.
        width: width W of each identity feature, and of the fused attribute features in fusion b.
        projected: project attribute features from C/2 to C/4.
    """

    def __init__(
        self,
        identity_stage: nn.Module,
        attribute_stage: Callable[[], nn.Module],
        channels: int,
        columns: tuple[Sequence[int], Sequence[int]],
        *,
        map_size: tuple[int, int],
        fusion: str = "b",
        branches: Sequence[str] = BRANCHES,
        salience: bool = True,
        mask: str = "linear",
        pooling: str = "mean",
        width: int = 128,
        projected: bool = False,
    ) -> None:
        super().__init__()
        _check(fusion, branches)
        half, quarter = channels // 2, channels // 4

        def pool(channels: int) -> nn.Module:
            return build_pooling(pooling, channels=channels, size=map_size)

        self.identity_stage = identity_stage
        self.attributes = nn.ModuleDict(
            {
                name: AttributeBranch(attribute_stage(), half, quarter, len(group), pool, projected)
                for name, group in zip(BRANCHES[1:], columns, strict=True)
            }
        )
        enhanced = {}
        for name in (
            name for name in ("relevant", "identity", "irrelevant") if name in branches
        ):  # order of fusion
            asre = SalientRegions(quarter, half, mask) if salience and name != "identity" else None
            enhanced[name] = EnhancedIdentity(2 * channels, quarter, width, pool, asre)
        self.enhanced = nn.ModuleDict(enhanced)
        of_attributes = quarter if projected else half
        self.fusion = fusion
        self.merge = nn.Linear(2 * of_attributes, width) if fusion == "b" else None
        self.feature_dim = width * len(enhanced) + {"a": of_attributes, "b": width, "none": 0}[fusion]
        order = torch.tensor([*columns[0], *columns[1]], dtype=torch.long).argsort()
        self.register_buffer("order", order, persistent=False)

    order: Tensor

    def forward(self, maps: Tensor) -> BranchOutput:
        length, frames = maps.shape[1], maps.flatten(0, 1)
        identity = self.identity_stage(frames)
        outputs = {name: branch(frames, length) for name, branch in self.attributes.items()}
        clips, masks = [], []
        for name, branch in self.enhanced.items():
            clip, mask = branch(identity, outputs[name][0] if name in outputs else identity, length)
            clips.append(clip)
            masks += [] if mask is None else [mask]
        (_, relevant, relevant_logits), (_, irrelevant, irrelevant_logits) = outputs.values()
        pooled = torch.cat([clip.pooled for clip in clips] + self._fused(relevant, irrelevant), dim=1)
        return BranchOutput(
            clips[0]._replace(pooled=pooled),
            torch.cat([relevant_logits, irrelevant_logits], dim=1)[:, self.order],
            irrelevant,
            torch.stack(masks, dim=2) if masks else None,
        )

    def _fused(self, relevant: Tensor, irrelevant: Tensor) -> list[Tensor]:
        """The part of the final feature that comes from the attribute features."""
        if self.merge is not None:
            return [_in_full(self.merge, torch.cat([relevant, irrelevant], dim=1))]
        return [relevant] if self.fusion == "a" else []


def _check(fusion: str, branches: Sequence[str]) -> None:
    if fusion not in FUSIONS:
        raise ConfigError(f"unknown fusion {fusion!r}; choose one of {', '.join(FUSIONS)}")
    if not branches or not set(branches) <= set(BRANCHES) or len(set(branches)) < len(branches):
        raise ConfigError(
            f"branches: expected one or more of {', '.join(BRANCHES)}, each once, got {list(branches)}"
        )


def _in_full(layer: nn.Module, feature: Tensor) -> Tensor:
    """Apply a layer in the precision of its weights, also under autocast."""
    with full_precision(feature):
        return layer(feature)
