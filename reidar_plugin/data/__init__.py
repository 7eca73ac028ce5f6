"""From files to batches: data sets, clips, reading, augmentation, samplers."""
