"""Attribute salient region enhancement (ASRE): identity maps are amplified in the regions of attributes."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reidar_plugin.errors import ConfigError

__all__ = ["MASKS", "SalientMaps", "SalientRegions"]

#: Values of the config key ``reidar.model.asanet.mask``.
MASKS = ("linear", "sigmoid")


class SalientMaps(NamedTuple):
    """Output of :class:`SalientRegions` for N frames."""

    maps: Tensor  #: enhanced identity maps ``(N, I, h, w)``
    mask: Tensor  #: mask ``(N, h, w)``


class SalientRegions(nn.Module):
    r"""Cross attention of identity maps ``(N, I, h, w)`` over attribute maps ``(N, A, h, w)``, reduced to a mask.

    .. math::
        R = \mathrm{softmax}\Bigl(\frac{\sigma(F_Q X_I)^\top \sigma(F_K X_A)}{\sqrt{d}}\Bigr) (F_V X_A)^\top,
        \qquad M = F_{mask}(\mathrm{BN}(R)), \qquad X = X_I + \alpha\, M \odot X_I

    All :math:`F` are 1 x 1 convolutions and :math:`\sigma` is the ReLU. The queries are the pixels of the identity
    map, keys and values the pixels of the attribute map, over which the softmax runs. :math:`\alpha` is learned.

    Reference: Chai et al., Video Person Re-identification using Attribute-enhanced Features (ASA-Net), eq. 8
    to 10. The paper does not define d; it is I here. It gives no bound for the mask, so the mask is unbounded
    unless ``mask="sigmoid"``.

    Args:
        identity_channels: number I of channels of the identity maps.
        attribute_channels: number A of channels of the attribute maps.
        mask: ``linear`` (unbounded, as in the paper) or ``sigmoid`` (bounded to 0..1).

    Example:
        >>> salient = SalientRegions(identity_channels=4, attribute_channels=6)
        >>> maps, mask = salient(torch.randn(2, 4, 8, 4), torch.randn(2, 6, 8, 4))
        >>> maps.shape, mask.shape
        (torch.Size([2, 4, 8, 4]), torch.Size([2, 8, 4]))
    """

    def __init__(self, identity_channels: int, attribute_channels: int, mask: str = "linear") -> None:
        super().__init__()
        if mask not in MASKS:
            raise ConfigError(f"unknown mask {mask!r}; choose one of {', '.join(MASKS)}")
        self.query = nn.Conv2d(identity_channels, identity_channels, kernel_size=1)
        self.key = nn.Conv2d(attribute_channels, identity_channels, kernel_size=1)
        self.value = nn.Conv2d(attribute_channels, identity_channels, kernel_size=1)
        self.norm = nn.BatchNorm2d(identity_channels)
        self.mask = nn.Conv2d(identity_channels, 1, kernel_size=1)
        self.bound = nn.Sigmoid() if mask == "sigmoid" else nn.Identity()
        self.alpha = nn.Parameter(torch.tensor(1.0))

    def forward(self, identity: Tensor, attribute: Tensor) -> SalientMaps:
        query, key = F.relu(self.query(identity)), F.relu(self.key(attribute))
        value = self.value(attribute)
        response = F.scaled_dot_product_attention(_pixels(query), _pixels(key), _pixels(value))
        response = response.transpose(1, 2).unflatten(2, identity.shape[2:])  # (N, I, h, w)
        mask = self.bound(self.mask(self.norm(response)))  # (N, 1, h, w)
        return SalientMaps(identity + self.alpha * mask * identity, mask.squeeze(1))


def _pixels(maps: Tensor) -> Tensor:
    """Maps as a sequence of pixels: ``(N, C, h, w) -> (N, h w, C)``."""
    return maps.flatten(2).transpose(1, 2)
