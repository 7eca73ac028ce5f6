"""Networks of timm as backbones, by name: ``timm_<name>``."""

from reidar_plugin.models.timm_networks.backbone import build_timm

__all__ = ["build_timm"]
