"""The catalogue through the host's own doors."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from yacs.config import CfgNode

from reidar_plugin.config import reidar_node
from reidar_plugin.host import model_table, reid
from reidar_plugin.models.registry import (
    PREFIX,
    arguments,
    builder,
    builders,
    frames_of_training,
    is_ours,
    is_unlisted,
    timm_name,
    why_not,
)
from reidar_plugin.models.trunks import video_trunks
from reidar_plugin.structures import JointOutput

pytestmark = pytest.mark.usefixtures("quick_weights")

SMALL = "reidar_osnet_x0_25"


def config(**model: object) -> CfgNode:
    cfg = CfgNode({"data": {"height": 64, "width": 32}})
    cfg.reidar = reidar_node()
    for key, value in model.items():
        assert key in cfg.reidar.model
        cfg.reidar.model[key] = value
    return cfg


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> object:
    """The host with our names in its table, for frames of 64 x 32."""
    for name, entry in builders(config(attention_width=8)).items():
        monkeypatch.setitem(model_table(), name, entry)
    return reid


def build(host: object, loss: str, name: str = SMALL) -> nn.Module:
    torch.manual_seed(0)
    return host.models.build_model(name, num_classes=5, loss=loss, pretrained=False, use_gpu=False)


def joint_names() -> set[str]:
    return builders().keys() - {"asanet"}


def test_names() -> None:
    names = joint_names()
    assert "reidar_resnet50_ibn_a" in names
    backbones = {name for name in model_table() if name != "asanet" and not name.startswith(PREFIX)}
    assert {*names, *why_not()} == {PREFIX + name for name in [*backbones, *video_trunks()]}
    assert not names & why_not().keys()


def test_registered_names_are_no_backbones(host: object) -> None:
    assert joint_names() == {name for name in model_table() if name.startswith(PREFIX)}


def test_builders_can_be_pickled() -> None:
    copied = pickle.loads(pickle.dumps(builders(config())[SMALL]))
    assert copied(num_classes=2, loss="softmax", pretrained=False, use_gpu=False).frame_size == (64, 32)


def test_defaults_are_the_papers() -> None:
    given = arguments()
    assert given.pop("frame_size") == (256, 128)
    assert given == {
        "last_stride": 1,
        "pooling": "attention",
        "attention_width": 256,
        "attention_relu": True,
        "num_actions": 8,
        "action_width": 512,
        "action_dropout": 0.25,
        "action_activation": "relu",
        "action_source": "feature",
        "action_gradient": True,
        "action_layers": (),
        "action_pooling": "clip",
        "weights": "",
        "sha256": "",
    }


def test_every_key_of_the_config_arrives() -> None:
    changed = {
        "last_stride": 2,
        "pooling": "gem",
        "attention_width": 3,
        "attention_relu": False,
        "num_actions": 4,
        "action_width": 5,
        "action_dropout": 0.5,
        "action_activation": "leaky_relu",
        "action_source": "conv3",
        "action_gradient": False,
        "action_layers": (8,),
        "action_pooling": "max",
        "weights": "file",
        "sha256": "sum",
    }
    assert changed.keys() == reidar_node().model.keys() - {
        "asanet",
        "fetch",
    }  # not the builder's
    assert arguments(config(**changed)) == {"frame_size": (64, 32), **changed}


def test_number_of_actions_follows_the_label_space() -> None:
    cfg = config()
    cfg.reidar.labels.space = "actions3"
    assert arguments(cfg)["num_actions"] == 3
    assert arguments(cfg, num_actions=6)["num_actions"] == 6
    cfg.reidar.model.num_actions = 0
    assert arguments(cfg)["num_actions"] == 0


def test_the_host_builds_the_joint_model(host: object) -> None:
    model = build(host, "reidar")
    output = model(torch.randn(2, 4, 3, 64, 32))
    assert isinstance(output, JointOutput)
    assert output.action_logits.shape == (2, 8)


class Loaded:
    """What the host's engines want of a data manager when one step is all they do."""

    num_train_pids = 5
    train_loader = test_loader = None


@pytest.mark.parametrize("loss", ["softmax", "triplet"])
def test_trains_and_tests_in_the_hosts_engines(host: object, loss: str) -> None:
    model = build(host, loss)
    optimiser = host.optim.build_optimizer(model, optim="adam", lr=0.001)
    kind = host.engine.VideoSoftmaxEngine if loss == "softmax" else host.engine.VideoTripletEngine
    engine = kind(Loaded(), model, optimiser, use_gpu=False)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    host.utils.open_all_layers(model)
    data = {"img": torch.randn(4, 3, 3, 64, 32), "pid": torch.tensor([0, 0, 1, 1])}
    summary = engine.forward_backward(data)
    assert all(np.isfinite(value) for value in summary.values())
    moved = {name for name, p in model.named_parameters() if not torch.equal(p, before[name])}
    assert {"base.conv1.conv.weight", "bottleneck.weight", "classifier.weight"} <= moved
    assert not model.bottleneck.bias.any()
    model.eval()
    with torch.no_grad():
        features = engine.extract_features(data["img"])
    assert features.shape == (4, model.feature_dim)
    assert features.isfinite().all()


@pytest.mark.usefixtures("quick_weights")
@pytest.mark.parametrize("loss", ["softmax", "triplet"])
@pytest.mark.parametrize("name", [name for name in video_trunks() if name.endswith("resnet18")])
def test_trunks_for_clips_train_in_the_hosts_engines(host: object, name: str, loss: str) -> None:
    model = build(host, loss, PREFIX + name)
    optimiser = host.optim.build_optimizer(model, optim="adam", lr=0.001)
    kind = host.engine.VideoSoftmaxEngine if loss == "softmax" else host.engine.VideoTripletEngine
    engine = kind(Loaded(), model, optimiser, use_gpu=False)
    before = {key: p.detach().clone() for key, p in model.named_parameters()}
    data = {"img": torch.randn(4, 2, 3, 64, 32), "pid": torch.tensor([0, 0, 1, 1])}
    assert all(np.isfinite(value) for value in engine.forward_backward(data).values())
    moved = {key for key, p in model.named_parameters() if not torch.equal(p, before[key])}
    assert {"base.layer2.0.conv1.weight", "base.layer4.branches.1.conv1.weight"} & {*before} <= moved
    model.eval()
    with torch.no_grad():
        assert engine.extract_features(data["img"]).shape == (4, model.feature_dim)


def test_the_hosts_fixbase_opens_the_classifier_alone(host: object) -> None:
    model = build(host, "softmax")
    host.utils.open_specified_layers(model, ["classifier"])
    assert [name for name, p in model.named_parameters() if p.requires_grad] == ["classifier.weight"]
    model(torch.randn(1, 1, 3, 64, 32)).sum().backward()  # the neck is in evaluation: one clip is enough


@pytest.mark.parametrize("loss", ["softmax", "reidar"])
def test_the_hosts_complexity_count(host: object, loss: str) -> None:
    model = build(host, loss)
    parameters, flops = host.utils.compute_model_complexity(model, (1, 3, 64, 32))
    assert 100_000 < parameters <= sum(p.numel() for p in model.parameters())
    assert flops > 1_000_000
    assert model.training


def test_the_hosts_feature_extractor(host: object, tmp_path: Path) -> None:
    model = build(host, "softmax").eval()
    torch.save(
        {"state_dict": {f"module.{k}": v for k, v in model.state_dict().items()}}, tmp_path / "model.pth.tar"
    )
    extract = host.utils.FeatureExtractor(
        SMALL, str(tmp_path / "model.pth.tar"), image_size=(64, 32), device="cpu", verbose=True
    )
    frames = torch.randn(3, 3, 64, 32)
    with torch.no_grad():
        torch.testing.assert_close(extract(frames), model(frames))
    pictures = [np.random.default_rng(0).integers(0, 255, (80, 40, 3), dtype=np.uint8) for _ in range(2)]
    assert extract(pictures).shape == (2, 128)


def test_timm_is_known_by_every_name_and_imported_by_none() -> None:
    assert timm_name("reidar_timm_vit_tiny_patch16_224") == "vit_tiny_patch16_224"
    assert timm_name("reidar_resnet50") == timm_name("timm_resnet50") == ""
    made = builder("reidar_timm_nobody_knows", config(pooling="mean"))
    assert made is not None
    assert (made.args, made.keywords["pooling"]) == (("timm_nobody_knows",), "mean")
    assert builder("resnet50") is None
    assert builder(SMALL, config(pooling="gem")).keywords["pooling"] == "gem"
    assert not any(name.startswith("reidar_timm") for name in builders())


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("reidar_ap3d_resnet101", True),
        ("reidar_ap3d_nl_resnet50_ibn_a", True),
        ("reidar_vtn_resnet34", True),
        ("reidar_vtn_timm_vit_tiny_patch16_224", True),
        ("reidar_res2net50", True),
        ("reidar_ap3d_resnet51", False),
        ("reidar_tea_hacnn", False),  # which cannot be a backbone
        ("ap3d_resnet101", False),
    ],
)
def test_networks_behind_a_prefix_are_known_and_not_listed(name: str, known: bool) -> None:
    assert (builder(name) is not None) == is_ours(name) == known
    assert name not in builders()
    assert is_unlisted(name) == name.startswith(PREFIX)


def test_a_network_behind_a_prefix_is_what_it_says() -> None:
    made = builder("reidar_tclnet_resnet34", config(pooling="peak"))
    assert made is not None
    model = made(num_classes=3, loss="softmax", pretrained=False, use_gpu=False)
    assert (model.name, model.branches) == ("tclnet_resnet34", 2)
    assert [frames_of_training(f"reidar_{name}") for name in (model.name, "vtn_resnet34", "resnet50")] == [
        2,
        1,
        1,
    ]


def test_a_network_of_timm_trains_in_the_hosts_engine() -> None:
    pytest.importorskip("timm")
    made = builder("reidar_timm_test_resnet", config(pooling="mean"))
    model = made(num_classes=5, loss="triplet", pretrained=False, use_gpu=False)
    optimiser = reid.optim.build_optimizer(model, optim="adam", lr=0.001)
    engine = reid.engine.VideoTripletEngine(Loaded(), model, optimiser, use_gpu=False)
    before = model.base.conv1[0].weight.detach().clone()
    data = {"img": torch.randn(4, 2, 3, 64, 32), "pid": torch.tensor([0, 0, 1, 1])}
    assert all(np.isfinite(value) for value in engine.forward_backward(data).values())
    assert not torch.equal(model.base.conv1[0].weight, before)
