"""The action network that reads maps of the backbone: where and when is each action seen?"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from reidar_plugin.errors import ConfigError
from reidar_plugin.models.full_precision import full_precision
from reidar_plugin.models.heads import ActionNetwork
from reidar_plugin.models.instances import check_pooling, pool_instances

__all__ = ["MapActionNetwork", "SeenActions", "first_seen"]

#: Pools the features of a whole clip before the action's block; the poolings of ``instances`` pool logits of frames.
CLIP = "clip"


class SeenActions(NamedTuple):
    """What an action network that reads maps says of a batch of clips."""

    logits: Tensor  #: ``(B, M)`` before the sigmoid
    hidden: Tensor  #: ``(B, M, E)`` features inside the blocks, after dropout
    attention: Tensor  #: ``(B, M, T, h, w)``, sum 1 over T, h and w


class MapActionNetwork(nn.Module):
    r"""M spatial-temporal attentions over maps ``(B, T, C, h, w)``, and behind each its action's block.

    .. math::
        x = \mathrm{BN}(g(F)), \qquad a_m = \mathrm{softmax}_{t,y,x}(x \cdot q_m), \qquad
        f_m = \sum_{t,y,x} a_m x, \qquad z_m = \mathrm{block}_m(f_m)

    with maps F of a stage of the backbone and a trunk g of convolutions of the network's own, none by default.
    The queries :math:`q_m` start at zero, so that attention starts even. With a pooling of frames the softmax is
    over each frame alone, the block judges every frame, and :mod:`~reidar_plugin.models.instances` pools its logits;
    the attention that is returned is then that of the frame times the frame's share in the clip, so it always sums
    to 1. The number of kernels does not grow with M.

    Reference: our own, after the class-specific attention of multi-label recognition (Zhu et al., CVPR 2017).

    Args:
        channels: C.
        num_actions: M.
        layers: widths of the trunk's 3 x 3 convolutions (each with batch normalisation and ReLU); one that is wider
            than what it reads halves height and width.
        pooling: ``clip``, or one of :data:`~reidar_plugin.models.instances.INSTANCE_POOLINGS`.
        gradient: whether actions train the backbone; False takes the maps as they are.
        width, dropout, activation: of the blocks, see :class:`~reidar_plugin.models.heads.ActionNetwork`.
    """

    def __init__(
        self,
        channels: int,
        num_actions: int,
        *,
        layers: Sequence[int] = (),
        pooling: str = CLIP,
        gradient: bool = True,
        width: int = 512,
        dropout: float = 0.25,
        activation: str = "relu",
    ) -> None:
        super().__init__()
        check_pooling(pooling, (CLIP,))
        if any(layer < 1 for layer in layers):
            raise ConfigError(f"action_layers are widths >= 1, got {list(layers)}")
        reads = (channels, *layers)
        self.trunk = nn.Sequential(*map(_convolution, reads, layers))
        self.normalise = nn.BatchNorm2d(reads[-1])
        self.queries = nn.Parameter(torch.zeros(num_actions, reads[-1]))
        self.blocks = ActionNetwork(
            reads[-1], num_actions, width=width, dropout=dropout, activation=activation
        )
        self.pooling, self.gradient = pooling, gradient
        self.num_actions, self.width = num_actions, width

    def forward(self, maps: Tensor, counts: Tensor | None = None) -> SeenActions:
        """Judge the maps of clips.

        Args:
            maps: ``(B, T, C, h, w)``.
            counts: bool ``(B, T)``, which frames count, at least one in each clip; None for all. The others weigh
                nothing; in training they move the statistics of the batch all the same.
        """
        if counts is None:
            counts = maps.new_ones(maps.shape[:2], dtype=torch.bool)
        frames = (maps if self.gradient else maps.detach()).flatten(0, 1)
        values = self.normalise(self.trunk(frames))
        with full_precision(maps):
            values = (
                values.to(self.queries.dtype).unflatten(0, maps.shape[:2]).movedim(2, -1)
            )  # (B, T, h, w, C)
            places = values.flatten(2, 3)  # (B, T, L, C)
            scores = torch.einsum("btlc,mc->btml", places, self.queries)
            judge = self._judge_clips if self.pooling == CLIP else self._judge_frames
            logits, hidden, attention = judge(places, scores, counts)
            attention = attention.transpose(1, 2).unflatten(3, values.shape[2:4])
        return SeenActions(logits, hidden, attention)

    def _judge_clips(self, places: Tensor, scores: Tensor, counts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits ``(B, M)``, hidden ``(B, M, E)`` and attention ``(B, T, M, L)``, features pooled over the clip."""
        counted = scores.masked_fill(~counts[:, :, None, None], float("-inf"))
        attention = counted.transpose(1, 2).flatten(2).softmax(dim=2)  # (B, M, T * L)
        said = self.blocks(attention @ places.flatten(1, 2))
        return said.logits, said.hidden, attention.unflatten(2, scores.shape[1::2]).transpose(1, 2)

    def _judge_frames(self, places: Tensor, scores: Tensor, counts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The same, logits pooled over the frames."""
        attention = scores.softmax(dim=3)  # (B, T, M, L), sum 1 in each frame
        said = self.blocks((attention @ places).flatten(0, 1))
        logits, hidden = (each.unflatten(0, scores.shape[:2]) for each in said[:2])
        pooled, shares = pool_instances(self.pooling, logits, scores.logsumexp(dim=3), counts)
        return pooled, torch.einsum("btm,btme->bme", shares, hidden), attention * shares[..., None]


def first_seen(clips: Tensor) -> Tensor:
    """Which frames of ``(B, T, 3, H, W)`` are no copy of an earlier one of their clip, bool ``(B, T)``.

    Clips of short tracklets, and the last clip of a tracklet at test, are filled up with copies of their own frames.
    """
    frames = clips.flatten(2)
    copies = [
        torch.stack([(frames[:, t] == frames[:, s]).all(dim=1) for s in range(t)]).any(dim=0)
        for t in range(1, frames.shape[1])
    ]
    return ~torch.stack([torch.zeros_like(frames[:, 0, 0], dtype=torch.bool), *copies], dim=1)


def _convolution(reads: int, width: int) -> nn.Sequential:
    stride = 2 if width > reads else 1
    return nn.Sequential(
        nn.Conv2d(reads, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
    )
