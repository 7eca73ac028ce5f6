"""Versions that tests depend on: what an older one cannot do is a condition with a reason, not a failure."""

import torch

#: Major and minor version of torch.
TORCH = tuple(int(part) for part in torch.__version__.split(".")[:2])
