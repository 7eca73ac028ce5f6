"""ONNX files in the Predictor: same numbers, many threads, and files that are none of ours."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from reidar_plugin.data.pixel_ops import Normalise
from reidar_plugin.errors import ConfigError, MissingFileError
from reidar_plugin.inference.clip_network import ClipNetwork, TorchJudge
from reidar_plugin.inference.onnx_judge import CARD_KEY, OnnxFileError
from reidar_plugin.inference.precision import Precision
from reidar_plugin.inference.predictor import Predictor
from reidar_plugin.inference.trained_model import TrainedModel
from tests.inference.onnx_files import foreign
from tests.versions import TORCH, need

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
pytestmark = [
    need("onnxscript", "onnxruntime"),
    pytest.mark.skipif(TORCH < (2, 6), reason="torch's exporter has what it needs since 2.6"),
]


def tracklets() -> list[list[np.ndarray]]:
    rng = np.random.default_rng(0)
    return [list(rng.integers(0, 256, (n, 40, 20, 3)).astype(np.uint8)) for n in (1, 4, 6, 9)]


def test_says_what_the_checkpoint_says(over_maps: tuple[Path, TrainedModel]) -> None:
    """Tracklets of one frame and of six have clips with copies, which count once for actions."""
    path, trained = over_maps
    network = ClipNetwork(trained.network, Normalise(trained.card.mean, trained.card.std))
    torch_side = Predictor(TorchJudge(network, Precision("float32", torch.device("cpu"))), trained.card)
    for ours, theirs in zip(Predictor.load(path)(tracklets()), torch_side(tracklets()), strict=True):
        assert theirs.action_attention is not None
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=1e-4, atol=1e-4)


def test_threads_agree(over_maps: tuple[Path, TrainedModel]) -> None:
    predictor = Predictor.load(over_maps[0])
    alone = list(predictor(tracklets()))
    with ThreadPoolExecutor(8) as pool:
        for one, two in zip(alone, pool.map(lambda each: next(predictor([each])), tracklets()), strict=True):
            np.testing.assert_allclose(one.feature, two.feature, atol=1e-6)


def test_files_that_are_none_of_ours(over_maps: tuple[Path, TrainedModel], tmp_path: Path) -> None:
    with pytest.raises(OnnxFileError, match="it has no metadata 'reidar_plugin'; export the checkpoint"):
        Predictor.load(foreign(tmp_path / "foreign.onnx"))
    with pytest.raises(OnnxFileError, match=r"cannot be run by onnxruntime .* newer one") as error:
        Predictor.load(foreign(tmp_path / "later.onnx", opset=99))
    assert "\n" not in str(error.value)
    (tmp_path / "text.onnx").write_text("hello")
    with pytest.raises(OnnxFileError, match="it is no ONNX file"):
        Predictor.load(tmp_path / "text.onnx")
    with pytest.raises(MissingFileError, match="no file of a model at"):
        Predictor.load(tmp_path / "nowhere.onnx")
    with pytest.raises(ConfigError, match="leave these arguments, or flags, out"):
        Predictor.load(over_maps[0], precision="bfloat16")


def test_weights_that_are_not_finite(over_maps: tuple[Path, TrainedModel], tmp_path: Path) -> None:
    model = onnx.load(over_maps[0])
    for tensor in model.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.ndim == 4:
            tensor.CopyFrom(onnx.numpy_helper.from_array(np.full_like(values, np.nan), tensor.name))
    onnx.save(model, tmp_path / "nan.onnx")
    with pytest.raises(OnnxFileError, match=r"nan\.onnx gives NaN or infinity.* export it again"):
        Predictor.load(tmp_path / "nan.onnx")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("a feature alone", "other inputs or outputs than this version writes"),
        ("outputs in another order", "other inputs or outputs than this version writes"),
        ("frames of another size", r"reads frames of .*48.*, its card says \(B, T, 32, 16, 3\)"),
    ],
)
def test_other_inputs_and_outputs(
    change: str, message: str, over_maps: tuple[Path, TrainedModel], tmp_path: Path
) -> None:
    """onnxruntime would open each."""
    model = onnx.load(over_maps[0])
    frames, outputs = model.graph.input[0].type.tensor_type, model.graph.output
    if change == "a feature alone":
        del outputs[1:]
    elif change == "outputs in another order":
        kept = list(outputs)[::-1]
        del outputs[:]
        outputs.extend(kept)
    else:
        frames.shape.dim[2].dim_value = 48
    path = tmp_path / "changed.onnx"
    path.write_bytes(model.SerializeToString())
    onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    with pytest.raises(OnnxFileError, match=rf"changed\.onnx.*{message}.*; export it again"):
        Predictor.load(path)


@pytest.mark.parametrize(
    "change", ["a card of another size", "a shape of gigabytes", "numbers in another file"]
)
def test_a_file_that_says_something_else(
    change: str, over_maps: tuple[Path, TrainedModel], tmp_path: Path
) -> None:
    model = onnx.load(over_maps[0])
    if change == "a card of another size":
        [card] = [each for each in model.metadata_props if each.key == CARD_KEY]
        card.value = card.value.replace('"height": 32', '"height": 48')
    elif change == "a shape of gigabytes":
        model.graph.initializer[0].dims[0] = 2**40
    else:
        (tmp_path / "outside.bin").write_bytes(bytes(10**5))
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = 1
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", "../outside.bin"
    path = tmp_path / "inner" / "changed.onnx"
    path.parent.mkdir()
    path.write_bytes(model.SerializeToString())
    with pytest.raises(OnnxFileError, match=r"changed\.onnx"):
        Predictor.load(path)


def test_a_file_that_costs_out_of_proportion_is_not_opened(
    over_maps: tuple[Path, TrainedModel], tmp_path: Path
) -> None:
    model = onnx.load(over_maps[0])
    turns = onnx.numpy_helper.from_array(np.array(2**62), "turns")
    ends = [onnx.helper.make_tensor_value_info(*each, []) for each in (("i", 7), ("on", 9), ("goes_on", 9))]
    body = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["on"], ["goes_on"])], "b", ends[:2], ends[2:]
    )
    model.graph.initializer.append(turns)
    model.graph.node.append(onnx.helper.make_node("Loop", ["turns", ""], [], body=body))
    onnx.save(model, tmp_path / "loop.onnx")
    with pytest.raises(OnnxFileError, match=r"loop\.onnx has an operator 'Loop', which no export writes"):
        Predictor.load(tmp_path / "loop.onnx")
