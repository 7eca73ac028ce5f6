"""AP3D: 3D convolutions whose neighbouring frames are aligned before they are mixed."""

from reidar_plugin.models.ap3d.trunk import align_frames

__all__ = ["align_frames"]
