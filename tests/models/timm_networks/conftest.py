"""timm's small networks for every test beside this file."""

from tests.models.timm_networks.small import small_networks

__all__ = ["small_networks"]
