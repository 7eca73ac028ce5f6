r"""Res2Net: bottlenecks whose 3 x 3 convolution is a chain of small ones over groups of channels.

With the groups :math:`x_1 \dots x_s` of what the first 1 x 1 convolution of a block gives, and 3 x 3 convolutions (with
normalisation and ReLU) :math:`K_i`:

.. math::
    y_1 = K_1 x_1, \qquad y_i = K_i(x_i + y_{i-1}), \qquad y_s = x_s

The first block of a stage, which may halve the maps, adds nothing up and pools its last group 3 x 3. Names are those of the
public checkpoints, which load as they are.

Reference: Gao et al., Res2Net: A New Multi-scale Backbone Architecture, TPAMI 2021.
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["RES2NETS", "SCALE", "Res2Net", "Res2NetBlock"]

SCALE = 4  #: groups of a block
WIDTHS = (26, 52, 104, 208)  #: channels of a group, by stage ("26w x 4s")
EXPANSION = 256  #: channels that the first stage gives; each further one doubles them


class Res2NetBlock(nn.Module):
    """Maps ``(N, C, h, w) -> (N, C', h', w')``.

    ``excite`` stands before the groups and ``mix`` before the convolution of each; they do nothing until a network for clips
    puts something there.

    Args:
        inside: C.
        width: channels of a group.
        outside: C'.
        stride: of the groups' convolutions.
        first: whether it is the first block of a stage.
    """

    def __init__(
        self, inside: int, width: int, outside: int, *, stride: int = 1, first: bool = False
    ) -> None:
        super().__init__()
        self.first = first
        self.conv1, self.bn1 = nn.Conv2d(inside, SCALE * width, 1, bias=False), nn.BatchNorm2d(SCALE * width)
        self.excite: nn.Module = nn.Identity()
        self.mix = nn.ModuleList(nn.Identity() for _ in range(SCALE))
        self.convs = nn.ModuleList(
            nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False) for _ in range(SCALE - 1)
        )
        self.bns = nn.ModuleList(nn.BatchNorm2d(width) for _ in range(SCALE - 1))
        self.pool = nn.AvgPool2d(3, stride=stride, padding=1) if first else nn.Identity()
        self.conv3, self.bn3 = nn.Conv2d(SCALE * width, outside, 1, bias=False), nn.BatchNorm2d(outside)
        self.downsample = nn.Sequential()
        if first:
            shortcut = nn.Conv2d(inside, outside, 1, stride=stride, bias=False)
            self.downsample.extend([shortcut, nn.BatchNorm2d(outside)])

    def forward(self, maps: Tensor) -> Tensor:
        inner = self.excite(F.relu(self.bn1(self.conv1(maps))))
        inner = self.bn3(self.conv3(self._chain(inner)))
        return F.relu(inner + self.downsample(maps))

    def _chain(self, inner: Tensor) -> Tensor:
        *groups, last = inner.chunk(SCALE, dim=1)
        given: list[Tensor] = []
        for group, mix, conv, norm in zip(groups, self.mix, self.convs, self.bns, strict=False):
            read = group + given[-1] if given and not self.first else group
            given.append(F.relu(norm(conv(mix(read)))))
        return torch.cat([*given, self.pool(self.mix[-1](last))], dim=1)


class Res2Net(nn.Module):
    """Frames ``(N, 3, H, W)`` -> maps ``(N, 2048, H / 32, W / 32)``.

    Args:
        blocks: blocks of each stage.
    """

    def __init__(self, blocks: Sequence[int]) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False), nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        inside = 64
        for number, (count, width) in enumerate(zip(blocks, WIDTHS, strict=True)):
            outside, stride = EXPANSION << number, 2 if number else 1
            stage = [Res2NetBlock(inside, width, outside, stride=stride, first=True)]
            stage += [Res2NetBlock(outside, width, outside) for _ in range(count - 1)]
            self.add_module(f"layer{number + 1}", nn.Sequential(*stage))
            inside = outside
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, frames: Tensor) -> Tensor:
        maps = self.maxpool(F.relu(self.bn1(self.conv1(frames))))
        for number in range(1, 5):
            maps = self.get_submodule(f"layer{number}")(maps)
        return maps


#: Networks by name; 26 is for a CPU.
RES2NETS: dict[str, Callable[[], Res2Net]] = {
    "res2net50": partial(Res2Net, (3, 4, 6, 3)),
    "res2net26": partial(Res2Net, (2, 2, 2, 2)),
}
