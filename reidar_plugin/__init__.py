"""Joint person re-identification and action recognition in video, inside torchreid.

    >>> import reidar_plugin, torchreid
    >>> reidar_plugin.enable()          # torchreid now knows our models and datasets
    reidar_plugin ... enabled on torchreid ...
    >>> model = torchreid.models.build_model("reidar_osnet_x0_25", num_classes=625, loss="reidar", pretrained=False)

Importing this package imports nothing else and changes nothing.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn
    from yacs.config import CfgNode

__version__ = "0.1.0"

__all__ = ["add_reidar_config", "disable", "enable", "register_model"]


def enable(cfg: "CfgNode | None" = None) -> None:
    """Make the plugin's models and datasets known to torchreid; see :func:`reidar_plugin.plugin.registration.enable`."""
    from reidar_plugin.plugin import registration

    registration.enable(cfg)


def disable() -> None:
    """Leave torchreid as it was before :func:`enable`."""
    from reidar_plugin.plugin import registration

    registration.disable()


def register_model(name: str, builder: "Callable[..., nn.Module]") -> None:
    """Add a model of your own to torchreid's table; see :func:`reidar_plugin.plugin.registration.register_model`."""
    from reidar_plugin.plugin import registration

    registration.register_model(name, builder)


def add_reidar_config(cfg: "CfgNode") -> "CfgNode":
    """Declare the ``reidar`` node in a host config, in place; see :func:`reidar_plugin.config.add_reidar_config`."""
    from reidar_plugin import config

    return config.add_reidar_config(cfg)
