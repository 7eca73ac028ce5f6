"""ASA-Net: identity features enhanced by attributes of the person and of the moment."""

from reidar_plugin.models.asanet.model import AsaNet, attribute_columns, build_asanet

__all__ = ["AsaNet", "attribute_columns", "build_asanet"]
