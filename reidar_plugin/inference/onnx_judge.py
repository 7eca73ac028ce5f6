"""A model in an ONNX file of ours, run by onnxruntime (extra ``export``)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reidar_plugin.errors import InputError, MissingFileError, summary
from reidar_plugin.inference.model_card import ModelCard
from reidar_plugin.inference.onnx_check import OnnxFileError, check_graph
from reidar_plugin.inference.onnx_runtime import load_onnxruntime
from reidar_plugin.inference.prediction import ClipOutputs
from reidar_plugin.models.action_maps import first_seen

__all__ = ["CARD_KEY", "COUNTS", "FRAMES", "OUTPUTS", "OnnxFileError", "OnnxJudge", "load_onnx"]

#: Key of a file's metadata that holds its card.
CARD_KEY = "reidar_plugin"

FRAMES = "frames"  #: input: uint8 ``(B, T, H, W, 3)``, RGB
COUNTS = "counts"  #: input of a model whose actions read maps: bool ``(B, T)``, frames that are no copies
OUTPUTS = ("feature", "actions", "attention", "action_attention")  #: as in ``ClipOutputs``


class OnnxJudge:
    """A ``ClipJudge`` that runs a session of onnxruntime, which any number of threads may call.

    Args:
        session: of a file that :mod:`~reidar_plugin.inference.onnx_export` wrote.
        source: the file, for messages.
    """

    def __init__(self, session: Any, source: str) -> None:
        self.session, self.source = session, source
        self.inputs = {each.name for each in session.get_inputs()}
        self.outputs = [each.name for each in session.get_outputs()]

    def __call__(self, frames: Tensor) -> ClipOutputs:
        with _refused(self.source):
            said = self.session.run(self.outputs, self.inputs_of(frames))
        outputs = ClipOutputs(**dict(zip(self.outputs, said, strict=True)))
        clips, length = frames.shape[:2]
        shapes = [each.shape for each in outputs if each is not None]
        right = [
            (clips, *shapes[0][1:2]),
            (clips, *shapes[1][1:2]),
            (clips, length),
            (clips, *shapes[1][1:2], length),
        ]
        if shapes != right[: len(shapes)] or len(shapes[0]) != 2:
            raise OnnxFileError(
                f"{self.source} gives outputs of shapes {shapes}, expected {right}; export it again"
            )
        if not all(np.isfinite(each).all() for each in outputs if each is not None):
            raise OnnxFileError(
                f"{self.source} gives NaN or infinity: its numbers are damaged; export it again"
            )
        return outputs

    def inputs_of(self, frames: Tensor) -> dict[str, NDArray[Any]]:
        """What the graph reads of clips uint8 ``(B, T, H, W, 3)``, by name."""
        given = {FRAMES: frames.numpy()}
        if COUNTS in self.inputs:
            given[COUNTS] = first_seen(frames).numpy()
        return given


def load_onnx(path: str | Path, device: torch.device) -> tuple[OnnxJudge, ModelCard]:
    """Open a file of ours.

    Args:
        path: the file.
        device: ``cpu``, or ``cuda`` with onnxruntime-gpu.

    Raises:
        OnnxFileError: it is no ONNX file, not one of ours, holds what no export writes, or is made for a newer onnxruntime.
    """
    if not Path(path).is_file():
        raise MissingFileError(f"no file of a model at {path}; name one that tools/export.py wrote")
    check_graph(path)
    session = _open(path, device)
    with _refused(path):
        text = session.get_modelmeta().custom_metadata_map.get(CARD_KEY)
    if text is None:
        raise OnnxFileError(
            f"{path} does not say how frames are prepared for it: it has no metadata {CARD_KEY!r}; "
            "export the checkpoint with tools/export.py"
        )
    card = ModelCard.from_json(text, str(path))
    judge = OnnxJudge(session, str(path))
    _check_ends(session, card, path)
    return judge, card


def _check_ends(session: Any, card: ModelCard, path: str | Path) -> None:
    """Whether the graph reads and gives what this version writes, frames in the size of its card."""
    with _refused(path):
        read = {each.name: (each.type, each.shape) for each in session.get_inputs()}
        given = [(each.name, each.type, len(each.shape)) for each in session.get_outputs()]
    right = [(name, "tensor(float)", rank) for name, rank in zip(OUTPUTS, (2, 2, 2, 3), strict=True)]
    kind, size = read.pop(FRAMES, ("", []))
    if read.keys() > {COUNTS} or given not in (right[:3], right) or kind != "tensor(uint8)":
        raise OnnxFileError(f"{path} has other inputs or outputs than this version writes; export it again")
    if size[2:] != [card.height, card.width, 3] or len(size) != 5:
        raise OnnxFileError(
            f"{path} reads frames of {size}, its card says (B, T, {card.height}, {card.width}, 3); export it again"
        )


def _open(path: str | Path, device: torch.device) -> Any:
    onnxruntime = load_onnxruntime()
    provider = "CPUExecutionProvider" if device.type == "cpu" else f"{device.type.upper()}ExecutionProvider"
    if provider not in onnxruntime.get_available_providers():
        raise InputError(f"this onnxruntime cannot run on {device}: it has no {provider}; take device 'cpu'")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 4  # errors are raised, and need not be printed too
    with _refused(path):
        return onnxruntime.InferenceSession(str(path), options, providers=[provider])


@contextmanager
def _refused(path: str | Path) -> Iterator[None]:
    """Errors of onnxruntime, whose classes have no base of their own, and of names in a file that are no UTF-8."""
    onnxruntime = load_onnxruntime()
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    found = [kind for kind in vars(state).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    kinds: tuple[type[Exception], ...] = (UnicodeDecodeError, *found)
    try:
        yield
    except kinds as error:
        raise OnnxFileError(
            f"{path} cannot be run by onnxruntime {onnxruntime.__version__} ({summary(error)}): it is no ONNX file, is "
            "damaged, or was made for a newer one"
        ) from error
