import hashlib
import urllib.error
from pathlib import Path

import gdown
import pytest
import torch

from reidar_plugin.models import weights
from reidar_plugin.models.backbones import build_backbone
from reidar_plugin.models.joint import build_joint
from reidar_plugin.models.weights import (
    load_backbone_weights,
    pretrained_backbone,
    published_file,
    read_tensors,
)

pytestmark = pytest.mark.usefixtures("quick_weights")

SIZE = (64, 32)


class Code:
    """Something that only pickle can bring back."""

    def __reduce__(self) -> tuple:
        return (Path, ("ran",))


@pytest.fixture(scope="module")
def imagenet() -> dict[str, torch.Tensor]:
    """An ImageNet checkpoint as published: names of the network, and a classifier of 1,000 classes."""
    torch.manual_seed(0)
    state = dict(build_backbone("resnet50_ibn_a", frame_size=SIZE).network.state_dict())
    for name, tensor in state.items():
        if tensor.is_floating_point():
            state[name] = torch.randn_like(tensor)
    state = {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}
    return {**state, "fc.weight": torch.zeros(1000, 2048), "fc.bias": torch.zeros(1000)}


@pytest.fixture
def published(imagenet: dict[str, torch.Tensor], tmp_path: Path) -> Path:
    path = tmp_path / "resnet50_ibn_a.pth.tar"
    torch.save({"epoch": 90, "state_dict": {f"module.{k}": v for k, v in imagenet.items()}}, path)
    return path


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache and no network; returns the folder of the cache."""

    def refuse(*args: object, **kwargs: object) -> None:
        raise urllib.error.URLError("Temporary failure in name resolution")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(gdown, "download", refuse)
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", refuse)
    for module in ("resnet", "densenet", "senet"):
        host = pytest.importorskip(
            f"{weights.host_builder('resnet50').__module__.rpartition('.')[0]}.{module}"
        )
        monkeypatch.setattr(host.model_zoo, "load_url", refuse)
    return tmp_path / "home" / "hub" / "checkpoints"


def test_a_local_file_fills_the_backbone(
    published: Path, imagenet: dict[str, torch.Tensor], capsys: pytest.CaptureFixture[str]
) -> None:
    model = build_joint("resnet50_ibn_a", 5, pretrained=True, frame_size=SIZE, weights=str(published))
    for name, tensor in model.base.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            torch.testing.assert_close(tensor, imagenet[name], msg=name)
    said = f"resnet50_ibn_a: 291 tensors loaded, 2 unused (fc.weight, fc.bias) from {published}\n"
    assert capsys.readouterr().out == said


@pytest.mark.parametrize("trunk", ["resnet18", "vtn_resnet18"])
def test_a_checkpoint_of_a_run_gives_its_trunk(trunk: str, tmp_path: Path) -> None:
    """Of a plain network, also to one that sees clips; classifier and neck stay as they were."""
    torch.manual_seed(0)
    trained = build_joint("resnet18", 7, frame_size=SIZE, pooling="mean")
    path = tmp_path / "model-best.pth.tar"
    torch.save({"epoch": 3, "state_dict": {f"module.{k}": v for k, v in trained.state_dict().items()}}, path)
    model = build_joint(trunk, 5, pretrained=True, frame_size=SIZE, pooling="mean", weights=str(path))
    network = model.base.spatial if trunk.startswith("vtn") else model.base
    for name, tensor in trained.base.state_dict().items():
        torch.testing.assert_close(network.state_dict()[name], tensor, msg=name)
    assert model.classifier.weight.shape[0] == 5


def test_names_of_ibn_layers_are_the_published_ones(imagenet: dict[str, torch.Tensor]) -> None:
    assert {"layer1.0.bn1.IN.weight", "layer3.5.bn1.BN.running_var", "layer4.2.bn1.weight"} <= imagenet.keys()


def test_report_says_what_was_not_loaded(imagenet: dict[str, torch.Tensor]) -> None:
    network = build_backbone("resnet50_ibn_a", frame_size=SIZE).network
    partial = {**imagenet, "conv1.weight": torch.zeros(64, 4, 7, 7)}
    del partial["layer4.2.conv3.weight"]
    before = network.conv1.weight.clone()
    report = load_backbone_weights(network, partial)
    assert report.missing == ["layer4.2.conv3.weight"]
    assert report.mismatched == ["conv1.weight"]
    assert report.unused == ["fc.weight", "fc.bias"]
    assert "1 missing (layer4.2.conv3.weight), 1 mismatched (conv1.weight), 2 unused" in str(report)
    torch.testing.assert_close(network.conv1.weight, before)


def test_a_backbone_that_stays_mostly_empty_is_an_error(imagenet: dict[str, torch.Tensor]) -> None:
    network = build_backbone("resnet50_ibn_a", frame_size=SIZE).network
    some = {
        name: tensor for name, tensor in imagenet.items() if name.startswith(("layer1", "layer2", "layer3"))
    }
    before = network.layer1[0].conv1.weight.clone()
    with pytest.raises(
        ValueError, match=r"old\.pth fills only 36% of the backbone: .*give the weights of this very"
    ):
        load_backbone_weights(network, some, source="old.pth")
    torch.testing.assert_close(network.layer1[0].conv1.weight, before)  # and nothing was touched
    elsewhere = {f"encoder.{name}": tensor for name, tensor in imagenet.items()}
    with pytest.raises(ValueError, match="fills only 0%"):
        load_backbone_weights(network, elsewhere)


def test_checksum(published: Path) -> None:
    right = hashlib.sha256(published.read_bytes()).hexdigest()
    assert "conv1.weight" in read_tensors(published, sha256=right.upper())
    with pytest.raises(ValueError, match=f"has the SHA-256 {right}, expected {'0' * 64}"):
        read_tensors(published, sha256="0" * 64)


def test_pickled_code_is_refused(tmp_path: Path) -> None:
    torch.save({"state_dict": {"conv1.weight": torch.zeros(1)}, "extra": Code()}, tmp_path / "code.pth")
    with pytest.raises(
        ValueError,
        match=r"code\.pth holds pathlib.Path, which only running code .*: refused; save .* state dict$",
    ):
        read_tensors(tmp_path / "code.pth")


def test_broken_and_empty_files_are_refused(tmp_path: Path, published: Path) -> None:
    (tmp_path / "cut.pth").write_bytes(published.read_bytes()[:5000])
    (tmp_path / "text.pth").write_text("not found")
    for name in ("cut.pth", "text.pth"):
        with pytest.raises(ValueError, match=rf"{name} cannot be read \(.*save it again$"):
            read_tensors(tmp_path / name)
    torch.save([torch.zeros(1)], tmp_path / "list.pth")
    torch.save({"epoch": 3}, tmp_path / "epoch.pth")
    for name in ("list.pth", "epoch.pth"):
        with pytest.raises(ValueError, match=f"{name} holds no tensors by name"):
            read_tensors(tmp_path / name)
    with pytest.raises(FileNotFoundError, match=r"no file of weights at .*gone\.pth"):
        read_tensors(tmp_path / "gone.pth")


def test_fetched_once_into_the_cache(offline: Path, published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def download(id: str, output: str, quiet: bool) -> str:
        asked.append(id)
        Path(output).write_bytes(published.read_bytes())
        return output

    monkeypatch.setattr(gdown, "download", download)
    first, second = published_file(), published_file()
    assert first == second == offline / "resnet50_ibn_a.pth.tar"
    assert asked == ["13lprTFafpXORqs7XXMLYaelbtw6NxQM1"]
    assert [file.name for file in offline.iterdir()] == ["resnet50_ibn_a.pth.tar"]
    model = build_joint("resnet50_ibn_a", 5, pretrained=True, frame_size=SIZE)
    torch.testing.assert_close(model.base.conv1.weight, read_tensors(published)["conv1.weight"])


@pytest.mark.parametrize("arrived", [None, "error"])
def test_without_a_network_says_which_file_to_put_where(
    offline: Path, monkeypatch: pytest.MonkeyPatch, arrived: str | None
) -> None:
    if arrived is None:
        monkeypatch.setattr(gdown, "download", lambda **given: None)
    with pytest.raises(FileNotFoundError) as caught:
        build_joint("resnet50_ibn_a", 5, pretrained=True, frame_size=SIZE)
    message = str(caught.value)
    assert "\n" not in message
    assert "drive.google.com/uc?id=13lprTFafpXORqs7XXMLYaelbtw6NxQM1" in message
    assert str(offline / "resnet50_ibn_a.pth.tar") in message
    assert ("nothing came" if arrived is None else "name resolution") in message
    assert list(offline.iterdir()) == []


def test_a_broken_transfer_leaves_nothing_behind(offline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_off(id: str, output: str, quiet: bool) -> str:
        Path(output).write_bytes(b"half")
        raise ConnectionError("reset by peer")

    monkeypatch.setattr(gdown, "download", break_off)
    with pytest.raises(FileNotFoundError, match="reset by peer"):
        published_file()
    assert list(offline.iterdir()) == []


@pytest.mark.parametrize("name", ["resnet50", "densenet121", "osnet_x0_25"])
def test_the_hosts_own_download_fails_in_one_line(name: str, offline: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        pretrained_backbone(name, frame_size=SIZE)
    assert f"could not fetch its ImageNet weights for {name}" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["mobilenetv2_x1_0", "shufflenet", "mlfn", "mudeep"])
def test_weights_that_the_host_does_not_have_are_an_error(name: str) -> None:
    with pytest.raises(
        FileNotFoundError, match=f"torchreid has no ImageNet weights .*for {name}; name a file in"
    ):
        pretrained_backbone(name, frame_size=SIZE)


def test_the_hosts_own_weights_arrive(offline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = build_backbone("resnet18", frame_size=SIZE).network
    state = {name: torch.full_like(tensor, 2) for name, tensor in network.state_dict().items()}
    host = pytest.importorskip(weights.host_builder("resnet18").__module__)
    monkeypatch.setattr(host.model_zoo, "load_url", lambda url: state)
    assert (pretrained_backbone("resnet18", frame_size=SIZE).network.conv1.weight == 2).all()
