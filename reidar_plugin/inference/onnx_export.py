"""Writing a trained model to ONNX: from bytes of frames to features, likelihoods and attention, in one graph.

The number of clips and of frames in a clip is free; height and width are the model's. The graph normalises by itself, so
that any program that has onnxruntime and RGB pictures can run it. What the graph cannot say is in its metadata, as JSON.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from reidar_plugin.data.pixel_ops import Normalise
from reidar_plugin.errors import MissingFileError, ReidarError, summary
from reidar_plugin.inference.clip_network import ClipNetwork, TorchJudge
from reidar_plugin.inference.model_card import ModelCard
from reidar_plugin.inference.onnx_judge import (
    CARD_KEY,
    COUNTS,
    FRAMES,
    OUTPUTS,
    OnnxFileError,
    OnnxJudge,
    load_onnx,
)
from reidar_plugin.inference.precision import Precision
from reidar_plugin.inference.prediction import ClipOutputs
from reidar_plugin.inference.trained_model import TrainedModel
from reidar_plugin.io.atomic import explained, replacing
from reidar_plugin.models.action_maps import MapActionNetwork

__all__ = ["OPSET", "ExportError", "Parity", "export_onnx", "largest_difference"]

OPSET = 18

#: Clips and frames at which a file is compared with torch.
SHAPES = ((1, 1), (2, 3), (3, 8), (5, 4))
TOLERANCE = 1e-4


class ExportError(ReidarError, ValueError):
    """A model that cannot be written to ONNX, or whose file says something else than the model."""


class Parity(NamedTuple):
    """How far a file is from the model."""

    difference: (
        float  #: largest, relative to the largest number of that output, or absolute where that is below 1
    )
    shapes: tuple[tuple[int, int], ...]  #: clips and frames at which it was found


class _Graph(nn.Module):
    """:class:`ClipNetwork` whose outputs are a plain tuple."""

    def __init__(self, network: ClipNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, frames: Tensor, counts: Tensor | None = None) -> tuple[Tensor, ...]:
        return tuple(field for field in self.network(frames, counts) if field is not None)


def export_onnx(
    trained: TrainedModel,
    path: str | Path,
    shapes: Sequence[tuple[int, int]] = SHAPES,
    finish: Callable[[Path, OnnxJudge], None] | None = None,
) -> Parity:
    """Write a model to a file; it gets its name only when it says what the model says.

    Args:
        trained: the model.
        path: the file, replaced if it is there.
        shapes: clips and frames at which both are compared.
        finish: called with the file before it gets its name, and with what runs it; may write it anew, or raise.

    Raises:
        MissingFileError: there is no folder for it.
        ExportError: the model cannot be exported, or differs by more than 1e-4.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise MissingFileError(f"{path}: there is no folder {path.parent}; make it first")
    with explained(path, "free space and start again"), replacing(path) as part:
        part.touch()  # a folder that cannot be written is known before the work
        network = ClipNetwork(trained.network, Normalise(trained.card.mean, trained.card.std)).eval()
        program = _program(network, trained.card)
        judge = TorchJudge(network, Precision("float32", torch.device("cpu")))
        black = torch.zeros(1, 1, trained.card.height, trained.card.width, 3, dtype=torch.uint8)
        sized = replace(trained.card, feature_size=judge(black).feature.shape[1])
        program.model.metadata_props[CARD_KEY] = sized.as_json()
        program.save(str(part))
        written = _opened(part, trained.card.model)
        found = largest_difference(judge, written, trained.card, shapes)
        if not found <= TOLERANCE:
            raise ExportError(
                f"{trained.card.model}: the exported graph differs from the model by {found:.2g}, more than {TOLERANCE:g}; "
                "nothing was written"
            )
        if finish is not None:
            finish(part, written)
    return Parity(found, tuple(shapes))


def largest_difference(
    one: Any, other: Any, card: ModelCard, shapes: Sequence[tuple[int, int]] = SHAPES
) -> float:
    """The largest difference of two judges over random clips, some with copies in them; see :class:`Parity`."""
    generator = torch.Generator().manual_seed(0)
    worst = 0.0
    for clips, length in shapes:
        size = (clips, length, card.height, card.width, 3)
        frames = torch.randint(0, 256, size, generator=generator, dtype=torch.uint8)
        frames[0, length // 2] = frames[0, 0]
        worst = max(worst, _difference(one(frames), other(frames)))
    return worst


def _difference(one: ClipOutputs, other: ClipOutputs) -> float:
    pairs = [(a, b) for a, b in zip(one, other, strict=True) if a is not None and b is not None and a.size]
    return float(np.max([np.abs(a - b).max() / max(1.0, np.abs(a).max()) for a, b in pairs]))


def _program(network: ClipNetwork, card: ModelCard) -> Any:
    """The graph of torch's exporter."""
    _check_versions()
    of_maps = isinstance(getattr(network.model, "actions", None), MapActionNetwork)
    free = {0: torch.export.Dim("clips", min=1, max=65536), 1: torch.export.Dim("length", min=1, max=65536)}
    frames = torch.zeros(2, 3, card.height, card.width, 3, dtype=torch.uint8)
    example: tuple[Tensor, ...] = (frames, torch.ones(2, 3, dtype=torch.bool)) if of_maps else (frames,)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # of the exporter, about itself
            program = torch.onnx.export(
                _Graph(network),
                example,
                dynamo=True,
                opset_version=OPSET,
                input_names=[FRAMES, COUNTS][: len(example)],
                output_names=list(OUTPUTS[: 4 if of_maps else 3]),
                dynamic_shapes=(free,) * len(example),
                verbose=False,
            )
    except (torch.onnx.OnnxExporterError, RuntimeError, ValueError, TypeError) as error:
        raise ExportError(f"{card.model} cannot be exported to ONNX ({summary(error)})") from error
    _forget_where_it_was_made(program)
    return program


def _forget_where_it_was_made(program: Any) -> None:
    """Stack traces of the exporter: half of a small file, and paths of this machine."""
    for node in program.model.graph:
        node.metadata_props.clear()
        for value in node.outputs:
            value.metadata_props.clear()


def _opened(path: Path, model: str) -> OnnxJudge:
    """What runs the file that was written."""
    try:
        return load_onnx(path, torch.device("cpu"))[0]
    except OnnxFileError as error:
        why = str(error).removeprefix(str(path)).strip(": ")
        raise ExportError(f"{model} cannot be exported to ONNX: the file {why}") from error


def _check_versions() -> None:
    try:
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ReidarError("export needs onnx and onnxscript: pip install 'reidar-plugin[export]'") from error
    if tuple(int(part) for part in torch.__version__.split(".")[:2]) < (2, 6):
        raise ReidarError(f"export to ONNX needs torch 2.6 or newer, this is {torch.__version__}")
