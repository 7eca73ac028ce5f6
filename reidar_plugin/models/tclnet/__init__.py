"""TCLNet: consecutive frames of a clip are made to show what the one before does not."""

from reidar_plugin.models.tclnet.trunk import complement_frames

__all__ = ["complement_frames"]
