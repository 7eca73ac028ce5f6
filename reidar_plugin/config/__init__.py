"""Configs: the plugin's node in the toolbox's config, and how config files are read."""

from reidar_plugin.config.node import JOINT, add_reidar_config, reidar_node

__all__ = ["JOINT", "add_reidar_config", "reidar_node"]
