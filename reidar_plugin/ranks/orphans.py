"""A process that is told to end when the one that started it is gone, however that went."""

import ctypes
import signal
import sys

__all__ = ["end_with_parent"]

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def end_with_parent() -> None:
    """Send this process SIGTERM when its parent has ended, killed or not; only Linux can do that, elsewhere it goes on.

    Linux means the thread that started it.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
