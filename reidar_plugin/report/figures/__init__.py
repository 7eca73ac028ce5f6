"""Pictures of a test and of a training."""
