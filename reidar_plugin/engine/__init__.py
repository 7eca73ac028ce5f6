"""Training and testing: steps, checkpoints, going on, judging."""
