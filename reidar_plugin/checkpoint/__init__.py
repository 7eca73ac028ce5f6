"""Checkpoints: what is in them, which one a run goes on from, and which is the best."""
