"""Joint person re-identification and action recognition in video, inside torchreid."""

__version__ = "0.1.0"
