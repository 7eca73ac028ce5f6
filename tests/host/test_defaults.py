"""The toolbox's config that the package does not ship, held against a clone where there is one."""

import importlib.util
import inspect
import os
from pathlib import Path
from types import ModuleType

import pytest

from reidar_plugin import host
from reidar_plugin.host import defaults
from reidar_plugin.host.defaults import toolbox_config


@pytest.fixture
def original() -> ModuleType:
    place = os.environ.get("TORCHREID_REPO", "")
    if not place:
        pytest.skip("set TORCHREID_REPO to a clone of deep-person-reid to compare with its default_config.py")
    spec = importlib.util.spec_from_file_location(
        "toolbox_default_config", Path(place, "scripts/default_config.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_is_the_toolboxs(original: ModuleType) -> None:
    assert toolbox_config() == original.get_default_config()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("image_data_arguments", "imagedata_kwargs"),
        ("video_data_arguments", "videodata_kwargs"),
        ("optimizer_arguments", "optimizer_kwargs"),
        ("scheduler_arguments", "lr_scheduler_kwargs"),
        ("engine_arguments", "engine_run_kwargs"),
    ],
)
def test_arguments_are_the_toolboxs(original: ModuleType, ours: str, theirs: str) -> None:
    cfg = toolbox_config()
    cfg.use_gpu = False
    assert getattr(defaults, ours)(cfg) == getattr(original, theirs)(cfg)


@pytest.mark.parametrize(
    ("arguments", "function"),
    [
        (defaults.image_data_arguments, "data.ImageDataManager"),
        (defaults.video_data_arguments, "data.VideoDataManager"),
        (defaults.optimizer_arguments, "optim.build_optimizer"),
        (defaults.scheduler_arguments, "optim.build_lr_scheduler"),
        (defaults.engine_arguments, "engine.Engine.run"),
    ],
)
def test_the_host_takes_them(arguments: object, function: str) -> None:
    cfg = toolbox_config()
    cfg.use_gpu = False
    target = host.reid
    for part in function.split("."):
        target = getattr(target, part)
    assert arguments(cfg).keys() <= inspect.signature(target).parameters.keys()  # type: ignore[operator]


def test_two_configs_share_nothing() -> None:
    first, second = toolbox_config(), toolbox_config()
    first.data.sources.append("mars")
    assert second.data.sources == ["market1501"]
