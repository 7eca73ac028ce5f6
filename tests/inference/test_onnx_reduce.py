"""Smaller ONNX files: what stands in them, and what they say."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from reidar_plugin.inference.onnx_export import largest_difference
from reidar_plugin.inference.onnx_judge import CARD_KEY, OnnxJudge, load_onnx
from reidar_plugin.inference.onnx_reduce import ReductionError, halve, to_int8
from reidar_plugin.inference.trained_model import TrainedModel
from tests.inference.onnx_files import foreign
from tests.versions import TORCH, need

onnx = pytest.importorskip("onnx")
pytestmark = [
    need("onnxscript", "onnxruntime"),
    pytest.mark.skipif(TORCH < (2, 6), reason="torch's exporter has what it needs since 2.6"),
]

CPU = torch.device("cpu")


@pytest.fixture
def whole(over_maps: tuple[Path, TrainedModel]) -> Path:
    """It has masks of minus infinity."""
    return over_maps[0]


@pytest.fixture
def file(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(whole, tmp_path / "small.onnx"))


def clips(count: int = 3) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [
        torch.randint(0, 256, (4, 4, 32, 16, 3), generator=generator, dtype=torch.uint8) for _ in range(count)
    ]


def judge(path: Path) -> OnnxJudge:
    return load_onnx(path, CPU)[0]


def kinds(path: Path) -> set[int]:
    return {each.data_type for each in onnx.load(path).graph.initializer}


def test_half_is_rounded_numbers(whole: Path, file: Path, tmp_path: Path) -> None:
    """The file says what it would with each number rounded by hand and kept in float32."""
    rounded = onnx.load(whole)
    for tensor in rounded.graph.initializer:
        numbers = onnx.numpy_helper.to_array(tensor)
        if numbers.dtype == np.float32:
            tensor.CopyFrom(
                onnx.numpy_helper.from_array(numbers.astype(np.float16).astype(np.float32), tensor.name)
            )
    onnx.save(rounded, tmp_path / "rounded.onnx")
    halve(file)
    assert onnx.TensorProto.FLOAT in kinds(whole)
    assert onnx.TensorProto.FLOAT not in kinds(file)
    one, other, before = (judge(path)(clips()[0]) for path in (file, tmp_path / "rounded.onnx", whole))
    np.testing.assert_allclose(one.feature, other.feature, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(one.actions, other.actions, rtol=1e-6, atol=1e-6)
    assert not np.array_equal(one.feature, before.feature)
    assert load_onnx(file, CPU)[1] == load_onnx(whole, CPU)[1]


def test_numbers_beyond_float16(file: Path) -> None:
    model = onnx.load(file)
    (first, *_) = [each for each in model.graph.initializer if each.data_type == onnx.TensorProto.FLOAT]
    first.CopyFrom(
        onnx.numpy_helper.from_array(np.full_like(onnx.numpy_helper.to_array(first), 7e4), first.name)
    )
    onnx.save(model, file)
    before = file.read_bytes()
    with pytest.raises(ReductionError, match=r"holds 7e\+04, float16 ends at 65504"):
        halve(file)
    assert file.read_bytes() == before


def test_int8_is_near(whole: Path, file: Path) -> None:
    to_int8(file, clips(), judge(whole))
    model = onnx.load(file)
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    int8 = [each for each in model.graph.initializer if each.data_type == onnx.TensorProto.INT8]
    kernels = [onnx.numpy_helper.to_array(each) for each in int8 if len(each.dims) > 1]
    assert len(kernels) == len(convolutions) > 1
    assert max(np.abs(kernel).max() for kernel in kernels) <= 64  # 7 bits
    difference = largest_difference(judge(whole), judge(file), load_onnx(whole, CPU)[1])
    assert 1e-4 < difference < 0.2
    assert {each.key for each in model.metadata_props} >= {CARD_KEY}


def test_what_has_no_convolution(tmp_path: Path, whole: Path) -> None:
    file = foreign(tmp_path / "none.onnx")
    with pytest.raises(ReductionError, match="has no convolution"):
        to_int8(file, clips(), judge(whole))
