"""Data sets, clips, decoding, augmentation and samplers: everything from files to batches."""
