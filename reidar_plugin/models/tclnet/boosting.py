r"""Temporal saliency boosting (TSB): what the other frames of a clip show of a person is added to each frame.

With the mean :math:`q_t` of frame t over space, and :math:`m_{u,j}` the mean of 2 x 2 positions around j in frame u:

.. math::
    a_{t,u,j} = \mathrm{softmax}_{u \ne t,\, j}(5 \cos(q_t, m_{u,j})), \qquad
    z_{t,i} = x_{t,i} + \mathrm{BN}\Bigl(W \sum_{u,j} a_{t,u,j}\, x_{u,j}\Bigr)

The scale of the normalisation starts at 0, so that the module starts as the identity.

Reference: Hou et al., Temporal Complementary Learning for Video Person Re-Identification, ECCV 2020, section 3.3.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reidar_plugin.models.clip_layer import ClipLayer

__all__ = ["SaliencyBoosting", "quiet_projection"]

TEMPERATURE = 5.0  #: factor on the cosine, as published


class SaliencyBoosting(ClipLayer):
    """Maps ``(B * T, C, h, w)`` -> the same shape, T from 2 on: a frame alone has no other to read.

    Args:
        channels: C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.project = quiet_projection(channels)

    def forward(self, maps: Tensor) -> Tensor:
        clips = self.by_clip(maps)
        seen = self._attention(clips) @ clips.transpose(1, 2).flatten(2).transpose(1, 2)  # (B, T, C)
        return maps + self.project(seen.flatten(0, 1)[:, :, None, None])

    def _attention(self, clips: Tensor) -> Tensor:
        """Weights ``(B, T, T * L)`` of all positions of a clip, for each of its frames."""
        query = F.normalize(clips.mean(dim=(3, 4)), dim=2)  # (B, T, C)
        around = F.avg_pool2d(clips.flatten(0, 1), 2, stride=1, padding=1)[:, :, :-1, :-1]
        memory = F.normalize(self.by_clip(around).flatten(3), dim=2)  # (B, T, C, L)
        scores = TEMPERATURE * torch.einsum("btc,bucl->btul", query, memory)
        scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
        own = torch.eye(self.length, dtype=torch.bool, device=scores.device)
        scores = scores.masked_fill(own[None, :, :, None], float("-inf"))
        return scores.flatten(2).softmax(dim=2).to(clips.dtype)


def quiet_projection(channels: int) -> nn.Sequential:
    """1 x 1 convolution and normalisation ``(N, C, 1, 1) -> (N, C, 1, 1)`` that say nothing at first."""
    convolution, norm = nn.Conv2d(channels, channels, 1), nn.BatchNorm2d(channels)
    nn.init.normal_(convolution.weight, std=(2 / channels) ** 0.5)
    nn.init.zeros_(norm.weight)
    return nn.Sequential(convolution, norm)
