"""A process that is told to end when the one that started it is gone, however that went."""

import ctypes
import os
import signal
import sys

__all__ = ["end_with_parent"]

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def end_with_parent(parent: int) -> None:
    """Send this process SIGTERM when its parent has ended, killed or not; only Linux can do that, elsewhere it goes on.

    Linux means the thread that started it.

    Args:
        parent: number of the process that started this one, which may have ended before this could be asked for.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            signal.raise_signal(signal.SIGTERM)
