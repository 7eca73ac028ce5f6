"""The error with which a loader ends whose worker is killed."""

import signal
from types import FrameType
from typing import Any

from torch.utils.data import DataLoader

__all__ = ["error_of"]


def error_of(loader: DataLoader[Any]) -> RuntimeError:
    """Read a loader to the error that it ends with, alone.

    Torch raises for a dead worker where its pipe ends, or where its signal comes (SIGCHLD), whichever is first; the
    other may come later, and would be an error in the middle of whatever runs then.
    """
    batches: Any = iter(loader)  # by now torch listens
    answer: Any = signal.getsignal(signal.SIGCHLD)
    reading = True

    def while_reading(number: int, frame: FrameType | None) -> None:
        if reading:
            answer(number, frame)

    signal.signal(signal.SIGCHLD, while_reading)
    try:
        try:
            list(batches)
        finally:
            reading = False
    except RuntimeError as error:
        return error
    finally:
        batches._shutdown_workers()
        signal.signal(signal.SIGCHLD, answer)
    raise AssertionError("no worker died")
