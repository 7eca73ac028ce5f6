"""Smaller ONNX files: numbers in float16, or convolutions in int8.

========= ============================================ ==========================================================
reduction in the file                                  at work
========= ============================================ ==========================================================
half      all float32 numbers as float16               float32: onnxruntime widens them once, when it opens the file
int8      kernels of convolutions as int8, a scale     convolutions in int8; their inputs are rounded to 255 steps of
          each output channel                          a range that 99.999 % of what calibration saw lie in, all else
                                                       is float32
========= ============================================ ==========================================================

int8 kernels use 7 of their 8 bits: without VNNI a CPU adds products of full 8 bits up in 16, which can overflow.
"""

import io
import tempfile
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from reidar_plugin.errors import ReidarError, summary
from reidar_plugin.inference.onnx_judge import OnnxJudge
from reidar_plugin.inference.onnx_runtime import load_onnxruntime

__all__ = ["ReductionError", "halve", "to_int8"]


class ReductionError(ReidarError, ValueError):
    """A file that cannot be made smaller in the way that was asked for."""


def halve(path: Path) -> None:
    """Write all float32 numbers of a file as float16.

    Raises:
        ReductionError: a number is too large for float16.
    """
    import onnx

    model = onnx.load(path)
    graph, casts = model.graph, []
    for tensor in [each for each in graph.initializer if each.data_type == onnx.TensorProto.FLOAT]:
        name, numbers = tensor.name, onnx.numpy_helper.to_array(tensor)
        tensor.CopyFrom(onnx.numpy_helper.from_array(_as_half(name, numbers), f"{name}.half"))
        casts.append(onnx.helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]  # a node stands behind what it reads
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.save(model, path)


def to_int8(path: Path, clips: Sequence[Tensor], judge: OnnxJudge) -> None:
    """Write the convolutions of a file in int8.

    Args:
        path: the file.
        clips: what the ranges of numbers are learnt from, uint8 ``(B, T, H, W, 3)`` each; memory holds all numbers
            inside the network for one of them.
        judge: that runs the file; it knows what else a graph reads.

    Raises:
        ReductionError: there is no convolution, or onnxruntime cannot do it.
    """
    import onnx

    load_onnxruntime()
    from onnxruntime import quantization

    if all(node.op_type != "Conv" for node in onnx.load(path).graph.node):
        raise ReductionError("the graph has no convolution, which alone becomes int8: leave --int8 out")
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()):  # it prints its steps
        prepared = Path(folder) / "prepared.onnx"
        try:
            quantization.quant_pre_process(str(path), str(prepared), skip_symbolic_shape=True)
            quantization.quantize_static(
                str(prepared),
                str(path),
                _Calibration(clips, judge),
                op_types_to_quantize=["Conv"],
                per_channel=True,
                reduce_range=True,
                activation_type=quantization.QuantType.QUInt8,
                weight_type=quantization.QuantType.QInt8,
                calibrate_method=quantization.CalibrationMethod.Percentile,
                extra_options={"CalibStridedMinMax": 1},  # of all methods: one batch after the other
            )
        except (RuntimeError, ValueError, TypeError, LookupError) as error:
            raise ReductionError(f"onnxruntime cannot write this model in int8 ({summary(error)})") from error


class _Calibration:
    """Batches as onnxruntime asks for them: it sets a range, and takes from it until there are no more."""

    def __init__(self, clips: Sequence[Tensor], judge: OnnxJudge) -> None:
        self._clips, self._judge = clips, judge
        self._places = iter(range(len(clips)))

    def __len__(self) -> int:
        return len(self._clips)

    def set_range(self, start_index: int, end_index: int) -> None:
        self._places = iter(range(start_index, end_index))

    def get_next(self) -> dict[str, Any] | None:
        place = next(self._places, None)
        return None if place is None else self._judge.inputs_of(self._clips[place])


def _as_half(name: str, numbers: NDArray[np.float32]) -> NDArray[np.float16]:
    with np.errstate(over="ignore"):
        half = numbers.astype(np.float16)
    if not np.array_equal(np.isfinite(half), np.isfinite(numbers)):
        largest = np.abs(numbers[np.isfinite(numbers)]).max()
        raise ReductionError(f"{name} holds {largest:.3g}, float16 ends at 65504: leave --half out")
    return half
