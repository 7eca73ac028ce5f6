"""Reading what ``torch.save`` wrote, without running what is in it."""

import contextlib
import os
import pickle
import re
import textwrap
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from reidar_plugin.errors import ReidarError

__all__ = ["CodeInFileError", "DamagedFileError", "PlainFileError", "load_plain", "only_plain"]


class PlainFileError(ReidarError, ValueError):
    """A file that does not give tensors and plain values."""


class DamagedFileError(PlainFileError):
    """It is cut short, damaged, or not of ``torch.save``."""


class CodeInFileError(PlainFileError):
    """It holds something that only running code could bring back."""


def load_plain(path: str | Path) -> Any:
    """Read a file, of today's format or of the one before torch 1.6, to the CPU; nothing in it is run.

    Args:
        path: holds tensors, plain values and numpy's numbers.

    Raises:
        DamagedFileError: it cannot be read.
        CodeInFileError: it holds anything else.
    """
    try:
        with _numpy_numbers_allowed():
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL (\S+)", str(error))
        if found is None and not zipfile.is_zipfile(path):
            raise DamagedFileError(_damaged(path, error)) from error
        what = found[1] if found else "an unknown object"
        raise CodeInFileError(
            f"{path} holds {what}, which only running code could bring back: refused; "
            "save tensors and plain values alone, such as the state dict"
        ) from error
    except (
        OSError,
        EOFError,
        RuntimeError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        AssertionError,
    ) as error:  # what torch's reader makes of bytes that are none of its own
        raise DamagedFileError(_damaged(path, error)) from error


def _numpy_numbers_allowed() -> contextlib.AbstractContextManager[Any]:
    """Let ``torch.load`` rebuild numpy scalars, which older checkpoints of the host hold; still no pickled code."""
    if not hasattr(torch.serialization, "safe_globals"):  # torch 2.4 refuses them whatever it is told
        return contextlib.nullcontext()
    scalar = np.float32(0).__reduce__()[0]
    dtypes = [type(np.dtype(code)) for code in ("f4", "f8", "i4", "i8", "?")]
    # files written with numpy 1 name the function by its old module
    old_name = (scalar, "numpy.core.multiarray.scalar")
    return torch.serialization.safe_globals([scalar, old_name, np.dtype, *dtypes])


@contextlib.contextmanager
def only_plain() -> Iterator[None]:
    """Within, ``torch.load`` runs nothing that is in a file, also before torch 2.6, where it did unless told not to."""
    key = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
    before = os.environ.get(key)
    os.environ[key] = "1"
    try:
        with _numpy_numbers_allowed():
            yield
    finally:
        if before is None:
            del os.environ[key]
        else:
            os.environ[key] = before


def _damaged(path: str | Path, error: Exception) -> str:
    sentence = textwrap.shorten(str(error).partition(". ")[0], 120, placeholder=" ...")
    reason = f"{type(error).__name__}: {sentence}" if sentence else type(error).__name__
    return (
        f"{path} cannot be read ({reason}): it is cut short, or no file of torch.save; fetch or save it again"
    )
