"""The joint model: frames of a person in, who it is and what the person does out.

::

    frames (B, T, 3, H, W)
      | backbone, a network of torchreid's or timm's without its head; in some, frames of a clip see each other
    maps (B, T, C, h, w)
      | temporal pooling: spatial-temporal attention, light attention, mean, max or generalised mean
    pooled (B, C)          scores, attention (B, T)
      | BN neck without trainable shift
    feature (B, C) --------+---------------------------+
      | classifier         |                           | action network, M blocks side by side
    logits (B, K)          what retrieval compares     action logits (B, M), hidden (B, M, E)

A trunk may have P branches, each for every P-th frame (:mod:`reidar_plugin.models.trunks`): they are pooled apart, their
features lie side by side in a feature P times as wide, and the output also has branch_logits (B, P, K), whose sum over P
are the logits.

An action network may read the maps of a stage of the backbone instead, or the frames themselves through a trunk of its
own, each action with an attention of its own (:mod:`reidar_plugin.models.action_maps`); the output then also has
action_attention (B, M, T, h, w).

The model follows the memory format of its weights: ``model.to(memory_format=torch.channels_last)`` makes it run
in channels_last throughout, which is faster, on a CPU too. Under autocast the backbone and the convolution over the
maps run in the low precision, everything else in float32.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reidar_plugin.errors import ConfigError, InputError
from reidar_plugin.models.action_maps import MapActionNetwork, first_seen
from reidar_plugin.models.backbones import Backbone
from reidar_plugin.models.clip_layer import maps_of_clips
from reidar_plugin.models.full_precision import full_precision
from reidar_plugin.models.heads import ActionNetwork, ShiftlessBatchNorm1d, identity_classifier
from reidar_plugin.models.stages import keep_maps, take_maps
from reidar_plugin.models.temporal import BranchPooling, SpatialTemporalAttention, build_pooling
from reidar_plugin.models.trunks import build_trunk
from reidar_plugin.structures import JointOutput

__all__ = ["FEATURE", "FRAMES", "LOSSES", "JointModel", "as_clips", "build_joint", "chosen_actions"]

#: What an action network reads where it reads no stage: the clip feature after the neck.
FEATURE = "feature"

#: What it reads where it shares nothing with the identity side but the frames themselves.
FRAMES = "frames"

#: What the host may ask a joint model to be built for; :class:`JointModel` says what each makes it return.
LOSSES = ("reidar", "softmax", "triplet")


class JointModel(nn.Module):
    """Re-identification and action recognition from one clip feature.

    ``(B, T, 3, H, W)`` is a batch of clips; ``(B, 3, H, W)`` one of clips of a single frame, as the host's
    engines, ``FeatureExtractor`` and complexity count pass it. What comes out is ruled by ``loss``, the
    host's word for it:

    ========= ==================== ============
    loss      training             evaluation
    ========= ==================== ============
    reidar    JointOutput          JointOutput
    softmax   logits               feature
    triplet   (logits, feature)    feature
    ========= ==================== ============

    With P branches the host gets lists of P logits and of P features, over which its engines take the mean of the losses.

    Args:
        backbone: network, way to its maps and their size.
        pooling: temporal pooling ``(B, T, C, h, w) ->`` :class:`~reidar_plugin.models.temporal.Pooled`, of each branch.
        num_classes: K.
        actions: the action network, or None.
        action_source: what it reads, :data:`FEATURE`, :data:`FRAMES` or a stage that keeps its maps.
        loss: one of :data:`LOSSES`.
    """

    def __init__(
        self,
        backbone: Backbone,
        pooling: nn.Module,
        *,
        num_classes: int,
        actions: ActionNetwork | MapActionNetwork | None = None,
        action_source: str = FEATURE,
        loss: str = "reidar",
    ) -> None:
        super().__init__()
        if loss not in LOSSES:
            raise ConfigError(f"unknown loss {loss!r} for a joint model; choose one of {list(LOSSES)}")
        self.loss = loss
        self.name, self.frame_size, self.map_size = backbone.name, backbone.frame_size, backbone.map_size
        self.feature_dim, self.branches = backbone.feature_dim, backbone.branches
        self.base = backbone.network  # the name that released checkpoints use
        self._maps = backbone.maps
        self.temporal = pooling if self.branches == 1 else BranchPooling(pooling, self.branches)
        self.takes_one_size = any(isinstance(part, SpatialTemporalAttention) for part in pooling.modules())
        self.bottleneck = ShiftlessBatchNorm1d(self.feature_dim)
        # the host's fixbase and staged learning rate look for a child of this name
        self.classifier = identity_classifier(self.feature_dim, num_classes)
        self.actions, self.action_source = actions, action_source

    def forward(
        self, frames: Tensor, counts: Tensor | None = None
    ) -> JointOutput | Tensor | tuple[Tensor, Tensor]:
        clips = self._whole(as_clips(frames))
        if counts is not None and self.branches > 1:
            counts = F.pad(counts, (0, clips.shape[1] - counts.shape[1]))  # copies count nowhere
        maps = self.maps(
            clips
        )  # apart: torch 2.4 compiles no break of its graph inside of a call with a star
        return self.judge(clips, *self.temporal(maps), counts=counts)

    def judge(
        self,
        clips: Tensor,
        pooled: Tensor,
        scores: Tensor,
        attention: Tensor,
        *,
        counts: Tensor | None = None,
        **branches: Tensor | None,
    ) -> JointOutput | Tensor | tuple[Tensor, Tensor]:
        """From the pooled feature ``(B, C)`` on: neck, classifier and action network.

        Args:
            clips: ``(B, T, 3, H, W)``, after :meth:`maps` has read them.
            pooled, scores, attention: what the temporal pooling gives.
            counts: bool ``(B, T)``, frames that count for actions that read maps; None for all that are no copies.
            branches: more fields of the output, from a model that has them.
        """
        with full_precision(pooled):
            pooled = pooled.to(self.classifier.weight.dtype)
            feature = self.bottleneck(pooled)
            if self.loss != "reidar":
                return self._as_the_host_expects(feature)
            logits = self.classifier(feature)
            if self.branches > 1:
                branches["branch_logits"] = self._branch_logits(feature)
        vectors = self.classifier.weight if self.training else None
        acts, hidden, seen = (None, None, None) if self.actions is None else self._act(clips, feature, counts)
        return JointOutput(
            logits,
            feature,
            pooled,
            scores,
            attention,
            acts,
            hidden,
            vectors,
            action_attention=seen,
            **branches,
        )

    def maps(self, clips: Tensor) -> Tensor:
        """Feature maps ``(B, T, C, h, w)`` of clips ``(B, T, 3, H, W)``."""
        frames = clips.flatten(0, 1).contiguous(memory_format=_memory_format(self.base))
        maps = maps_of_clips(self.base, self._maps, frames.unflatten(0, clips.shape[:2]))
        if self.takes_one_size and tuple(maps.shape[3:]) != self.map_size:
            built, came = _by(self.frame_size), _by(clips.shape[3:])
            raise InputError(
                f"{self.name} was built for frames of {built} (maps {_by(self.map_size)}), "
                f"got frames of {came} (maps {_by(maps.shape[3:])}): set data.height and data.width "
                "to the frames' size, or choose the pooling 'light', which takes any"
            )
        return maps

    def _whole(self, clips: Tensor) -> Tensor:
        """Clips whose frames every branch has equally many of: the last frame is repeated for that.

        Not in training, where losses read what each frame is; single frames are what the host's engines train on.
        """
        length = clips.shape[1]
        if self.branches == 1:
            return clips
        missing = -length % self.branches
        if self.training and length > 1 and missing:
            raise InputError(
                f"{self.name} trains on clips of {self.branches}, {2 * self.branches}, ... frames, got "
                f"{length}: set video.seq_len"
            )
        # without a branch on T, so that an exported graph takes any
        return clips[:, torch.arange(length + missing, device=clips.device).clamp(max=length - 1)]

    def _branch_logits(self, feature: Tensor) -> Tensor:
        """``(B, D) -> (B, P, K)``, from each branch's part of the feature."""
        kernels = self.classifier.weight.unflatten(1, (self.branches, -1))  # (K, P, C)
        return torch.einsum("bpc,kpc->bpk", feature.unflatten(1, (self.branches, -1)), kernels)

    def _act(
        self, clips: Tensor, feature: Tensor, counts: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Logits, hidden features and attention of clips that :meth:`maps` has just read."""
        if isinstance(self.actions, MapActionNetwork):
            maps = clips
            if self.action_source != FRAMES:
                maps = take_maps(self.base, self.action_source).unflatten(0, clips.shape[:2])
            return self.actions(maps, first_seen(clips) if counts is None else counts)
        assert self.actions is not None
        with full_precision(feature):
            return *self.actions(feature), None

    def _as_the_host_expects(self, feature: Tensor) -> Any:
        if not self.training:
            return feature
        logits: Any = self.classifier(feature)
        parts: Any = feature
        if self.branches > 1:
            logits, parts = (
                list(self._branch_logits(feature).unbind(1)),
                list(feature.chunk(self.branches, 1)),
            )
        return (logits, parts) if self.loss == "triplet" else logits


def build_joint(
    name: str,
    num_classes: int,
    loss: str = "reidar",
    pretrained: bool = False,
    use_gpu: bool = False,
    *,
    frame_size: tuple[int, int] = (256, 128),
    last_stride: int = 1,
    pooling: str = "attention",
    attention_width: int = 256,
    attention_relu: bool = True,
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
) -> JointModel:
    """A joint model on a trunk; the first five arguments are those of the host's builders.

    Args:
        name: trunk, see :mod:`~reidar_plugin.models.trunks`: of the host's model table, of timm, or for clips.
        num_classes: K, identities in training.
        loss: one of :data:`LOSSES`; the action network is left out where the host's losses could not train
            it.
        pretrained: start from ImageNet weights.
        use_gpu: what the host passes on; a model goes where ``.to()`` puts it.
        frame_size: height and width of the frames, which the kernel of the papers' attention follows.
        last_stride: 1 or 2, see :func:`~reidar_plugin.models.backbones.build_backbone`.
        pooling: one of :data:`~reidar_plugin.models.temporal.POOLINGS`.
        attention_width: channels between the two convolutions of the attention.
        attention_relu: a ReLU on its scores, see :class:`~reidar_plugin.models.temporal.FrameAttention`.
        num_actions: M; 0 builds no action network.
        action_width, action_dropout, action_activation: see
            :class:`~reidar_plugin.models.heads.ActionNetwork`.
        action_source: what the action network reads: :data:`FEATURE`, :data:`FRAMES`, or a stage of the backbone by its
            path.
        action_gradient, action_layers, action_pooling: options of an action network that reads a stage or frames, see
            :class:`~reidar_plugin.models.action_maps.MapActionNetwork`; the first serves the other one too.
        weights: file with the ImageNet weights of the backbone; empty for the published ones.
        sha256: checksum that the file must have; empty for none.
    """
    backbone = build_trunk(
        name,
        pretrained=pretrained,
        frame_size=frame_size,
        last_stride=last_stride,
        weights=weights,
        sha256=sha256,
    )
    actions = chosen_actions(
        backbone,
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
    temporal = build_pooling(
        pooling,
        channels=backbone.channels,
        size=backbone.map_size,
        width=attention_width,
        rectified=attention_relu,
    )
    return JointModel(
        backbone, temporal, num_classes=num_classes, actions=actions, action_source=action_source, loss=loss
    )


def chosen_actions(
    backbone: Backbone,
    num_actions: int,
    loss: str,
    *,
    source: str = FEATURE,
    gradient: bool = True,
    layers: Sequence[int] = (),
    pooling: str = "clip",
    **blocks: Any,
) -> ActionNetwork | MapActionNetwork | None:
    """The action network, or None without actions or where the host's losses would leave it idle.

    Args:
        backbone: gives the width of the clip feature, or the stage ``source``, which is made to keep its maps.
        num_actions, loss, source, gradient, layers, pooling: see :func:`build_joint`.
        blocks: ``width``, ``dropout`` and ``activation``.
    """
    if not num_actions or loss != "reidar":
        return None
    if source == FEATURE:
        return ActionNetwork(backbone.feature_dim, num_actions, gradient=gradient, **blocks)
    if source == FRAMES and not layers:
        raise ConfigError(
            "reidar.model.action_source frames: the pixels themselves tell no action; give widths of a trunk in "
            "reidar.model.action_layers"
        )
    channels = 3 if source == FRAMES else keep_maps(backbone, source)
    # what is drawn after it, pooling, classifier and centres, stays as it is without actions: runs can be compared
    with torch.random.fork_rng(devices=[]):
        return MapActionNetwork(
            channels, num_actions, layers=layers, pooling=pooling, gradient=gradient, **blocks
        )


def as_clips(frames: Tensor) -> Tensor:
    """``(B, T, 3, H, W)`` from that or from ``(B, 3, H, W)``."""
    clips = frames.unsqueeze(1) if frames.dim() == 4 else frames
    if clips.dim() != 5 or clips.shape[2] != 3:
        raise ValueError(f"expected frames (B, T, 3, H, W) or (B, 3, H, W), got {tuple(frames.shape)}")
    if not clips.is_floating_point():
        raise TypeError(f"expected normalised floating point frames, got {frames.dtype}")
    return clips


def _memory_format(network: nn.Module) -> torch.memory_format:
    """That of the first kernel, which reads 3 channels and more than a pixel: no other is unambiguous."""
    # not parameters(), which is empty in a replica of DataParallel
    kernel = next((layer.weight for layer in network.modules() if isinstance(layer, nn.Conv2d)), None)
    if kernel is None:  # patches by a linear layer
        return torch.contiguous_format
    last = kernel.is_contiguous(memory_format=torch.channels_last) and not kernel.is_contiguous()
    return torch.channels_last if last else torch.contiguous_format


def _by(size: tuple[int, ...]) -> str:
    return " x ".join(str(side) for side in size)
