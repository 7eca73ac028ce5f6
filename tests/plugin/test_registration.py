"""Turning the plugin on and off in the host that is installed."""

import functools
import importlib
import sys

import pytest
import torch
from torch import nn

import reidar_plugin
from reidar_plugin import host
from reidar_plugin.errors import ConfigError, HostError
from reidar_plugin.host.defaults import toolbox_config
from reidar_plugin.plugin import registration

TOY = r"tests\.plugin\.test_registration\.Toy"  #: as an error names it


class Toy(nn.Module):
    def __init__(self, num_classes: int, loss: str, pretrained: bool, use_gpu: bool) -> None:
        super().__init__()
        self.classifier = nn.Linear(3, num_classes)

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        assert clips.dim() == 5
        return self.classifier(clips.mean(dim=(1, 3, 4)))


def state_of_host() -> dict[str, object]:
    reid = host.reid
    functions = {
        name: vars(module).get(name)
        for module in host.torchreid._modules()
        for name in ("read_image", "evaluate_rank", "load_checkpoint")
    }
    return {
        "models": dict(host.model_table()),
        "video": dict(host.dataset_table("video")),
        "save_model": vars(reid.engine.Engine)["save_model"],
        "init": vars(reid.data.VideoDataManager)["__init__"],
        "add": vars(reid.data.Dataset)["__add__"],
        "modules": {name for name in sys.modules if name.startswith("torchreid")},
        **functions,
    }


def test_one_line_says_what_is_in_use(capsys: pytest.CaptureFixture[str]) -> None:
    reidar_plugin.enable()
    reidar_plugin.enable()
    found = host.describe()
    expected = (
        f"reidar_plugin {reidar_plugin.__version__} enabled on torchreid {found.version} at {found.path}\n"
    )
    assert capsys.readouterr().out == expected


def test_disable_leaves_the_host_as_it_was() -> None:
    host.reid.models  # noqa: B018 - loaded before the first look
    reidar_plugin.disable()
    before = state_of_host()
    reidar_plugin.enable()
    reidar_plugin.enable()
    assert state_of_host() != before
    reidar_plugin.disable()
    reidar_plugin.disable()
    assert state_of_host() == before


def test_own_names_are_in_the_host() -> None:
    reidar_plugin.enable()
    assert {"mars_actions", "lpw_actions", "synthped"} <= set(host.dataset_table("video"))
    model = host.reid.models.build_model(
        "reidar_osnet_x0_25", 7, loss="softmax", pretrained=False, use_gpu=False
    )
    assert model(torch.rand(2, 3, 256, 128)).shape == (2, 7)


def test_survives_being_imported_anew() -> None:
    """A notebook reloads modules; the host's tables then hold entries of the old ones."""
    reidar_plugin.enable()
    wanted = dict.fromkeys(host.model_table()).keys()
    reloaded = importlib.reload(registration)
    assert reloaded.is_enabled()
    reloaded.enable(quiet=True)
    assert host.model_table().keys() == wanted
    importlib.reload(registration).disable()
    assert not [name for name in host.model_table() if name.startswith("reidar_")]
    assert not host.is_replaced(host.reid.utils.tools.read_image)


def test_what_a_user_puts_over_a_patch_stays() -> None:
    reidar_plugin.enable()
    tools = host.reid.utils.tools
    own = functools.lru_cache(tools.read_image)  # copies every attribute, also the plugin's mark
    assert not host.is_replaced(own)


def test_a_config_without_the_node_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"has no 'reidar' node; call reidar_plugin\.add_reidar_config"):
        reidar_plugin.enable(toolbox_config())
    assert not registration.is_enabled()


def test_a_host_without_a_patched_function_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(host.reid.metrics.rank, "evaluate_rank")
    with pytest.raises(HostError, match=r"metrics\.rank has no evaluate_rank"):
        reidar_plugin.enable()
    assert not registration.is_enabled()


def test_names_of_models_are_known_without_the_plugin() -> None:
    assert not registration.is_enabled()
    names = registration.model_names()
    assert {"resnet50", "reidar_resnet50", "asanet"} <= set(names)
    assert "toy" not in names
    assert registration.is_own_model("asanet")
    assert not registration.is_own_model("resnet50")
    reidar_plugin.register_model("toy", Toy)
    assert "toy" in registration.model_names()
    assert registration.is_user_model("toy")
    assert not registration.is_own_model("toy")
    assert not registration.is_enabled()


class TestRegisterModel:
    @pytest.mark.parametrize("first", ["register", "enable"])
    def test_is_found_by_the_host(self, first: str) -> None:
        steps = [lambda: reidar_plugin.register_model("toy", Toy), reidar_plugin.enable]
        for step in steps if first == "register" else reversed(steps):
            step()
        model = host.reid.models.build_model("toy", 4, loss="softmax", pretrained=False, use_gpu=False)
        assert isinstance(model, Toy)
        assert model.classifier.out_features == 4
        reidar_plugin.disable()
        assert "toy" not in host.model_table()
        reidar_plugin.enable()
        assert "toy" in host.model_table()

    def test_a_taken_name_says_by_whom(self) -> None:
        where = f"{host.reid.models.__name__}.resnet.resnet50"
        with pytest.raises(ValueError, match=f"model name 'resnet50' is already registered by {where};"):
            reidar_plugin.register_model("resnet50", Toy)
        with pytest.raises(
            ValueError, match=r"model name 'reidar_resnet50' is already registered by reidar_plugin\.models"
        ):
            reidar_plugin.register_model("reidar_resnet50", Toy)
        reidar_plugin.register_model("toy", Toy)
        reidar_plugin.register_model(
            "toy", functools.partial(Toy)
        )  # the same builder again: a notebook cell run twice
        with pytest.raises(ValueError, match=rf"model name 'toy' is already registered by {TOY};"):
            reidar_plugin.register_model("toy", lambda **_: nn.Identity())
        reidar_plugin.register_model("other", lambda **_: nn.Identity())
        with pytest.raises(ValueError, match=r"model name 'other' is already registered by .*<lambda>"):
            reidar_plugin.register_model("other", lambda **_: nn.Linear(1, 1))

    def test_the_hosts_own_builder_is_given_back(self) -> None:
        original = host.model_table()["resnet50"]
        reidar_plugin.register_model("resnet50", original)
        reidar_plugin.enable()
        reidar_plugin.disable()
        assert host.model_table()["resnet50"] is original

    def test_a_builder_must_be_callable(self) -> None:
        with pytest.raises(
            TypeError, match=r"register_model\('toy'\): expected a callable that builds the model, got 3"
        ):
            reidar_plugin.register_model("toy", 3)  # type: ignore[arg-type]


def test_a_dataset_name_taken_by_another_leaves_the_plugin_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(host.dataset_table("video"), "mars_actions", Toy)
    before = state_of_host()
    with pytest.raises(
        ValueError, match=rf"video name 'mars_actions' is already registered in torchreid by {TOY}"
    ):
        reidar_plugin.enable()
    assert not registration.is_enabled()
    assert state_of_host() == before


class TestNetworksOfTimm:
    """They stand in no list; the host's ``build_model`` finds them all the same, while the plugin is on."""

    NAME = "reidar_timm_test_resnet"

    def test_are_built_by_the_host(self) -> None:
        pytest.importorskip("timm")
        cfg = reidar_plugin.add_reidar_config(toolbox_config())
        for pooling, height in (
            ("mean", 64),
            ("gem", 96),
        ):  # also after the plugin was turned on with another config
            cfg.reidar.model.pooling, cfg.data.height, cfg.data.width = pooling, height, 32
            reidar_plugin.enable(cfg, quiet=True)
            model = host.reid.models.build_model(
                self.NAME, 7, loss="softmax", pretrained=False, use_gpu=False
            )
            assert model(torch.rand(2, 3, height, 32)).shape == (2, 7)
            assert model.frame_size == (height, 32)
            assert (type(model.temporal).__name__ == "GeneralisedMean") == (pooling == "gem")
        assert host.model_table()[self.NAME].keywords["pooling"] == "gem"
        reidar_plugin.disable()
        assert self.NAME not in host.model_table()
        with pytest.raises(KeyError, match="Unknown model: reidar_timm_test_resnet"):
            host.reid.models.build_model(self.NAME, 7)

    def test_are_found_wherever_the_host_has_imported_its_builder(self) -> None:
        pytest.importorskip("timm")
        reidar_plugin.enable()
        extractor = sys.modules[host.reid.utils.FeatureExtractor.__module__]
        with pytest.raises(ConfigError, match="timm has no network 'nobody'"):
            extractor.build_model("reidar_timm_nobody", 1)

    def test_so_are_video_networks_that_no_list_has(self) -> None:
        reidar_plugin.enable()
        name = "reidar_tea_resnet34"
        assert name not in registration.model_names()
        model = host.reid.models.build_model(name, 7, loss="softmax", pretrained=False)
        assert model.name == "tea_resnet34"
        assert name in host.model_table()
        with pytest.raises(ConfigError, match="AP3D takes the stages of a ResNet, and osnet_x0_25 has none"):
            host.reid.models.build_model("reidar_ap3d_osnet_x0_25", 7, pretrained=False)
        reidar_plugin.disable()
        assert name not in host.model_table()

    def test_are_our_own(self) -> None:
        assert registration.is_own_model(self.NAME)
        assert self.NAME not in registration.model_names()
        with pytest.raises(
            ConfigError, match="'reidar_timm_test_resnet' is already registered by reidar_plugin"
        ):
            reidar_plugin.register_model(self.NAME, Toy)
