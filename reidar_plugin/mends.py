"""Former import path of :mod:`reidar_plugin.plugin.host_patches`."""

from reidar_plugin.plugin.host_patches import prepare_worker

__all__ = ["prepare_worker"]
