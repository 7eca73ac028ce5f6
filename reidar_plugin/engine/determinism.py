"""The same bits at every run on a GPU: which of torch's switches that takes, for as long as a run lasts."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["repeatable"]

_CUBLAS = (
    "CUBLAS_WORKSPACE_CONFIG",
    ":4096:8",
)  # read when the first matrix product of a process reaches a GPU


@contextmanager
def repeatable(use_gpu: bool, deterministic: bool) -> Iterator[None]:
    """Set torch's switches for a run, and set them back after it.

    Without ``deterministic`` cuDNN tries its kernels and takes the fastest one, which may differ from run to run, as may
    the order of sums. With it every operation that has a deterministic kernel takes it, and torch warns once of each
    that has none.

    Args:
        use_gpu: whether the run is on a GPU.
        deterministic: ``reidar.train.deterministic``.
    """
    cudnn = torch.backends.cudnn
    before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    tried, fixed = cudnn.benchmark, cudnn.deterministic
    cudnn.benchmark = use_gpu and not deterministic
    if deterministic:
        os.environ.setdefault(*_CUBLAS)
        torch.use_deterministic_algorithms(True, warn_only=True)
        cudnn.deterministic = True
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        cudnn.benchmark, cudnn.deterministic = tried, fixed
