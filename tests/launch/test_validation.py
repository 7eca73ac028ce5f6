"""What is refused before anything is built."""

import pytest
import torch

import reidar_plugin
from reidar_plugin.config.files import CheckedConfig, checked
from reidar_plugin.errors import ConfigError
from reidar_plugin.host.defaults import toolbox_config
from reidar_plugin.launch.validation import check_config, check_datasets
from reidar_plugin.plugin import registration
from reidar_plugin.ranks import job


@pytest.fixture
def cfg(monkeypatch: pytest.MonkeyPatch) -> CheckedConfig:
    reidar_plugin.enable()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    cfg = checked(reidar_plugin.add_reidar_config(toolbox_config()))
    cfg.use_gpu = False
    cfg.merge_from_list(["data.type", "video", "data.sources", "['mars']", "data.targets", "['mars']"])
    return cfg


@pytest.mark.parametrize(
    "opts",
    [
        [],
        ["loss.name", "triplet"],
        [
            "loss.name",
            "reidar",
            "model.name",
            "reidar_osnet_x0_25",
            "data.sources",
            "['mars_actions', 'synthped']",
        ],
        ["model.name", "reidar_osnet_x0_25"],
        ["data.type", "image", "data.sources", "['market1501']", "data.targets", "['viper']"],
        ["video.sample_method", "all", "train.batch_size", "1", "test.batch_size", "1"],
        ["video.sample_method", "all", "test.batch_size", "1", "test.evaluate", "True"],
        [
            "loss.name",
            "reidar",
            "model.name",
            "reidar_osnet_x0_25",
            "sampler.train_sampler",
            "balanced_identity",
        ],
    ],
)
def test_what_goes_together_is_taken(cfg: CheckedConfig, opts: list[str]) -> None:
    cfg.merge_from_list(opts)
    before = cfg.clone()
    assert check_config(cfg) == []
    check_datasets(cfg)
    assert cfg == before


@pytest.mark.parametrize(
    ("opts", "message"),
    [
        (
            ["loss.name", "tripplet"],
            r"unknown loss\.name 'tripplet'; did you mean 'triplet'\? choose one of softmax, triplet, reidar",
        ),
        (["loss.name", "x"], r"unknown loss\.name 'x'; choose one of softmax, triplet, reidar"),
        (["data.type", "vidio"], r"unknown data\.type 'vidio'; did you mean 'video'\?"),
        (
            ["model.name", "reidar_osnet_x025"],
            r"unknown model\.name 'reidar_osnet_x025'; did you mean 'reidar_osnet_x0_25'\?",
        ),
        (
            ["data.sources", "['mars_action']"],
            r"unknown data\.sources 'mars_action'; did you mean 'mars_actions'\?",
        ),
        (
            ["data.targets", "['marss']", "data.type", "image", "data.sources", "['viper']"],
            r"unknown data\.targets 'marss'; did you mean 'mars'\?",
        ),
        (
            ["data.sources", "['viper']"],
            r"data\.sources: 'viper' is an image dataset and data\.type is 'video'",
        ),
        (["data.type", "image"], r"data\.sources: 'mars' is a video dataset and data\.type is 'image'"),
        (
            [
                "data.type",
                "image",
                "data.sources",
                "['viper']",
                "data.targets",
                "['viper']",
                "model.name",
                "reidar_resnet50",
            ],
            r"model 'reidar_resnet50' is for video and data\.type is 'image'; set data\.type video",
        ),
        (
            [
                "data.type",
                "image",
                "data.sources",
                "['viper']",
                "data.targets",
                "['viper']",
                "loss.name",
                "reidar",
            ],
            r"loss\.name 'reidar' is for video and data\.type is 'image'",
        ),
        (["loss.name", "reidar"], r"model\.name is 'resnet50'; set model\.name reidar_resnet50"),
        (
            ["loss.name", "reidar", "model.name", "pcb_p6"],
            r"model\.name is 'pcb_p6'; choose asanet, or a model whose name starts with 'reidar_'",
        ),
        (
            ["video.sample_method", "all"],
            r"need train\.batch_size and test\.batch_size 1, got 32 and 100",
        ),  # H5
        (
            ["sampler.train_sampler", "RandomSamplr"],
            r"unknown sampler\.train_sampler 'RandomSamplr'; did you mean 'RandomSampler'\?",
        ),
        (["sampler.train_sampler", "identity_pass"], r"unknown sampler\.train_sampler 'identity_pass'"),
        (["train.optim", "adem"], r"unknown train\.optim 'adem'; did you mean 'adam'\?"),
        (["train.lr_scheduler", "step"], r"unknown train\.lr_scheduler 'step';"),
        (
            ["data.transforms", "['random_flipp']"],
            r"unknown data\.transforms 'random_flipp'; did you mean 'random_flip'\?",
        ),
        (["model.load_weights", "gone.pth"], r"model\.load_weights: there is no file 'gone\.pth'"),
        (["model.resume", "gone.pth"], r"model\.resume: there is no file 'gone\.pth'"),
        (["data.targets", "[]"], r"data\.targets names no dataset; choose from mars, "),
        (
            ["loss.name", "triplet", "train.fixbase_epoch", "2"],
            r"train\.fixbase_epoch 2 trains the classifier alone, and loss\.triplet\.weight_x 0 leaves it out",
        ),
        (["use_gpu", "True"], r"use_gpu True needs a GPU, and torch finds none here; leave use_gpu out"),
        (
            [
                *["loss.name", "reidar", "model.name", "reidar_resnet50", "data.type", "video"],
                *["reidar.loss.erasing.form", "scores", "reidar.model.attention_relu", "False"],
            ],
            r"form 'scores' minimises scores that have no lower end .* set reidar\.model\.attention_relu True",
        ),
        (["train.seed", "-1"], r"train\.seed: expected a number from 0 to 2\^32 - 1, got -1"),
        (["test.ranks", "[1, 60]"], r"test\.ranks: the host computes ranks 1 to 50, got \[1, 60\]"),
    ],
)
def test_what_does_not_is_one_line(cfg: CheckedConfig, opts: list[str], message: str) -> None:
    cfg.merge_from_list(opts)
    with pytest.raises(ConfigError, match=message) as caught:
        [check(cfg) for check in (check_config, check_datasets)]
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "flag", "words"),
    [
        ("targets", "-t", ["mars", "data.type", "video"]),
        ("sources", "-s", ["mars", "data.type", "video"]),
        ("transforms", "--transforms", ["random_flip", "data.typ", "video"]),
    ],
)
def test_a_flag_that_took_the_pairs_is_named(key: str, flag: str, words: list[str]) -> None:
    """What argparse makes of ``-t mars data.type video``: ``data.type`` is then still ``image``."""
    cfg = checked(reidar_plugin.add_reidar_config(toolbox_config()))
    cfg.data[key] = words
    cfg.loss.name = "reidar"
    cure = rf"so put another flag before the pairs: {flag} {words[0]} --root DIR {words[1]} video$"
    with pytest.raises(ConfigError, match=cure):
        check_config(cfg)
    with pytest.raises(
        ConfigError, match=rf"data\.{key}: '{words[1]}' is a config key, not a name; the flag {flag} takes"
    ):
        check_config(cfg)


def test_video_networks_on_any_resnet(cfg: CheckedConfig) -> None:
    cfg.merge_from_list(["loss.name", "reidar", "model.name", "reidar_ap3d_resnet101"])
    check_config(cfg)
    cfg.model.name = "reidar_ap3d_resnet51"
    with pytest.raises(ConfigError, match=r"unknown model.name .*did you mean 'reidar_ap3d_resnet50'"):
        check_config(cfg)


@pytest.mark.parametrize("frames", [1, 3])
def test_tclnet_trains_on_pairs(cfg: CheckedConfig, frames: int) -> None:
    cfg.merge_from_list(
        ["loss.name", "reidar", "model.name", "reidar_tclnet_resnet18", "video.seq_len", frames]
    )
    with pytest.raises(
        ConfigError, match=rf"seq_len {frames}: reidar_tclnet_resnet18 trains on clips of 2, 4, "
    ):
        check_config(cfg)
    cfg.video.seq_len = 2
    check_config(cfg)


def test_names_of_timm_are_timms(cfg: CheckedConfig) -> None:
    pytest.importorskip("timm")
    cfg.merge_from_list(["loss.name", "reidar", "model.name", "reidar_timm_test_vit"])
    assert check_config(cfg) == []
    cfg.model.name = "reidar_timm_test_vitt"
    with pytest.raises(ConfigError, match="timm has no network 'test_vitt'; the nearest names are test_vit"):
        check_config(cfg)


def test_names_of_models_are_known_while_the_plugin_is_off(cfg: CheckedConfig) -> None:
    registration.disable()
    cfg.merge_from_list(["model.name", "reidar_osnet_x0_25", "loss.name", "reidar"])
    check_config(cfg)
    assert not registration.is_enabled()


def test_a_gpu_may_be_asked_for_where_there_is_one(
    cfg: CheckedConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    cfg.merge_from_list(["use_gpu", "True"])
    assert check_config(cfg) == []


def test_only_the_joint_engine_has_ranks(cfg: CheckedConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "_current", job.Job(1, 2))
    with pytest.raises(
        ConfigError, match=r"loss\.name 'softmax' .* knows of no ranks: .* set loss\.name reidar"
    ):
        check_config(cfg)
