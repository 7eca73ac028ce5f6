"""What inference reads: ONNX files, calibrations, lists of cameras, what was found before, the model of a gallery."""

import io
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
from search_gallery import read_features

from reidar_plugin.inference.calibration import Calibration
from reidar_plugin.inference.camera_file import CameraFindings, read_findings, write_findings
from reidar_plugin.inference.cameras import read_cameras
from reidar_plugin.inference.gallery_rows import GalleryModel, known_model, schema_of
from reidar_plugin.inference.model_card import ModelCard
from reidar_plugin.inference.onnx_judge import CARD_KEY, FRAMES, OUTPUTS
from reidar_plugin.inference.predictor import Predictor
from reidar_plugin.inference.track_summary import Shot, TrackSummary
from reidar_plugin.inference.tracks import Tracks

from .campaign import WrongAnswerError
from .mutations import NASTY_WORDS, break_array, break_arrays, break_bytes, break_values

__all__ = ["Calibrations", "CameraLists", "Features", "Findings", "GalleryModels", "OnnxFiles"]


class OnnxFiles:
    """``Predictor.load`` on an ONNX file, and a prediction where it loads."""

    name, names_file = "ONNX files", True

    def prepare(self, folder: Path) -> None:
        """A graph of a few nodes, as the export names its ends, and a file outside the folder of the cases."""
        self.card = ModelCard(
            "small", 32, 16, (0.5,) * 3, (0.5,) * 3, "linear", 4, actions=("a", "b"), thresholds=(0.5, 0.5)
        )
        self.pictures = [np.full((32, 16, 3), shade, np.uint8) for shade in range(6)]
        (folder.parent / "outside.bin").write_bytes(bytes(4096))

    def case(self, folder: Path, number: int, chance: random.Random) -> Path:
        """Bytes changed, another card, other ends, or numbers that lie in another file or have an odd shape."""
        path, kind, self.outside = folder / "case.onnx", chance.random(), False
        card = json.loads(self.card.as_json())
        if kind < 0.3:
            card = break_values(card, chance)
        model = _graph(json.dumps(card))
        if 0.3 <= kind < 0.4:
            _other_ends(model, chance)
        elif 0.4 <= kind < 0.5:
            self.outside = _elsewhere(model, chance)
        data = model.SerializeToString()
        path.write_bytes(break_bytes(data, chance) if kind >= 0.5 else data)
        return path

    def ask(self, path: Path) -> None:
        """A feature and likelihoods."""
        predictor = Predictor.load(path)
        if self.outside:
            raise WrongAnswerError("numbers were read from a file that was not named")
        [found] = predictor([self.pictures])
        shapes = found.feature.ndim, found.actions.shape, found.attention.shape
        if shapes != (1, (len(predictor.actions),), (6,)):
            raise WrongAnswerError(f"shapes {shapes}")


def _graph(card: str) -> Any:
    from onnx import TensorProto, helper, numpy_helper

    weights = numpy_helper.from_array(np.random.default_rng(0).standard_normal((3, 5), np.float32), "weights")
    mixed = numpy_helper.from_array(np.random.default_rng(1).standard_normal((5, 2), np.float32), "mixed")
    nodes = [
        helper.make_node("Cast", [FRAMES], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["numbers"], ["frame"], axes=[2, 3], keepdims=0),
        helper.make_node("ReduceMean", ["frame"], ["clip"], axes=[1], keepdims=0),
        helper.make_node("MatMul", ["clip", "weights"], [OUTPUTS[0]]),
        helper.make_node("MatMul", [OUTPUTS[0], "mixed"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], [OUTPUTS[1]]),
        helper.make_node("ReduceMean", ["frame"], ["bright"], axes=[2], keepdims=0),
        helper.make_node("Softmax", ["bright"], [OUTPUTS[2]], axis=1),
    ]
    frames = helper.make_tensor_value_info(FRAMES, TensorProto.UINT8, ["B", "T", 32, 16, 3])
    shapes = zip(OUTPUTS[:3], (["B", 5], ["B", 2], ["B", "T"]), strict=True)
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes]
    graph = helper.make_graph(nodes, "small", [frames], ends, [weights, mixed])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, {CARD_KEY: card})
    return model


def _other_ends(model: Any, chance: random.Random) -> None:
    """Take an output away, or change the type or the shape of what the graph reads or gives."""
    ends = chance.choice((model.graph.input, model.graph.output))
    place = chance.randrange(len(ends))
    if chance.random() < 0.3:
        del ends[place]
        return
    kind = ends[place].type.tensor_type
    if chance.random() < 0.5:
        kind.elem_type = chance.choice((0, 1, 2, 7, 8, 9, 10, 11, 16, 99))
    else:
        dims = kind.shape.dim
        chance.choice(dims).dim_value = chance.choice((0, -1, 1, 7, 2**31, 2**62))


def _elsewhere(model: Any, chance: random.Random) -> bool:
    """Let the file say that there are very many numbers, or that they lie in another file; whether it says that."""
    tensor = chance.choice(model.graph.initializer)
    if chance.random() < 0.5:
        tensor.dims[chance.randrange(2)] = chance.choice((0, -1, 2**31, 2**40, 2**62))
        return False
    tensor.ClearField("raw_data")
    tensor.data_location = 1
    for key, value in {
        "location": chance.choice(
            ("../outside.bin", "/etc/passwd", "outside.bin", "", "/dev/zero", "x" * 300)
        ),
        "offset": str(chance.choice((0, -1, 2**40))),
        "length": str(chance.choice((60, 2**40, 0, -1))),
    }.items():
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    return True


class Calibrations:
    """``Calibration.load``, and questions where it loads."""

    name, names_file = "calibrations", True

    def prepare(self, folder: Path) -> None:
        """A good one."""
        about = ("model", "all", 8, "euclidean", 1.0, "f1", 0.9, 0.8, 2.0, 1.0, 5, 9, 10, 20)
        Calibration(*about, (0.5, 1.5, 2.5), (0.25, 0.75)).save(folder / "whole.json")
        self.text = (folder / "whole.json").read_text()

    def case(self, folder: Path, number: int, chance: random.Random) -> Path:
        """Values changed, or bytes."""
        path = folder / "case.json"
        if chance.random() < 0.5:
            path.write_bytes(break_bytes(self.text.encode(), chance))
        else:
            path.write_text(json.dumps(break_values(json.loads(self.text), chance)))
        return path

    def ask(self, path: Path) -> None:
        """A probability that falls, and rates from 0 to 1."""
        found = Calibration.load(path)
        near, far = found.probability(np.array([0.0, 10.0]))
        if not 0 <= far <= near <= 1 or not 0 < found.false_alarms(np.array([1.0]))[0] <= 1:
            raise WrongAnswerError(f"probabilities {near}, {far}")


class CameraLists:
    """``read_cameras``: a name must be good for a file in the folder of the answers."""

    name, names_file = "camera lists", True

    def prepare(self, folder: Path) -> None:
        """Two cameras."""
        cameras = [
            {"name": name, "video": f"{name}.mp4", "tracks": f"{name}.txt", "start": 5}
            for name in ("gate", "yard")
        ]
        self.told = {"cameras": cameras}

    def case(self, folder: Path, number: int, chance: random.Random) -> Path:
        """Values changed, names with tricks, or bytes."""
        told = json.loads(json.dumps(self.told))
        tricks = (
            "..",
            ".",
            "../gate",
            "/etc/gate",
            "gate/",
            "gate\\x",
            "CON",
            "ga\nte",
            "\u202egate",
            "g" * 400,
            "~",
            "gate\x00",
            " gate",
            "run.json",
        )
        if chance.random() < 0.4:
            told["cameras"][0]["name"] = chance.choice((*tricks, *NASTY_WORDS))
        else:
            told = break_values(told, chance)
        text = json.dumps(told, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
        path = folder / "case.yaml"
        path.write_bytes(break_bytes(text, chance, 2) if chance.random() < 0.4 else text)
        return path

    def ask(self, path: Path) -> None:
        """Names that are those of files."""
        for camera in read_cameras(path):
            name = f"{camera.name}.parquet"
            if Path(name).name != name or len(name.encode()) > 255 or not name.isprintable():
                raise WrongAnswerError(f"a camera of the name {camera.name!r}")
            if not np.isfinite(camera.start):
                raise WrongAnswerError(f"a start of {camera.start}")


class Findings:
    """``read_findings``: what is taken from it must be what was found."""

    name, names_file = "findings", True

    def prepare(self, folder: Path) -> None:
        """Two tracks of a video."""
        boxes = Tracks(
            np.arange(20) // 2, np.arange(20) % 2 + 1, np.full((20, 4), 8.0), np.full(20, 0.5, np.float32)
        )
        write_findings(folder / "whole.npz", CameraFindings(boxes, [_track(1), _track(2)], 640, 480), "who")
        self.data = (folder / "whole.npz").read_bytes()

    def case(self, folder: Path, number: int, chance: random.Random) -> Path:
        """Bytes changed, or what the header of an array promises."""
        path = folder / "case.npz"
        path.write_bytes(chance.choice((break_bytes, break_arrays))(self.data, chance))
        return path

    def ask(self, path: Path) -> None:
        """The boxes and tracks that were written, or none where it answers another question."""
        found = read_findings(path, "who", (4, 2))
        if found is None:
            return
        right = [_track(1), _track(2)]
        same = [_plain(one) == _plain(other) for one, other in zip(found.summaries, right, strict=False)]
        if (
            same != [True, True]
            or (found.boxes.box != 8.0).any()
            or (found.width, found.height) != (640, 480)
        ):
            raise WrongAnswerError("other tracks than were found")


def _track(number: int) -> TrackSummary:
    feature, actions = np.full(4, number, np.float32), np.full(2, 0.5, np.float32)
    shots = (Shot(b"\xff\xd8picture" * number, 2, 0.2, (1,)),)
    when = (0, 9, 0.0, 0.9, 10)
    return TrackSummary(number, feature, actions, *when, np.full(4, 8.0), (((0.0, 0.5),), ()), shots)


def _plain(one: TrackSummary) -> list[Any]:
    return [value.tolist() if isinstance(value, np.ndarray) else value for value in one]


class Features:
    """``--feature`` of tools/search_gallery.py."""

    name, names_file = "features", True

    def prepare(self, folder: Path) -> None:
        """Two of them."""
        buffer = io.BytesIO()
        np.save(buffer, np.arange(8, dtype=np.float32).reshape(2, 4))
        self.data = buffer.getvalue()

    def case(self, folder: Path, number: int, chance: random.Random) -> Path:
        """Bytes changed, or what the header promises."""
        path = folder / "case.npy"
        path.write_bytes(chance.choice((break_bytes, break_array))(self.data, chance))
        return path

    def ask(self, path: Path) -> None:
        """Rows of as many numbers as the file has bytes for."""
        found = read_features(path)
        if found.ndim != 2 or found.nbytes > path.stat().st_size:
            raise WrongAnswerError(f"{found.dtype} of shape {found.shape}")


class GalleryModels:
    """``known_model``: the model that a gallery says it is of."""

    name, names_file = "gallery models", True

    def prepare(self, folder: Path) -> None:
        """One with two actions."""
        self.schema = schema_of(GalleryModel("model", 8, "euclidean", ("walking", "riding"), (0.5, 0.25)))
        [(self.key, text)] = self.schema.metadata.items()
        self.told = json.loads(text)

    def case(self, folder: Path, number: int, chance: random.Random) -> Path:
        """Values changed, or bytes."""
        path = folder / "case.gallery"
        text = json.dumps(break_values(self.told, chance) if chance.random() < 0.6 else self.told).encode()
        path.write_bytes(break_bytes(text, chance) if chance.random() < 0.5 else text)
        return path

    def ask(self, path: Path) -> None:
        """A model whose values have their types."""
        found = known_model(str(path), self.schema.with_metadata({self.key: path.read_bytes()}))
        right = (
            isinstance(found.fingerprint, str) and type(found.width) is int and found.width > 0,
            found.metric in ("euclidean", "cosine") and all(isinstance(name, str) for name in found.actions),
            all(isinstance(least, float | int) and 0 <= least <= 1 for least in found.likely.values()),
        )
        if not all(right):
            raise WrongAnswerError(f"{found}")
