"""Versions that tests depend on: what an older one cannot do is a condition with a reason, not a failure."""

from importlib.util import find_spec

import pytest
import torch

#: Major and minor version of torch.
TORCH = tuple(int(part) for part in torch.__version__.split(".")[:2])


def need(*modules: str) -> pytest.MarkDecorator:
    """A mark: skipped where one of these top-level modules is missing; none of them is imported for the question.

    Every process of the tests reads every test file, and few of them run its tests.
    """
    missing = [name for name in modules if find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")
