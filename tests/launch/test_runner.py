"""From a config to a run without a launch script, and what is refused before anything is built."""

import errno
import gc
import io
import sys
from pathlib import Path

import pytest

import reidar_plugin
from reidar_plugin.config.files import CheckedConfig, checked
from reidar_plugin.errors import ConfigError, ReidarError
from reidar_plugin.host.defaults import toolbox_config
from reidar_plugin.io.console import tee
from reidar_plugin.launch import runner, script
from reidar_plugin.launch.validation import check_config, check_datasets
from tests.fakes import write_mars
from tests.standin import write_config


@pytest.fixture
def cfg() -> CheckedConfig:
    reidar_plugin.enable()
    cfg = checked(reidar_plugin.add_reidar_config(toolbox_config()))
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
    check_config(cfg)
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
        (["model.load_weights", "gone.pth"], r"model\.load_weights: there is no file gone\.pth"),
        (["model.resume", "gone.pth"], r"model\.resume: there is no file gone\.pth"),
        (["data.targets", "[]"], r"data\.targets names no dataset; choose from mars, "),
        (
            ["data.sources", "['model.pretrained']"],
            r"'model\.pretrained' is a config key, not a dataset; a flag that takes several",
        ),
        (
            [
                *["loss.name", "reidar", "model.name", "reidar_resnet50", "data.type", "video"],
                *["reidar.loss.erasing.form", "scores", "reidar.model.attention_relu", "False"],
            ],
            r"form 'scores' minimises scores that have no lower end .* set reidar\.model\.attention_relu True",
        ),
        (["test.ranks", "[1, 60]"], r"test\.ranks: the host computes ranks 1 to 50, got \[1, 60\]"),
    ],
)
def test_what_does_not_is_one_line(cfg: CheckedConfig, opts: list[str], message: str) -> None:
    cfg.merge_from_list(opts)
    with pytest.raises(ConfigError, match=message) as caught:
        [check(cfg) for check in (check_config, check_datasets)]
    assert "\n" not in str(caught.value)


def test_hook_leaves_the_hosts_work_to_the_host(cfg: CheckedConfig) -> None:
    """Every loss but ours ends in the script's own functions, with the script's own arguments."""
    calls: list[tuple[str, tuple[object, ...]]] = []
    functions = {name: lambda *args, name=name: calls.append((name, args)) or name for name in runner.HOOKS}
    runner.hook(functions)
    assert functions["build_datamanager"](cfg) == "build_datamanager"
    assert functions["build_engine"](cfg, 1, 2, 3, 4) == "build_engine"
    assert calls == [("build_datamanager", (cfg,)), ("build_engine", (cfg, 1, 2, 3, 4))]


def test_a_script_may_know_a_loss_of_its_own(cfg: CheckedConfig) -> None:
    def build_engine(
        cfg: CheckedConfig, datamanager: object, model: object, optimizer: object, scheduler: object
    ) -> str:
        return "mine" if cfg.loss.name == "centre_of_mine" else "the host's"

    functions = {name: lambda *_: None for name in runner.HOOKS}
    functions["build_engine"] = build_engine
    runner.hook(functions)
    cfg.merge_from_list(["loss.name", "centre_of_mine"])
    functions["build_datamanager"](cfg)
    assert functions["build_engine"](cfg, 1, 2, 3, 4) == "mine"
    cfg.merge_from_list(["loss.name", "centre_of_min"])
    with pytest.raises(ConfigError, match=r"unknown loss\.name 'centre_of_min'"):
        functions["build_datamanager"](cfg)


def test_a_log_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ReidarError, match=r"cannot be written: .*; set data\.save_dir"),
        tee(tmp_path / "file/log"),
    ):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_log_on_a_full_disk_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = sys.stdout
    with (
        pytest.raises(
            ReidarError, match=r"the log /dev/full cannot be written: No space left .*; free space"
        ),
        tee(Path("/dev/full")),
    ):
        print("lost")  # noqa: T201
    assert sys.stdout is terminal


def test_an_error_is_shown_where_the_hosts_log_is_full(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sys, "stdout", Full())
    assert script.show(ConfigError("what was asked for")) == 2
    assert capsys.readouterr().err == "error: what was asked for\n"
    assert sys.stdout is sys.__stdout__  # else the interpreter would fail at its own flush


def test_the_log_leaves_standard_output_open(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The host's own closes it when it is collected."""
    with tee(tmp_path / "log/train.log"):
        print("both")  # noqa: T201
    gc.collect()
    print("terminal")  # noqa: T201
    assert capsys.readouterr().out == "both\nterminal\n"
    assert (tmp_path / "log/train.log").read_text() == "both\n"


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["softmax", "triplet"])
def test_trains_and_then_tests_a_host_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], loss: str
) -> None:
    write_mars(tmp_path, train_people=2, tracklets=2, frames=2, distractors=0)
    config = str(write_config(tmp_path))
    own = [
        "loss.name",
        loss,
        "loss.triplet.weight_x",
        "1.0",
        "sampler.train_sampler",
        "RandomIdentitySampler",
        "sampler.num_instances",
        "2",
    ]
    runner.main(["--config-file", config, "-s", "mars", "--root", str(tmp_path), *own])
    trained = capsys.readouterr().out
    assert "Rank-1  :" in trained
    checkpoint = tmp_path / "log" / "model" / "model.pth.tar-1"
    runner.main(
        ["--config-file", config, *own, "model.load_weights", str(checkpoint), "test.evaluate", "True"]
    )
    tested = capsys.readouterr().out
    ranks = [line for line in trained.splitlines() if line.startswith(("mAP", "Rank"))]
    assert ranks == [line for line in tested.splitlines() if line.startswith(("mAP", "Rank"))] != []
    assert "Successfully loaded pretrained weights" in tested
