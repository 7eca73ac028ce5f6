"""What stands in an ONNX file, looked at before onnxruntime obeys it: an ONNX file is a program.

Read are the bytes themselves, in the wire format of Protocol Buffers, for running a file needs no package ``onnx``. Refused
is what no export writes and what costs out of all proportion to the file: functions (which are unfolded, each call anew),
graphs in graphs (``Loop`` turns as often as a number says), numbers that are not written down one by one, operators
that nobody wrote here, and shapes of gigabytes that stand there as plain numbers. What a graph computes by itself, such
as a shape from two smaller numbers, is not followed.
"""

import math
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from reidar_plugin.errors import ReidarError, shown
from reidar_plugin.io.atomic import explained
from reidar_plugin.io.ordinary import content_of

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
_MANY = 2**16  # fields of a node or a small tensor
_KINDS = {1: "f4", 6: "i4", 7: "i8", 11: "f8"}  # of TensorProto.DataType


class OnnxFileError(ReidarError, ValueError):
    """An ONNX file that cannot be used."""


class _Field(NamedTuple):
    """Of a message: its number, and its value where it is a whole number, or the bytes of any other."""

    number: int
    value: int
    data: memoryview


def check_graph(path: str | Path) -> None:
    """Refuse a file that no export writes, before it is run.

    Raises:
        OnnxFileError: it is no ONNX file, or holds what is refused.
        UnwritableFileError: it cannot be read.
    """
    with explained(Path(path), "choose another file"):
        data = memoryview(content_of(path))
    try:
        found = next(_refused(data), None)
    except ValueError as error:
        raise OnnxFileError(
            f"{path}: it is no ONNX file, or is damaged ({error}); export it again"
        ) from error
    if found is not None:
        raise OnnxFileError(f"{path} has {found}; export the checkpoint with tools/export.py")


def _refused(model: memoryview) -> Iterator[str]:
    """What a model has that is refused."""
    if any(field.number == 25 for field in _fields(model)):
        yield "functions, which no export writes"
    sizes: dict[bytes, set[str]] = {}
    for field in _of_graph(model):
        if field.number == 1:
            yield from _refused_of_node(field.data, sizes)
        elif field.number == 15:
            yield "numbers that are left out, which no export writes"
    for name, numbers in _constants(model, sizes):
        for kind in sizes[name]:
            if not _growth(numbers, kind == "Pad") <= MOST:
                yield f"a shape for its operator {shown(kind)} that promises gigabytes"


def _refused_of_node(node: memoryview, sizes: dict[bytes, set[str]]) -> Iterator[str]:
    """The same of a node; ``sizes`` learns the names of what is read as a shape, and by which operators."""
    fields = _few(node)
    kind, domain = (_text(fields, number).decode("utf-8", "replace") for number in (4, 7))
    if kind not in OPERATORS or domain not in ("", "ai.onnx"):
        yield f"an operator {shown(kind)}{f' of {shown(domain)}' if domain else ''}, which no export writes"
    inputs = [field.data for field in fields if field.number == 1]
    for place in _SIZES.get(kind, ()):
        if place < len(inputs):
            sizes.setdefault(bytes(inputs[place]), set()).add(kind)
    for attribute in (_few(field.data) for field in fields if field.number == 5):
        if any(field.number in (6, 11) for field in attribute):
            yield f"a graph in its operator {shown(kind)}, which no export writes"
        if any(field.number in (22, 23) for field in attribute):
            yield "numbers that are left out, which no export writes"
        name = _text(attribute, 1)
        numbers = _whole(attribute, 8) if name in _SIZES_WITHIN else []
        side = _whole(attribute, 3) if name in _SIDES_WITHIN else []
        if not _growth([*numbers, *side, *side], name == b"pads") <= MOST:
            yield f"{name.decode()} of its operator {shown(kind)} that promise gigabytes"


def _constants(model: memoryview, names: Collection[bytes]) -> Iterator[tuple[bytes, list[float]]]:
    """Those of these names, and their first numbers."""
    for field in _of_graph(model):
        if field.number == 5:
            tensor = _few(field.data)
            if (name := _text(tensor, 8)) in names:
                yield name, _numbers(tensor)
        elif field.number == 1:
            node = _few(field.data)
            if (name := _text(node, 2)) in names:
                for attribute in (_few(part.data) for part in node if part.number == 5):
                    yield from ((name, _numbers(_few(part.data))) for part in attribute if part.number == 5)
                    yield name, _whole(attribute, 3)
                    yield name, _whole(attribute, 8)
                    yield name, _plain(attribute, {2: "f4", 7: "f4"})


def _of_graph(model: memoryview) -> Iterator[_Field]:
    """The fields of its graph; one that comes in parts is one."""
    return (field for part in _fields(model) if part.number == 7 for field in _fields(part.data))


def _growth(numbers: list[float], pads: bool = False) -> float:
    """How many numbers they promise, or how much larger they make a tensor; of pads, both ends of an axis add up."""
    if pads:
        half = len(numbers) // 2
        ends = zip(numbers[:half], numbers[half:], strict=False)
        return math.prod(1 + abs(begin) + abs(end) for begin, end in ends)
    return math.prod(
        max(abs(number), 1 / abs(number)) for number in numbers if number
    )  # a small step makes many


def _text(fields: list[_Field], number: int) -> bytes:
    """A text, of which the last one counts."""
    return next((bytes(field.data) for field in reversed(fields) if field.number == number), b"")


def _numbers(tensor: list[_Field]) -> list[float]:
    """The first numbers of a tensor, of the kinds that shapes and steps have."""
    kind = _KINDS.get(next((each.value for each in tensor if each.number == 2), 0))
    if kind is None:
        return []
    return [*_whole(tensor, 5), *_whole(tensor, 7), *_plain(tensor, {4: "f4", 9: kind, 10: "f8"})]


def _whole(fields: list[_Field], number: int) -> list[float]:
    """Whole numbers of a field, one by one or packed."""
    found: list[float] = []
    for field in (field for field in fields if field.number == number):
        place = 0
        if not field.data:
            found.append(_signed(field.value))
        while place < len(field.data) and len(found) < _ENOUGH:
            value, place = _varint(field.data, place)
            found.append(_signed(value))
    return found


def _plain(fields: list[_Field], kinds: Mapping[int, str]) -> list[float]:
    """Numbers of fields that hold them as they lie in memory."""
    found: list[float] = []
    for field in (field for field in fields if field.number in kinds):
        kind = np.dtype(f"<{kinds[field.number]}")
        held = min(len(field.data) // kind.itemsize, _ENOUGH)
        found += np.frombuffer(field.data, kind, held).tolist() if held else []
    return found


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value


def _few(message: memoryview) -> list[_Field]:
    """The fields of a message that has not very many: as objects they take a hundred times what they take in the file."""
    found = list(islice(_fields(message), _MANY + 1))
    if len(found) > _MANY:
        raise ValueError(f"a node or a tensor of more than {_MANY:,} parts")
    return found


def _fields(message: memoryview) -> Iterator[_Field]:
    """The fields of a message, in order."""
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        kind, value, size = tag & 7, 0, 0
        if kind == 0:
            value, place = _varint(message, place)
        elif kind == 2:
            size, place = _varint(message, place)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError(f"no field is of the kind {kind}")
        if not 0 < tag >> 3 < 2**29 or place + size > len(message):
            raise ValueError("it ends in the midst of a field")
        yield _Field(tag >> 3, value, message[place : place + size])
        place += size


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    """A whole number, seven bits a byte, and the place behind it."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(data):
            break
        byte = data[place]
        value, place = value | (byte & 127) << shift, place + 1
        if byte < 128:
            return value & (2**64 - 1), place
    raise ValueError("a number without an end")
