r"""Attention over the frames of a clip: a frame reads those around it and the clip's token, the token reads all.

.. math::
    y_t = \sum_{u \in \{0\} \cup [t - w,\, t + w]} \mathrm{softmax}_u\bigl(q_t \cdot k_u / \sqrt d\bigr)\, v_u, \qquad
    y_0 = \sum_u \mathrm{softmax}_u\bigl(q'_0 \cdot k'_u / \sqrt d\bigr)\, v'_u

Token 0 is the clip's, with projections :math:`q', k', v'` of its own. Scores outside of the window are computed and left
out: clips are short.

Reference: Beltagy et al., Longformer: The Long-Document Transformer, 2020, as the code of VTN uses it.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["WindowAttention", "window"]

HEAD = 64  #: numbers of a head


class WindowAttention(nn.Module):
    """Tokens ``(B, 1 + T, C)``, the clip's first, -> the same shape.

    Args:
        channels: C, a multiple of 64.
        reach: w, frames that a frame sees to each side.
        dropout: of attention weights.
    """

    def __init__(self, channels: int, reach: int, dropout: float) -> None:
        super().__init__()
        self.reach, self.dropout = reach, dropout
        self.query, self.key, self.value = (nn.Linear(channels, channels) for _ in range(3))
        self.clip_query, self.clip_key, self.clip_value = (nn.Linear(channels, channels) for _ in range(3))
        self.out = nn.Linear(channels, channels)

    def forward(self, tokens: Tensor) -> Tensor:
        seen = window(tokens.shape[1] - 1, self.reach, tokens.device)
        frames = self._attend(self.query(tokens[:, 1:]), self.key(tokens), self.value(tokens), seen)
        clip = self._attend(self.clip_query(tokens[:, :1]), self.clip_key(tokens), self.clip_value(tokens))
        return self.out(torch.cat([clip, frames], dim=1))

    def _attend(self, query: Tensor, key: Tensor, value: Tensor, seen: Tensor | None = None) -> Tensor:
        query, key, value = (each.unflatten(2, (-1, HEAD)).transpose(1, 2) for each in (query, key, value))
        dropout = self.dropout if self.training else 0.0
        read = F.scaled_dot_product_attention(query, key, value, attn_mask=seen, dropout_p=dropout)
        return read.transpose(1, 2).flatten(2)


def window(length: int, reach: int, device: torch.device | None = None) -> Tensor:
    """Which tokens each of T frames sees, bool ``(T, 1 + T)``: the clip's, and frames at most ``reach`` away."""
    place = torch.arange(1 + length, device=device)
    seen = (place[1:, None] - place).abs() <= reach
    seen[:, 0] = True
    return seen
