"""A vision transformer of single frames.

::

    frame (3, H, W) -> patches of 16 x 16 -> tokens, a class token before them, positions added
      | blocks: x + attention(norm x), then x + MLP(norm x)
    class token (C, 1, 1): the map of the frame           patches (C, H / 16, W / 16): the stage ``patches``

Names are those of the public checkpoints.

Reference: Dosovitskiy et al., An Image Is Worth 16x16 Words, ICLR 2021.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from math import isqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reidar_plugin.errors import InputError
from reidar_plugin.models.weights import WeightsError

__all__ = ["VITS", "VisionTransformer", "fitted_positions", "resampled"]

PATCH = 16  #: height and width of a patch
HEAD = 64  #: numbers of a head of the attention
EPSILON = 1e-6


class Attention(nn.Module):
    """Every token reads all tokens of its frame: ``(N, L, C)`` -> the same shape."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = width // HEAD
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        query, key, value = self.qkv(tokens).unflatten(2, (3, self.heads, HEAD)).permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(query, key, value)  # (N, heads, L, 64)
        return self.proj(seen.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Attention and MLP, each normalised before and added: ``(N, L, C)`` -> the same shape."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = (nn.LayerNorm(width, eps=EPSILON) for _ in range(2))
        self.attn = Attention(width)
        layers = {"fc1": nn.Linear(width, 4 * width), "act": nn.GELU(), "fc2": nn.Linear(4 * width, width)}
        self.mlp = nn.Sequential(OrderedDict(layers))

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.attn(self.norm1(tokens))
        return tokens + self.mlp(self.norm2(tokens))


class PatchMaps(nn.Module):
    """Tokens ``(N, 1 + h w, C)`` of patches as maps ``(N, C, h, w)``; a layer, so that it can be named as a stage."""

    def forward(self, tokens: Tensor, size: tuple[int, int]) -> Tensor:
        return tokens[:, 1:].transpose(1, 2).unflatten(2, size)


class VisionTransformer(nn.Module):
    """Frames ``(N, 3, H, W)``, sides multiples of 16, -> class tokens ``(N, C, 1, 1)``.

    Args:
        width: C, a multiple of 64.
        depth: blocks.
        frame_size: height and width that positions are learnt for; for others they are resampled.
    """

    def __init__(self, width: int, depth: int, frame_size: tuple[int, int]) -> None:
        super().__init__()
        self.size = patches_of(frame_size)
        self.patch_embed = nn.Sequential(OrderedDict(proj=nn.Conv2d(3, width, PATCH, stride=PATCH)))
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + self.size[0] * self.size[1], width))
        self.blocks = nn.Sequential(*(Block(width) for _ in range(depth)))
        self.norm = nn.LayerNorm(width, eps=EPSILON)
        self.patches = PatchMaps()
        self._initialise()

    def forward(self, frames: Tensor) -> Tensor:
        size = patches_of(frames.shape[2:])
        tokens = self.patch_embed(frames).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls_token.expand(len(tokens), -1, -1), tokens], dim=1)
        tokens = self.norm(self.blocks(tokens + resampled(self.pos_embed, self.size, size)))
        self.patches(tokens, size)
        return tokens[:, 0, :, None, None]

    def _initialise(self) -> None:
        for values in (self.pos_embed, self.cls_token):
            nn.init.trunc_normal_(values, std=0.02)
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=0.02)
                nn.init.zeros_(layer.bias)


def patches_of(size: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns of patches in a frame."""
    height, width = size
    if height % PATCH or width % PATCH:
        raise InputError(
            f"a ViT reads patches of {PATCH} x {PATCH}, got frames of {height} x {width}: set data.height and "
            f"data.width to multiples of {PATCH}"
        )
    return height // PATCH, width // PATCH


def resampled(positions: Tensor, size: tuple[int, int], wanted: tuple[int, int]) -> Tensor:
    """Positions ``(1, 1 + h w, C)`` for a grid of another size; that of the class token stays.

    Args:
        positions: of the class token, then of patches row by row.
        size: h, w.
        wanted: h', w' of what is returned, ``(1, 1 + h' w', C)``.
    """
    if size == wanted:
        return positions
    grid = positions[:, 1:].transpose(1, 2).unflatten(2, size)
    grid = F.interpolate(grid, size=wanted, mode="bicubic", antialias=True)
    return torch.cat([positions[:, :1], grid.flatten(2).transpose(1, 2)], dim=1)


def fitted_positions(network: VisionTransformer, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of a checkpoint with positions for the frames of a network.

    A square number of positions lies on a square, also where a network has as many in another grid; any other number
    is taken for the network's own grid.
    """
    positions = tensors.get("pos_embed")
    if positions is None:
        return dict(tensors)
    side = isqrt(positions.shape[1] - 1)
    if side * side != positions.shape[1] - 1:
        if positions.shape == network.pos_embed.shape:
            return dict(tensors)
        raise WeightsError(
            f"expected positions of a square of patches and a class token, got pos_embed of {tuple(positions.shape)}: "
            "give weights that were trained on square pictures"
        )
    return {**tensors, "pos_embed": resampled(positions, (side, side), network.size)}


#: Networks by name -> builder(frame_size); t is for a CPU.
VITS: dict[str, Callable[[tuple[int, int]], VisionTransformer]] = {
    "vit_b16": partial(VisionTransformer, 768, 12),
    "vit_t16": partial(VisionTransformer, 192, 12),
}
