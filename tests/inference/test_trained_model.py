"""Models from files: of a run, of torchreid, of the released code, and from what is no model."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reidar_plugin.checkpoint.store import CheckpointError, read_checkpoint
from reidar_plugin.errors import ConfigError, MissingFileError
from reidar_plugin.host import reid
from reidar_plugin.inference.clip_network import FrameAverage
from reidar_plugin.inference.trained_model import find_file, load_trained
from reidar_plugin.models.joint import build_joint
from tests.engine_rig import config, run
from tests.models.ap3d import test_released as ap3d
from tests.models.tclnet import test_released as tclnet
from tests.models.test_released import tensors

pytestmark = pytest.mark.usefixtures("quick_weights")


@pytest.fixture(scope="module")
def host_weights(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """Weights as torchreid saves them, of a network with its head, and that network."""
    network = reid.models.build_model("osnet_x0_25", num_classes=5, loss="softmax", pretrained=False)
    path = tmp_path_factory.mktemp("host") / "osnet.pth.tar"
    torch.save({"state_dict": {f"module.{n}": v for n, v in network.state_dict().items()}, "epoch": 3}, path)
    return path, network.eval()


@pytest.mark.parametrize("name", ["osnet_x0_25", "reidar_osnet_x0_25"])
def test_torchreids_own_weights(host_weights: tuple[Path, Any], name: str) -> None:
    """The network with its head, and the mean over the frames; what torchreid itself makes of each frame."""
    path, network = host_weights
    trained = load_trained(path, name, {"data.height": 64, "data.width": 32})
    assert isinstance(trained.network, FrameAverage)
    assert (trained.card.clip_length, trained.card.actions, trained.card.height) == (1, (), 64)
    frames = torch.randn(2, 3, 3, 64, 32)
    with torch.no_grad():
        expected = torch.stack([network(clip).mean(dim=0) for clip in frames])
        output = trained.network(frames)
    torch.testing.assert_close(output.feature, expected)
    assert output.feature.shape == (2, 512)
    torch.testing.assert_close(output.attention, torch.full((2, 3), 1 / 3))


def test_weights_of_a_joint_model(tmp_path: Path) -> None:
    model = build_joint(
        "osnet_x0_25", 4, num_actions=3, frame_size=(64, 32), pooling="light", action_width=8
    ).eval()
    torch.save(model.state_dict(), tmp_path / "joint.pth")
    settings = {
        "data.height": 64,
        "data.width": 32,
        "reidar.model.pooling": "light",
        "reidar.model.action_width": 8,
    }
    trained = load_trained(tmp_path / "joint.pth", "reidar_osnet_x0_25", settings, thresholds=[0.1, 0.2, 0.3])
    assert trained.card.actions == ("walking", "riding", "using_hands")
    assert trained.card.thresholds == (0.1, 0.2, 0.3)
    frames = torch.randn(2, 4, 3, 64, 32)
    with torch.no_grad():
        ours, theirs = trained.network(frames), model(frames)
    torch.testing.assert_close(ours.feature, theirs.feature, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(ours.action_logits, theirs.action_logits, rtol=1e-4, atol=1e-5)
    with pytest.raises(CheckpointError, match=r"does not fit the model: .*temporal.conv.weight"):
        load_trained(
            tmp_path / "joint.pth", "reidar_osnet_x0_25", {**settings, "reidar.model.pooling": "attention"}
        )
    with pytest.raises(CheckpointError, match=r"temporal.linear.weight has no place"):
        load_trained(
            tmp_path / "joint.pth", "reidar_osnet_x0_25", {**settings, "reidar.model.pooling": "mean"}
        )


@pytest.mark.slow
def test_the_released_codes_weights_need_nothing(tmp_path: Path) -> None:
    torch.save(tensors((4, 2)), tmp_path / "released.pth")
    trained = load_trained(tmp_path / "released.pth")
    card = trained.card
    assert (card.model, card.height, card.width, card.clip_length) == ("reidar_resnet50_ibn_a", 64, 32, 4)
    assert len(card.actions) == 8
    own = trained.network.state_dict()
    torch.testing.assert_close(own["temporal.tconv.weight"], tensors((4, 2))["attention_tconv.weight"])
    assert trained.network.actions.activation.negative_slope == 0.1  # type: ignore[union-attr]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("checkpoint", "name", "width", "frames"),
    [
        (partial(ap3d.checkpoint, non_local=False), "reidar_ap3d_resnet50", 2048, 32),
        (partial(ap3d.checkpoint, non_local=True), "reidar_ap3d_nl_resnet50", 2048, 32),
        (tclnet.checkpoint, "reidar_tclnet_resnet50", 4096, 4),
    ],
    ids=["ap3d", "ap3d_nl", "tclnet"],
)
def test_other_public_weights_need_nothing(
    tmp_path: Path, checkpoint: Callable[[], dict[str, Any]], name: str, width: int, frames: int
) -> None:
    torch.save(checkpoint(), tmp_path / "public.pth")
    trained = load_trained(tmp_path / "public.pth", settings={"data.height": 64, "data.width": 32})
    assert (trained.card.model, trained.card.distance, trained.card.actions) == (name, "cosine", ())
    assert trained.card.clip_length == frames  # as configs/ap3d and configs/tclnet test
    assert trained.network.bottleneck.weight.shape == (width,)  # type: ignore[union-attr]


def test_thresholds_belong_to_the_weights_that_were_tested(mars: Path, tmp_path: Path) -> None:
    """After the third epoch nobody had tested: the thresholds of the second are not those of its weights."""
    options = {"reidar__test__thresholds": "train", "reidar__train__keep": 0}
    run(config(mars, tmp_path, train__max_epoch=2, **options))
    file = tmp_path / "model" / "model.pth.tar-2"
    state = read_checkpoint(file)
    kept = state["reidar"]["parts"]["record"]["thresholds"]
    assert len(kept) == 8
    assert load_trained(file).card.thresholds == tuple(kept)
    state["epoch"] = 3
    torch.save(state, tmp_path / "later.pth.tar")
    with pytest.warns(RuntimeWarning, match="0.5 is taken; give thresholds="):
        assert load_trained(tmp_path / "later.pth.tar").card.thresholds == (0.5,) * 8
    assert load_trained(tmp_path / "later.pth.tar", thresholds=[0.25] * 8).card.thresholds == (0.25,) * 8
    del state["reidar"]["config"]
    torch.save(state, tmp_path / "old.pth.tar")
    with pytest.raises(
        ConfigError, match=r"old.pth.tar holds weights and not what model they are of: name it"
    ):
        load_trained(tmp_path / "old.pth.tar")


def test_which_file_of_a_folder(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"no file of a model at .*nowhere"):
        find_file(tmp_path / "nowhere")
    with pytest.raises(MissingFileError, match="holds no checkpoint"):
        find_file(tmp_path)
    (tmp_path / "model").mkdir()
    for name in ("model.pth.tar-9", "model.pth.tar-10", "model.pth.tar-10+5"):
        (tmp_path / "model" / name).touch()
    assert find_file(tmp_path).name == "model.pth.tar-10+5"
    assert find_file(tmp_path / "model").name == "model.pth.tar-10+5"
    (tmp_path / "model" / "model-best.pth.tar").touch()
    assert find_file(tmp_path).name == "model-best.pth.tar"


def test_what_is_no_model(host_weights: tuple[Path, Any], tmp_path: Path) -> None:
    path, network = host_weights
    wrong = tmp_path / "wrong.pth"
    for content, message in (
        (b"hello", "is not whole .* or no checkpoint"),
        (path.read_bytes()[:-1000], "not whole|cannot be read|damaged"),
    ):
        wrong.write_bytes(content)
        with pytest.raises(CheckpointError, match=message):
            load_trained(wrong, "osnet_x0_25")
    torch.save({"epoch": 3}, wrong)
    with pytest.raises(ValueError, match="holds no tensors by name"):
        load_trained(wrong, "osnet_x0_25")
    torch.save({**network.state_dict(), "conv1.conv.weight": torch.full((16, 3, 7, 7), np.nan)}, wrong)
    with pytest.raises(
        CheckpointError, match=r"NaN or infinity in 1 of \d+ tensors, the first is conv1.conv.weight"
    ):
        load_trained(wrong, "osnet_x0_25")
    with pytest.raises(ConfigError, match="unknown model 'osnet_x0_2'; did you mean 'osnet_x0_25'"):
        load_trained(path, "osnet_x0_2")
    with pytest.raises(CheckpointError, match="does not fit the model"):
        load_trained(path, "osnet_x0_5")
    with pytest.raises(CheckpointError, match=r"holds no weights of asanet: no bottleneck\.weight"):
        load_trained(path, "asanet")
    with pytest.raises(ConfigError, match=r"settings: unknown key 'data\.heigth'"):
        load_trained(path, "osnet_x0_25", {"data.heigth": 64})
