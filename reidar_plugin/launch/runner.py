"""From a config to a run: what the runner hooks into the toolbox's script, and what ``tools/main.py`` calls.

A launch script of the toolbox has four functions that the plugin takes part in (:data:`HOOKS`). Each is replaced by one
that does the plugin's share and leaves the rest to the script's own. For the PyPI package, which has no script, this
module holds the same four and the order of calls of the toolbox, so that both ways print the same losses.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn
from yacs.config import CfgNode

from reidar_plugin import host
from reidar_plugin.config import add_reidar_config
from reidar_plugin.config.files import CheckedConfig, checked
from reidar_plugin.errors import ConfigError
from reidar_plugin.host import defaults
from reidar_plugin.io.console import tee
from reidar_plugin.launch.validation import JOINT, check_config, check_datasets
from reidar_plugin.plugin import registration

__all__ = ["HOOKS", "default_config", "hook", "main", "run"]

#: Functions of a launch script that the plugin takes part in.
HOOKS = ("main", "get_default_config", "build_datamanager", "build_engine")


def hook(functions: dict[str, Any]) -> None:
    """Replace the hooked functions in the namespace of a launch script.

    Args:
        functions: the script's globals, after its definitions have run.
    """
    losses = _losses_of(functions["build_engine"])
    wrappers: dict[str, Callable[..., Any]] = {
        "get_default_config": _with_plugin_keys,
        "check_cfg": partial(_with_our_checks, losses=losses),  # older scripts have none
        "build_datamanager": partial(_with_clips, losses=losses),
        "build_engine": _with_joint_engine,
    }
    for name, wrap in wrappers.items():
        if name in functions:
            functions[name] = wrap(functions[name])


def _losses_of(build_engine: Callable[..., Any]) -> tuple[str, ...]:
    """Words of a script's ``build_engine``: a loss of the user's own is compared with one of them there."""
    code = getattr(build_engine, "__code__", None)
    return tuple(word for word in (code.co_consts if code else ()) if isinstance(word, str))


def _with_plugin_keys(original: Callable[[], CfgNode]) -> Callable[[], CheckedConfig]:
    def get_default_config() -> CheckedConfig:
        return checked(add_reidar_config(original()))

    return get_default_config


def _with_our_checks(original: Callable[[CfgNode], Any], losses: Sequence[str]) -> Callable[[CfgNode], Any]:
    def check_cfg(cfg: CfgNode) -> Any:
        check_config(cfg, losses)  # before the toolbox opens its log and asks the machine who it is
        return original(cfg)

    return check_cfg


def _with_clips(original: Callable[[CfgNode], Any], losses: Sequence[str]) -> Callable[[CfgNode], Any]:
    def build_datamanager(cfg: CfgNode) -> Any:
        check_config(cfg, losses)
        check_datasets(cfg)
        registration.enable(cfg)
        if cfg.loss.name != JOINT:
            return original(cfg)
        from reidar_plugin.data.manager import ClipDataManager

        return ClipDataManager.from_config(cfg)

    return build_datamanager


def _with_joint_engine(original: Callable[..., Any]) -> Callable[..., Any]:
    def build_engine(cfg: CfgNode, datamanager: Any, model: nn.Module, optimizer: Any, scheduler: Any) -> Any:
        if cfg.loss.name != JOINT:
            return original(cfg, datamanager, model, optimizer, scheduler)
        from reidar_plugin.engine.joint import JointEngine

        return JointEngine.from_config(cfg, datamanager, model, optimizer, scheduler)

    return build_engine


# The toolbox's launch, for the package that ships no script.


def main(argv: list[str] | None = None) -> None:
    """Train or test as the flags say; the flags are those of the toolbox's ``scripts/main.py``."""
    parser = argparse.ArgumentParser(
        description="Train or test a torchreid model with reidar_plugin enabled.",
        epilog="Config keys follow the flags: model.name reidar_osnet_x0_25 train.max_epoch 10 test.evaluate True",
    )
    parser.add_argument("--config-file", default="", metavar="FILE", help="a toolbox config (yaml)")
    parser.add_argument("-s", "--sources", nargs="+", metavar="NAME", help="datasets to train on")
    parser.add_argument("-t", "--targets", nargs="+", metavar="NAME", help="datasets to test on")
    parser.add_argument("--transforms", nargs="+", metavar="NAME", help="data augmentation")
    parser.add_argument("--root", default="", metavar="DIR", help="folder of the datasets")
    parser.add_argument(
        "opts", nargs=argparse.REMAINDER, metavar="KEY VALUE", help="config keys and their values"
    )
    args = parser.parse_args(argv)

    cfg = default_config()
    if args.config_file:
        cfg.merge_from_file(args.config_file)
    for key in ("root", "sources", "targets", "transforms"):
        if getattr(args, key):
            cfg.data[key] = getattr(args, key)
    cfg.merge_from_list(args.opts)
    run(cfg)


def default_config() -> CheckedConfig:
    """The toolbox's config with the ``reidar`` node, ready for ``merge_from_file`` and ``merge_from_list``."""
    cfg = checked(add_reidar_config(defaults.toolbox_config()))
    cfg.use_gpu = torch.cuda.is_available()
    return cfg


def run(cfg: CfgNode) -> Any:
    """Data, model, optimiser, engine, run: in the toolbox's order, since its random numbers depend on it.

    Args:
        cfg: the whole config, merged.

    Returns:
        The engine, after its run.
    """
    registration.enable(cfg)
    functions: dict[str, Any] = {
        "main": main,
        "get_default_config": default_config,
        "check_cfg": _check_fixed_base,
        "build_datamanager": _build_datamanager,
        "build_engine": _build_engine,
    }
    hook(functions)
    reid = host.reid
    reid.utils.set_random_seed(cfg.train.seed)
    functions["check_cfg"](cfg)
    kind = "test" if cfg.test.evaluate else "train"
    with tee(Path(cfg.data.save_dir, time.strftime(f"{kind}.log-%Y-%m-%d-%H-%M-%S"))):
        _say(f"Config\n{cfg}\n")
        torch.backends.cudnn.benchmark = bool(cfg.use_gpu)
        datamanager = functions["build_datamanager"](cfg)
        model = _build_model(cfg, datamanager)
        optimizer = reid.optim.build_optimizer(model, **defaults.optimizer_arguments(cfg))
        scheduler = reid.optim.build_lr_scheduler(optimizer, **defaults.scheduler_arguments(cfg))
        if cfg.model.resume and reid.utils.check_isfile(cfg.model.resume):
            cfg.train.start_epoch = reid.utils.resume_from_checkpoint(
                cfg.model.resume, model, optimizer=optimizer, scheduler=scheduler
            )
        engine = functions["build_engine"](cfg, datamanager, model, optimizer, scheduler)
        engine.run(**defaults.engine_arguments(cfg))
        return engine


def _check_fixed_base(cfg: CfgNode) -> None:
    if cfg.loss.name == "triplet" and cfg.loss.triplet.weight_x == 0 and cfg.train.fixbase_epoch:
        raise ConfigError(
            f"train.fixbase_epoch {cfg.train.fixbase_epoch} trains the classifier alone, and "
            "loss.triplet.weight_x 0 leaves it out; set one of them"
        )


def _build_model(cfg: CfgNode, datamanager: Any) -> nn.Module:
    reid = host.reid
    model = reid.models.build_model(
        name=cfg.model.name,
        num_classes=datamanager.num_train_pids,
        loss=cfg.loss.name,
        pretrained=cfg.model.pretrained,
        use_gpu=cfg.use_gpu,
    )
    parameters, flops = reid.utils.compute_model_complexity(model, (1, 3, cfg.data.height, cfg.data.width))
    _say(f"Model {cfg.model.name}: {parameters:,} parameters, {flops:,} multiply-adds a frame")
    if cfg.model.load_weights and reid.utils.check_isfile(cfg.model.load_weights):
        reid.utils.load_pretrained_weights(model, cfg.model.load_weights)
    if not cfg.use_gpu:
        return model
    model = model.to("cuda")
    return nn.DataParallel(model) if torch.cuda.device_count() > 1 else model


def _build_datamanager(cfg: CfgNode) -> Any:
    if cfg.data.type == "image":
        return host.reid.data.ImageDataManager(**defaults.image_data_arguments(cfg))
    return host.reid.data.VideoDataManager(**defaults.video_data_arguments(cfg))


def _build_engine(cfg: CfgNode, datamanager: Any, model: nn.Module, optimizer: Any, scheduler: Any) -> Any:
    arguments: dict[str, Any] = {
        "optimizer": optimizer,
        "scheduler": scheduler,
        "use_gpu": cfg.use_gpu,
        "label_smooth": cfg.loss.softmax.label_smooth,
    }
    kind = "Image" if cfg.data.type == "image" else "Video"
    if kind == "Video" and cfg.loss.name == "softmax":
        arguments["pooling_method"] = cfg.video.pooling_method
    if cfg.loss.name == "triplet":  # the toolbox's script leaves its pooling at the mean, and so do we
        triplet = cfg.loss.triplet
        arguments.update(margin=triplet.margin, weight_t=triplet.weight_t, weight_x=triplet.weight_x)
    engine = getattr(host.reid.engine, f"{kind}{cfg.loss.name.capitalize()}Engine")
    return engine(datamanager, model, **arguments)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
