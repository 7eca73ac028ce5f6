"""What stands in an ONNX file, looked at before onnxruntime obeys it: an ONNX file is a program.

Read are the bytes themselves, in the wire format of Protocol Buffers, for running a file needs no package ``onnx``. Refused
is what no export writes and what costs out of all proportion to the file: calls of functions (each is unfolded anew), graphs
in graphs (``Loop`` turns as often as a number says), numbers that are not written down one by one, operators
that nobody wrote here, and shapes of gigabytes that stand there as plain numbers. What a graph computes by itself, such
as a shape from two smaller numbers, is not followed.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from reidar_plugin.errors import ReidarError, shown
from reidar_plugin.io.atomic import explained
from reidar_plugin.io.ordinary import content_of
from reidar_plugin.io.wire import Field, WireReader, last_text, whole_numbers

__all__ = ["OnnxFileError", "check_graph"]

_NAMES = """
Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh Attention AveragePool BatchNormalization BitShift BitwiseAnd
BitwiseNot BitwiseOr BitwiseXor BlackmanWindow Cast CastLike Ceil Celu Clip Col2Im Compress Concat ConcatFromSequence
Constant ConstantOfShape Conv ConvInteger ConvTranspose Cos Cosh CumSum DFT DepthToSpace DequantizeLinear Det Div Dropout
DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor GRU Gather GatherElements GatherND Gelu Gemm
GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual GridSample GroupNormalization HammingWindow HannWindow HardSigmoid
HardSwish Hardmax Identity InstanceNormalization IsInf IsNaN LRN LSTM LayerNormalization LeakyRelu Less LessOrEqual Log
LogSoftmax LpNormalization LpPool MatMul MatMulInteger Max MaxPool MaxRoiPool MeanVarianceNormalization Min Mish Mod Mul
Neg NonMaxSuppression NonZero Not OneHot Or PRelu Pad Pow QLinearConv QLinearMatMul QuantizeLinear RMSNormalization RNN
Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum
ReduceSumSquare Relu Reshape Resize ReverseSequence RoiAlign Round STFT ScatterElements ScatterND Selu SequenceAt
SequenceConstruct SequenceEmpty SequenceInsert SequenceLength Shape Shrink Sigmoid Sign Sin Sinh Size Slice Softmax
Softplus Softsign SpaceToDepth Split SplitToSequence Sqrt Squeeze Sub Sum Tan Tanh ThresholdedRelu Tile TopK Transpose
Trilu Unique Unsqueeze Where Xor
"""

#: What torch's exporter can write, with what onnxscript and onnxruntime make of it: no graphs in graphs, nothing random.
OPERATORS = frozenset(_NAMES.split())

#: Of operators; all others are of functions, which an exporter may leave behind, and of which none may be called.
_PLAIN_DOMAINS = (b"", b"ai.onnx")

#: Inputs of operators whose numbers are a shape, or are multiplied with one.
_SIZES = {
    "BlackmanWindow": (0,),
    "Col2Im": (0,),
    "ConstantOfShape": (0,),
    "DFT": (1,),
    "Expand": (1,),
    "HammingWindow": (0,),
    "HannWindow": (0,),
    "OneHot": (1,),
    "Pad": (1,),
    "Range": (0, 1, 2),
    "Resize": (2, 3),
    "Tile": (1,),
}
#: The same of attributes; of a picture's side alone, its square counts.
_SIZES_WITHIN = {b"dilations", b"output_padding", b"output_shape", b"pads", b"pooled_shape", b"strides"}
_SIDES_WITHIN = {b"output_height", b"output_width"}

#: Numbers that a shape may promise, or times that it may be multiplied: 128 MB of float32.
MOST = 2**25

_ENOUGH = 256  # numbers of a shape: no tensor of onnxruntime has as many dimensions
_PARTS = 2**20  # of a file; a transformer of 12 blocks has 22,000
_KINDS = {1: "f4", 6: "i4", 7: "i8", 11: "f8"}  # of TensorProto.DataType


class OnnxFileError(ReidarError, ValueError):
    """An ONNX file that cannot be used."""


def check_graph(path: str | Path) -> None:
    """Refuse a file that no export writes, before it is run.

    Raises:
        OnnxFileError: it is no ONNX file, or holds what is refused.
        UnwritableFileError: it cannot be read.
    """
    with explained(Path(path), "choose another file"):
        data = memoryview(content_of(path))
    try:
        found = next(_Model(data).refused(), None)
    except ValueError as error:
        raise OnnxFileError(
            f"{path}: it is no ONNX file, or is damaged ({error}); export it again"
        ) from error
    if found is not None:
        raise OnnxFileError(f"{path} has {found}; export the checkpoint with tools/export.py")


class _Model:
    """A file, of which only so many parts are looked at; numbers of fields are those of onnx.proto."""

    def __init__(self, data: memoryview) -> None:
        self.data, self.read = data, WireReader(_PARTS)

    def refused(self) -> Iterator[str]:
        """What it has that is refused."""
        functions = (field.data for field in self.read.fields(self.data) if field.number == 25)
        if any(last_text(self.read.few(each), 10) in _PLAIN_DOMAINS for each in functions):
            yield "a function in the place of an operator, which no export writes"
        sizes: dict[bytes, set[str]] = {}
        for field in self._graph():
            if field.number == 1:
                yield from self._refused_of_node(self.read.few(field.data), sizes)
            elif field.number == 15:
                yield "numbers that are left out, which no export writes"
        for name, numbers in self._constants(sizes):
            for kind in sizes[name]:
                if not _growth(numbers, kind == "Pad") <= MOST:
                    yield f"a shape for its operator {shown(kind)} that promises gigabytes"

    def _refused_of_node(self, node: list[Field], sizes: dict[bytes, set[str]]) -> Iterator[str]:
        """The same of a node; ``sizes`` learns the names of what is read as a shape, and by which operators."""
        kind, domain = (last_text(node, number).decode("utf-8", "replace") for number in (4, 7))
        if kind not in OPERATORS or domain.encode() not in _PLAIN_DOMAINS:
            yield f"an operator {shown(kind)}{f' of {shown(domain)}' if domain else ''}, which no export writes"
        inputs = [field.data for field in node if field.number == 1]
        for place in _SIZES.get(kind, ()):
            if place < len(inputs):
                sizes.setdefault(bytes(inputs[place]), set()).add(kind)
        for attribute in (self.read.few(field.data) for field in node if field.number == 5):
            if any(field.number in (6, 11) for field in attribute):
                yield f"a graph in its operator {shown(kind)}, which no export writes"
            if any(field.number in (22, 23) for field in attribute):
                yield "numbers that are left out, which no export writes"
            name = last_text(attribute, 1)
            numbers = whole_numbers(attribute, 8, _ENOUGH) if name in _SIZES_WITHIN else []
            side = whole_numbers(attribute, 3, 1) if name in _SIDES_WITHIN else []
            if not _growth([*numbers, *side, *side], name == b"pads") <= MOST:
                yield f"{name.decode()} of its operator {shown(kind)} that promise gigabytes"

    def _constants(self, names: Collection[bytes]) -> Iterator[tuple[bytes, Sequence[float]]]:
        """Those of these names, and their first numbers."""
        for field in self._graph():
            if field.number == 5:
                tensor = self.read.few(field.data)
                if (name := last_text(tensor, 8)) in names:
                    yield name, _numbers(tensor)
            elif field.number == 1:
                node = self.read.few(field.data)
                if (name := last_text(node, 2)) in names:
                    for attribute in (self.read.few(part.data) for part in node if part.number == 5):
                        for part in (part for part in attribute if part.number == 5):
                            yield name, _numbers(self.read.few(part.data))
                        yield name, whole_numbers(attribute, 3, _ENOUGH)
                        yield name, whole_numbers(attribute, 8, _ENOUGH)
                        yield name, _plain(attribute, {2: "f4", 7: "f4"})

    def _graph(self) -> Iterator[Field]:
        """The fields of its graph; one that comes in parts is one."""
        parts = (field.data for field in self.read.fields(self.data) if field.number == 7)
        return (field for part in parts for field in self.read.fields(part))


def _growth(numbers: Sequence[float], pads: bool = False) -> float:
    """How many numbers they promise, or how much larger they make a tensor; of pads, both ends of an axis add up."""
    if pads:
        half = len(numbers) // 2
        ends = zip(numbers[:half], numbers[half:], strict=False)
        return math.prod(1 + abs(begin) + abs(end) for begin, end in ends)
    sizes = (abs(number) for number in numbers if number)
    return math.prod(max(size, 1 / size) for size in sizes)  # a small step makes many


def _numbers(tensor: list[Field]) -> list[float]:
    """The first numbers of a tensor, of the kinds that shapes and steps have."""
    kind = _KINDS.get(next((field.value for field in reversed(tensor) if field.number == 2), 0))
    if kind is None:
        return []
    whole = (*whole_numbers(tensor, 5, _ENOUGH), *whole_numbers(tensor, 7, _ENOUGH))
    return [*whole, *_plain(tensor, {4: "f4", 9: kind, 10: "f8"})]


def _plain(fields: list[Field], kinds: Mapping[int, str]) -> list[float]:
    """Numbers of fields that hold them as they lie in memory."""
    found: list[float] = []
    for field in (field for field in fields if field.number in kinds):
        kind = np.dtype(f"<{kinds[field.number]}")
        held = min(len(field.data) // kind.itemsize, _ENOUGH)
        found += np.frombuffer(field.data, kind, held).tolist() if held else []
    return found
