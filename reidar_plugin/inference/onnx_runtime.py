"""onnxruntime in silence: left alone it notes in the home folder what is run, and tells its makers over the network."""

import os
from typing import Any

from reidar_plugin.errors import ReidarError

__all__ = ["load_onnxruntime"]

_SILENCE = "ORT_DISABLE_TELEMETRY"


def load_onnxruntime() -> Any:
    """The module, imported with its telemetry off; what has been noted before is not sent.

    Raises:
        ReidarError: it is not installed.
    """
    os.environ[_SILENCE] = "1"  # it begins while it is imported
    try:
        import onnxruntime
    except ImportError as error:
        raise ReidarError("ONNX files need onnxruntime: pip install 'reidar-plugin[export]'") from error
    onnxruntime.disable_telemetry_events()  # of one that was imported before
    return onnxruntime
