"""Attribute salient region enhancement (ASRE): where the attributes are seen, the identity map counts more."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reidar_plugin.errors import ConfigError

__all__ = ["MASKS", "SalientMaps", "SalientRegions"]

#: What ``reidar.model.asanet.mask`` may be.
MASKS = ("linear", "sigmoid")


class SalientMaps(NamedTuple):
    """What the module makes of the maps of N frames."""

    maps: Tensor  #: ``(N, I, h, w)``, the enhanced identity maps
    mask: Tensor  #: ``(N, h, w)``


class SalientRegions(nn.Module):
    r"""Cross attention of identity maps ``(N, I, h, w)`` over attribute maps ``(N, A, h, w)``, folded to a mask.

    .. math::
        R = \mathrm{softmax}\Bigl(\frac{\sigma(F_Q X_I)^\top \sigma(F_K X_A)}{\sqrt{d}}\Bigr) (F_V X_A)^\top,
        \qquad M = F_{mask}(\mathrm{BN}(R)), \qquad X = X_I + \alpha\, M \odot X_I

    All :math:`F` are 1 x 1 convolutions, :math:`\sigma` is the ReLU; every pixel of the identity map asks all
    pixels of the attribute map, and the softmax runs over those. :math:`\alpha` is learned.

    Reference: Chai et al., Video Person Re-identification using Attribute-enhanced Features (ASA-Net), eq. 8
    to 10. The paper gives no d; it is I here. It prints no bound on the mask, so that it has none, unless
    ``mask="sigmoid"``.

    Args:
        identity_channels: I.
        attribute_channels: A.
        mask: ``linear``, as printed, or ``sigmoid``, in 0..1.
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
        response = F.scaled_dot_product_attention(_as_words(query), _as_words(key), _as_words(value))
        response = response.transpose(1, 2).unflatten(2, identity.shape[2:])  # (N, I, h, w)
        mask = self.bound(self.mask(self.norm(response)))  # (N, 1, h, w)
        return SalientMaps(identity + self.alpha * mask * identity, mask.squeeze(1))


def _as_words(maps: Tensor) -> Tensor:
    """``(N, C, h, w) -> (N, h w, C)``: a pixel is a word, as attention wants it."""
    return maps.flatten(2).transpose(1, 2)
