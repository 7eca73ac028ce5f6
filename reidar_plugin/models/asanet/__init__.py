"""ASA-Net: attributes show where a person is, and which of them belong to the person."""

from reidar_plugin.models.asanet.model import AsaNet, attribute_columns, build_asanet

__all__ = ["AsaNet", "attribute_columns", "build_asanet"]
