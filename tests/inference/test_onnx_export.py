"""Exported graphs against torch: every pooling, every action source, clips and frames of any number."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from reidar_plugin.errors import MissingFileError, ReidarError, UnwritableFileError
from reidar_plugin.inference import onnx_export
from reidar_plugin.inference.onnx_export import ExportError, export_onnx
from reidar_plugin.inference.predictor import Predictor
from reidar_plugin.inference.trained_model import TrainedModel, load_trained
from reidar_plugin.models.instances import INSTANCE_POOLINGS
from reidar_plugin.models.joint import build_joint
from reidar_plugin.models.temporal import POOLINGS
from tests.inference.onnx_files import foreign, small, together
from tests.versions import TORCH, need

pytestmark = [
    pytest.mark.usefixtures("shared_table"),
    need("onnxscript", "onnxruntime"),
    pytest.mark.skipif(TORCH < (2, 6), reason="torch's exporter has what it needs since 2.6"),
]

#: Every pooling of clips and every source and pooling of actions that reads maps, all in one graph: the exporter takes
#: seconds. The clip feature is what actions read in :func:`test_frames_that_see_each_other`.
EACH: list[dict[str, Any]] = [
    {"pooling": "peak", "source": "frames", "action_pooling": "mean", "layers": [8]},
    {"pooling": "light", "source": "0"},
    {"pooling": "max", "source": "0", "action_pooling": "max"},
    {"pooling": "gem", "source": "0", "action_pooling": "log_sum_exp"},
    {"pooling": "attention", "source": "0", "action_pooling": "noisy_or"},
    {"pooling": "mean", "source": "0", "action_pooling": "attention", "layers": [8, 16]},
]


@pytest.fixture(scope="module")
def shared_table() -> Iterator[None]:
    """The exporter makes its table of operators once; that takes more than a second, and exports only read it."""
    from torch.onnx._internal.exporter._registration import ONNXRegistry

    made = functools.cache(ONNXRegistry.from_torchlib)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ONNXRegistry, "from_torchlib", staticmethod(made))
        yield


def test_each_is_there() -> None:
    assert {each["pooling"] for each in EACH} == set(POOLINGS)
    assert {each["action_pooling"] for each in EACH if "action_pooling" in each} == set(INSTANCE_POOLINGS)


@pytest.mark.slow
def test_says_what_torch_says(tmp_path: Path) -> None:
    """Of other numbers of clips and frames than it was traced with, one of each among them.

    Within a tenth of what an export may differ by, as a model is one of several in the mean of their attentions.
    """
    trained = together(EACH)
    parity = export_onnx(trained, tmp_path / "small.onnx")
    assert parity.difference <= 1e-5
    assert {(1, 1), (5, 4)} <= set(parity.shapes)
    assert [path.name for path in tmp_path.iterdir()] == ["small.onnx"]
    check_what_the_predictor_knows(tmp_path / "small.onnx", trained)


def check_what_the_predictor_knows(path: Path, trained: TrainedModel) -> None:
    """All that it needs comes from the file."""
    assert b"stack_trace" not in path.read_bytes()  # with paths of where it was made
    loaded = Predictor.load(path)
    assert loaded.card.model == "small"
    assert (loaded.height, loaded.width, loaded.clip_length, loaded.feature_size) == (
        32,
        16,
        4,
        8 * len(EACH),
    )
    assert loaded.actions == trained.card.actions


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "stage", "repeated"),
    [("test_vit", "blocks.1", "blocks"), ("test_mambaout", "stages.1", "stages.2.blocks")],
)
def test_networks_of_timm(network: str, stage: str, repeated: str, tmp_path: Path) -> None:
    """From weights to a graph: tokens and maps with channels last, whose stages the action network reads."""
    pytest.importorskip("timm")
    options = {"pooling": "light", "action_width": 8, "action_source": stage}
    model = build_joint(f"timm_{network}", 4, num_actions=3, frame_size=(64, 32), **options)
    torch.save(model.eval().state_dict(), tmp_path / "w.pth")
    settings = {f"reidar.model.{key}": value for key, value in options.items()}
    size = {"data.height": 64, "data.width": 32}
    trained = load_trained(tmp_path / "w.pth", f"reidar_timm_{network}", {**settings, **size})
    clips = torch.randn(2, 3, 3, 64, 32)
    with torch.no_grad():
        ours, theirs = trained.network(clips), model(clips)
    torch.testing.assert_close(ours.feature, theirs.feature, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(ours.action_logits, theirs.action_logits, rtol=1e-4, atol=1e-5)
    del trained.network.base.get_submodule(repeated)[2:]  # the graph says the same of each
    assert export_onnx(trained, tmp_path / "w.onnx").difference <= 1e-4


def _alone(block: Any) -> nn.Conv2d:
    """In the place of a block that sees frames alone, as the host has it, or that repeats one before it."""
    return nn.Conv2d(block.conv1.in_channels, block.bn2.num_features, 1, block.conv1.stride)


def _shorten_tclnet(base: Any) -> None:
    base.layer2[0], base.layer3 = _alone(base.layer2[0]), _alone(base.layer3[0])
    base.layer4.shared = _alone(base.layer4.shared[0])
    base.layer4.branches = nn.ModuleList(map(_alone, base.layer4.branches))


def _shorten_ap3d(base: Any) -> None:
    base.layer3, base.layer4 = _alone(base.layer3[0]), _alone(base.layer4[0])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("trunk", "shorten", "kinds"),
    [
        ("tclnet_resnet18", _shorten_tclnet, {"SaliencyBoosting", "SaliencyErasing"}),
        ("ap3d_nl_resnet18", _shorten_ap3d, {"AlignedConvolution", "NonLocal"}),
    ],
    ids=["tclnet", "ap3d"],
)
def test_frames_that_see_each_other(
    trunk: str, shorten: Callable[[Any], None], kinds: set[str], tmp_path: Path
) -> None:
    """One frame, an odd number of frames: TCLNet's two branches then share the last one."""
    torch.manual_seed(0)
    network = build_joint(trunk, 5, frame_size=(64, 32), pooling="peak", num_actions=3, action_width=8)
    network.base.layer1 = nn.Sequential()
    shorten(network.base)
    assert kinds <= {type(module).__name__ for module in network.modules()}
    for (
        name,
        parameter,
    ) in network.named_parameters():  # what starts as zero, so that frames do see each other
        if parameter.dim() == 1:
            nn.init.uniform_(parameter, 0.5, 1.0)
        elif name.endswith("temporal.weight"):
            nn.init.normal_(parameter, std=0.02)
    trained = small()
    card = replace(trained.card, height=64, width=32, branches=network.branches)
    parity = export_onnx(
        TrainedModel(network.eval(), card, trained.config), tmp_path / "a.onnx", [(1, 1), (2, 2), (3, 5)]
    )
    assert parity.difference <= 1e-4


def test_a_graph_that_differs_gets_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "small.onnx").write_text("what was there before")
    trained, other = small("mean"), small("mean")
    original, another = onnx_export._program, onnx_export.ClipNetwork(other.network, onnx_export.Normalise())
    monkeypatch.setattr(onnx_export, "_program", lambda network, card: original(another, card))
    with pytest.raises(
        ExportError, match=r"small: the exported graph differs from the model by .* nothing was written"
    ):
        export_onnx(trained, tmp_path / "small.onnx")
    assert (tmp_path / "small.onnx").read_text() == "what was there before"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_that_could_not_be_opened_is_known_at_once(tmp_path: Path) -> None:
    """By the name of the model: that of the temporary file says nothing."""
    with pytest.raises(
        ExportError, match=r"^small cannot be exported to ONNX: the file does not say how"
    ) as error:
        onnx_export._opened(foreign(tmp_path / "small.onnx"), "small")
    assert "small.onnx" not in str(error.value)


class Unspeakable(nn.Module):
    """Looks at numbers to decide what to do, which no graph can say."""

    def forward(self, clips: torch.Tensor) -> Any:
        if float(clips.sum()) > 0:
            raise ValueError("bright")
        return small().network(clips)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="no folder that nobody can write to")
def test_a_folder_that_cannot_be_written_is_known_before_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_export, "_program", None)
    with pytest.raises(UnwritableFileError) as caught:
        export_onnx(small(), "/proc/model.onnx")
    assert caught.value.filename == "/proc/model.onnx"


def test_what_cannot_be_exported_says_so(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="small cannot be exported to ONNX") as error:
        export_onnx(small()._replace(network=Unspeakable()), tmp_path / "small.onnx")
    assert "\n" not in str(error.value)
    with pytest.raises(MissingFileError, match=r"there is no folder .*nowhere; make it first"):
        export_onnx(small(), tmp_path / "nowhere/small.onnx")
    assert not list(tmp_path.iterdir())


def test_old_torch_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(torch, "__version__", "2.4.1")
    with pytest.raises(ReidarError, match=r"needs torch 2\.6 or newer, this is 2\.4\.1"):
        export_onnx(small(), tmp_path / "small.onnx")
