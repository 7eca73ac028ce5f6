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

``f_ir_attr`` is what the PMI triplet tells pose and motion by.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from reidar_plugin.errors import ConfigError
from reidar_plugin.models.asanet.salience import SalientRegions
from reidar_plugin.models.temporal import Pooled, build_pooling

__all__ = ["BRANCHES", "FUSIONS", "AttributeBranch", "AttributeBranches", "BranchOutput", "residual_stage"]

#: What ``reidar.model.asanet.branches`` may name.
BRANCHES = ("identity", "relevant", "irrelevant")
#: What ``reidar.model.asanet.fusion`` may be.
FUSIONS = ("a", "b", "none")

Pooling = Callable[[int], nn.Module]  # channels -> module


def residual_stage(block: Any, blocks: int, channels: int, width: int, stride: int) -> nn.Module:
    """A residual stage ``(N, channels, h, w) -> (N, width, h / stride, w / stride)`` of the host's own blocks.

    Args:
        block: the host's ``Bottleneck`` or ``BasicBlock``.
        blocks: how many.
        channels, width: of the maps that come in and go out.
        stride: of the first block.
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
    """Identity maps ``(N, 2C, h, w)`` -> clip feature ``(B, W)``, enhanced where attributes are seen.

    Args:
        channels: 2C.
        reduced: C/4, channels after the 1 x 1 convolution.
        width: W, after the FC layer.
        pooling: over space and time.
        salience: ASRE, or None to leave the maps as they are (the identity branch, and the ablation).
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
        """The pooled clip and the mask ``(B, T, h, w)`` (None without ASRE); ``length`` is T."""
        maps, mask = self.reduce(identity), None
        if self.salience is not None:
            maps, mask = self.salience(maps, attribute)
            mask = mask.unflatten(0, (-1, length))
        clip: Pooled = self.pool(maps.unflatten(0, (-1, length)))
        return clip._replace(pooled=_in_full(self.fc, clip.pooled)), mask


class AttributeBranch(nn.Module):
    """A group of attributes: maps of their own ``(N, C/2, h, w)``, a feature of the clip and its attributes.

    Args:
        stage: residual stage ``(N, C, h, w) -> (N, C/2, h, w)``.
        channels: C/2.
        reduced: C/4, width of the hidden layer of the head, and of the feature where it is projected.
        attributes: columns to predict; 0 builds no head.
        pooling: over space and time.
        projected: whether a linear layer brings the feature to C/4.
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
        """Attribute maps, clip feature and logits ``(B, A)``, which may have no column."""
        maps = self.stage(maps)
        feature = _in_full(self.project, self.pool(maps.unflatten(0, (-1, length))).pooled)
        logits = feature[:, :0] if self.head is None else _in_full(self.head, feature)
        return maps, feature, logits


class BranchOutput(NamedTuple):
    """What the branches say of a batch of clips."""

    clip: Pooled  #: its ``pooled`` is the fused feature ``(B, D)``
    attribute_logits: Tensor  #: ``(B, A)``, columns in the order of the attribute space
    pose_motion: Tensor  #: ``(B, G)``, feature of the irrelevant attributes
    masks: Tensor | None  #: ``(B, T, R, h, w)`` of the ASRE modules, relevant first; None without any


class AttributeBranches(nn.Module):
    """The five branches and their fusion: maps of the third stage ``(B, T, C, h, w)`` -> :class:`BranchOutput`.

    Args:
        identity_stage: ``(N, C, h, w) -> (N, 2C, h, w)``, the network's own fourth stage.
        attribute_stage: builds one of ``(N, C, h, w) -> (N, C/2, h, w)``.
        channels: C.
        columns: of the relevant and of the irrelevant attributes in the attribute space; together all of it.
        map_size: height and width of the maps after a stage.
        fusion: one of :data:`FUSIONS`.
        branches: whose identity features are fused, of :data:`BRANCHES` (Table IV).
        salience: whether ASRE is built (Table V).
        mask: see :class:`SalientRegions`.
        pooling: over space and time, one of :data:`~reidar_plugin.models.temporal.POOLINGS`.
        width: W, of each identity feature after its FC layer, and of the fused attributes of b.
        projected: whether attribute features are brought from C/2 to C/4.
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
        for name in (name for name in ("relevant", "identity", "irrelevant") if name in branches):  # as drawn
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
        said = {name: branch(frames, length) for name, branch in self.attributes.items()}
        clips, masks = [], []
        for name, branch in self.enhanced.items():
            clip, mask = branch(identity, said[name][0] if name in said else identity, length)
            clips.append(clip)
            masks += [] if mask is None else [mask]
        (_, relevant, relevant_logits), (_, irrelevant, irrelevant_logits) = said.values()
        pooled = torch.cat([clip.pooled for clip in clips] + self._fused(relevant, irrelevant), dim=1)
        return BranchOutput(
            clips[0]._replace(pooled=pooled),
            torch.cat([relevant_logits, irrelevant_logits], dim=1)[:, self.order],
            irrelevant,
            torch.stack(masks, dim=2) if masks else None,
        )

    def _fused(self, relevant: Tensor, irrelevant: Tensor) -> list[Tensor]:
        """What of the attribute features goes into the final feature."""
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
    """A layer of a head, in the precision of its weights also under autocast."""
    with torch.autocast(feature.device.type, enabled=False):
        return layer(feature)
