"""VTN: a transformer over the frames of a clip, behind a network of single frames."""

from reidar_plugin.models.vtn.trunk import encode_clips

__all__ = ["encode_clips"]
