"""ONNX files that cost out of proportion to their size are refused before onnxruntime opens them; no file of ours is."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reidar_plugin.inference import onnx_check
from reidar_plugin.inference.onnx_check import OPERATORS, OnnxFileError, check_graph
from tests.inference.onnx_files import foreign

onnx = pytest.importorskip("onnx")

#: What torch's exporter knows and no file of ours has: answers by chance, losses, graphs in graphs.
NEVER = re.compile(r"Random\w+|Bernoulli|Multinomial|\w+Loss|SequenceMap|If|Loop|Scan")


def numbers(name: str, *values: int) -> Any:
    return onnx.numpy_helper.from_array(np.array(values, np.int64), name)


def node(*args: Any, **attributes: Any) -> Any:
    return onnx.helper.make_node(*args, **attributes)


def body() -> Any:
    """Of a loop that does nothing."""
    ends = [onnx.helper.make_tensor_value_info(*each, []) for each in (("i", 7), ("on", 9), ("goes_on", 9))]
    return onnx.helper.make_graph([node("Identity", ["on"], ["goes_on"])], "body", ends[:2], ends[2:])


def loop(model: Any) -> None:
    model.graph.node.append(node("Loop", ["turns", ""], [], body=body()))
    model.graph.initializer.append(numbers("turns", 2**62))


def functions(model: Any) -> None:
    """Each calls the one before it twice."""
    of = [onnx.helper.make_opsetid("mine", 1)]
    for number in range(1, 25):
        calls = [node(f"F{number - 1}", [a], [b], domain="mine") for a, b in (("a", "c"), ("c", "b"))]
        model.functions.append(onnx.helper.make_function("mine", f"F{number}", ["a"], ["b"], calls, of))
    model.graph.node.append(node("F24", ["frames"], ["large"], domain="mine"))


def function_of_a_known_name(model: Any) -> None:
    calls = [node("Relu", [a], [b]) for a, b in (("a", "c"), ("c", "b"))]
    model.functions.append(
        onnx.helper.make_function("", "Relu", ["a"], ["b"], calls, [onnx.helper.make_opsetid("", 18)])
    )


def shape(kind: str, *values: int, before: tuple[str, ...] = ("frames",)) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        model.graph.node.append(node(kind, [*before, "size"], ["large"]))
        model.graph.initializer.append(numbers("size", *values))

    return change


def shape_of_a_constant(model: Any) -> None:
    model.graph.node.append(node("Constant", [], ["size"], value_ints=[2**14, 2**14]))
    model.graph.node.append(node("Expand", ["frames", "size"], ["large"]))


def shape_that_pads_too(model: Any) -> None:
    """Numbers that are few for one operator and many for the other."""
    shape("Expand", 2**13, 2**13)(model)
    model.graph.node.append(node("Pad", ["frames", "size"], ["wide"]))


def small_steps(model: Any) -> None:
    steps = {"start": 0.0, "end": 1.0, "step": 1e-9}
    model.graph.node.append(node("Range", [*steps], ["large"]))
    for name, value in steps.items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(value, np.float32), name))


def wide_edges(model: Any) -> None:
    model.graph.node.append(
        node("MaxPool", ["frames"], ["large"], pads=[2**14] * 4, kernel_shape=[2**15] * 2)
    )


def wide_holes(model: Any) -> None:
    model.graph.node.append(node("ConvTranspose", ["frames", "k"], ["large"], dilations=[2**14, 2**14]))


def wide_regions(model: Any) -> None:
    regions = {"output_height": 2**14, "output_width": 2**14}
    model.graph.node.append(node("RoiAlign", ["frames", "r", "b"], ["large"], **regions))


def sparse(model: Any) -> None:
    few = onnx.helper.make_sparse_tensor(numbers("few", 1), numbers("places", 0), [2**33])
    model.graph.sparse_initializer.append(few)


def many_parts(model: Any) -> None:
    model.graph.node.append(node("Concat", [""] * (2**16 + 1), ["all"], axis=0))


REFUSED: list[tuple[Callable[[Any], None], str]] = [
    (loop, "has an operator 'Loop', which no export writes"),
    (functions, "has an operator 'F24' of 'mine', which no export writes"),
    (function_of_a_known_name, "has a function in the place of an operator, which no export writes"),
    (shape("ConstantOfShape", 2**28, before=()), "a shape for its operator 'ConstantOfShape' that promises gigabytes"),
    (shape("Expand", 2**14, 2**14), "a shape for its operator 'Expand' that promises gigabytes"),
    (shape("Tile", 2**28), "a shape for its operator 'Tile' that promises gigabytes"),
    (shape("Pad", 0, 0, 2**28, 2**28), "a shape for its operator 'Pad' that promises gigabytes"),
    (shape_of_a_constant, "a shape for its operator 'Expand' that promises gigabytes"),
    (shape_that_pads_too, "a shape for its operator 'Expand' that promises gigabytes"),
    (small_steps, "a shape for its operator 'Range' that promises gigabytes"),
    (wide_edges, "has pads of its operator 'MaxPool' that promise gigabytes"),
    (wide_holes, "has dilations of its operator 'ConvTranspose' that promise gigabytes"),
    (wide_regions, "has output_height of its operator 'RoiAlign' that promise gigabytes"),
    (sparse, "has numbers that are left out, which no export writes"),
    (lambda model: model.graph.node.append(node("Add", ["a"], ["b"], domain="com.x")), "an operator 'Add' of 'com.x'"),
    (lambda model: model.graph.node.append(node("Identity", ["a"], ["b"], body=body())), "a graph in its operator"),
    (many_parts, "a message of more than 65,536 parts"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"), REFUSED, ids=lambda each: getattr(each, "__name__", each)[-40:]
)
def test_what_costs_out_of_proportion(change: Callable[[Any], None], message: str, tmp_path: Path) -> None:
    model = onnx.load(foreign(tmp_path / "plain.onnx"))
    check_graph(tmp_path / "plain.onnx")
    change(model)
    onnx.save(model, tmp_path / "costly.onnx")
    with pytest.raises(OnnxFileError, match=rf"costly\.onnx.*{message}.*export") as caught:
        check_graph(tmp_path / "costly.onnx")
    assert "\n" not in str(caught.value)


def test_shapes_that_networks_have(tmp_path: Path) -> None:
    """The last place of a slice, wide edges of a map, a token for each clip."""
    model = onnx.load(foreign(tmp_path / "plain.onnx"))
    for number, (kind, values) in enumerate(
        [
            ("Slice", [2**63 - 1]),
            ("Pad", [0, 0, 112, 112, 0, 0, 112, 112]),
            ("Expand", [1, 197, 768]),
            ("Expand", [-1, 1]),
        ]
    ):
        model.graph.node.append(node(kind, ["frames", f"size {number}"], [f"out {number}"]))
        model.graph.initializer.append(numbers(f"size {number}", *values))
    model.graph.node.append(node("Conv", ["frames", "k"], ["map"], pads=[36] * 4, dilations=[36, 36]))
    functions(model)
    del model.graph.node[-1]  # the call: older exporters leave functions that nothing calls
    onnx.save(model, tmp_path / "usual.onnx")
    check_graph(tmp_path / "usual.onnx")


@pytest.mark.parametrize(
    "data", [b"hello", b"\x0b" * 9, b"\x3a\xff\xff\xff\xff\x0f", b"\xff" * 20, b"\x00\x00"]
)
def test_no_onnx(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_bytes(data)
    with pytest.raises(
        OnnxFileError, match=r"text\.onnx: it is no ONNX file, or is damaged .*; export it again"
    ):
        check_graph(tmp_path / "text.onnx")


def test_parts_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two bytes each, which take a hundred times as much to look at."""
    monkeypatch.setattr(onnx_check, "_PARTS", 1000)
    (tmp_path / "many.onnx").write_bytes(b"\x08\x08" * 1001)
    with pytest.raises(OnnxFileError, match=r"many\.onnx: .* \(more than 1,000 parts\); export it again"):
        check_graph(tmp_path / "many.onnx")


def test_all_that_the_exporter_writes() -> None:
    """Else an export could be refused that a newer exporter writes."""
    library = pytest.importorskip("onnxscript.function_libs.torch_lib.ops")
    text = "".join(path.read_text() for path in Path(library.__path__[0]).glob("*.py"))
    written = set(re.findall(r"\bop\d*\.([A-Z]\w+)\(", text))
    assert len(written) > 100
    assert {name for name in written - OPERATORS if not NEVER.fullmatch(name)} == set()
    assert not any(NEVER.fullmatch(name) for name in OPERATORS)
    assert onnx_check.MOST * 4 == 128 * 2**20
