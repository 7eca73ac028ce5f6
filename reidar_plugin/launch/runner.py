"""From a config to a run: what ``tools/main.py`` calls, and :func:`reidar_plugin.run`.

The order of calls is that of the toolbox's ``scripts/main.py``, since its random numbers depend on it: both ways of
launching print the same losses.
"""

import argparse
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import nn
from yacs.config import CfgNode

from reidar_plugin import host
from reidar_plugin.config import JOINT
from reidar_plugin.config.files import CheckedConfig, full_config
from reidar_plugin.engine.determinism import repeatable
from reidar_plugin.host import defaults
from reidar_plugin.io.console import say, tee
from reidar_plugin.launch.validation import check_run
from reidar_plugin.ranks.job import Job, joined

__all__ = ["build_datamanager", "build_engine", "build_model", "default_config", "main", "run"]


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
    cfg = full_config()
    cfg.use_gpu = torch.cuda.is_available()
    return cfg


def run(cfg: CfgNode) -> Any:
    """Check the config, enable the plugin for it, build data, model, optimiser, schedule and engine, and run.

    Args:
        cfg: the whole config, merged.

    Returns:
        The engine, after its run.

    Raises:
        ReidarError: the config or the data cannot be used; one line says why.
    """
    with joined() as job, repeatable(cfg.use_gpu, cfg.reidar.train.deterministic):
        return _run(cfg, job)


def _run(cfg: CfgNode, job: Job) -> Any:
    notes = check_run(cfg)
    host.reid.utils.set_random_seed(cfg.train.seed)
    kind = "test" if cfg.test.evaluate else "train"
    log = Path(cfg.data.save_dir, time.strftime(f"{kind}.log-%Y-%m-%d-%H-%M-%S"))
    with tee(log) if job.first else nullcontext():
        say(f"Config\n{cfg}\n")
        for note in notes:
            say(note)
        datamanager = build_datamanager(cfg)
        model = build_model(cfg, datamanager)
        optimizer = host.reid.optim.build_optimizer(model, **defaults.optimizer_arguments(cfg))
        scheduler = host.reid.optim.build_lr_scheduler(optimizer, **defaults.scheduler_arguments(cfg))
        if cfg.model.resume:
            cfg.train.start_epoch = host.reid.utils.resume_from_checkpoint(
                cfg.model.resume, model, optimizer=optimizer, scheduler=scheduler
            )
        engine = build_engine(cfg, datamanager, model, optimizer, scheduler)
        engine.run(**defaults.engine_arguments(cfg))
        return engine


def build_datamanager(cfg: CfgNode) -> Any:
    """Ours for the joint loss, else the toolbox's for pictures or videos."""
    if cfg.loss.name == JOINT:
        from reidar_plugin.data.manager import ClipDataManager

        return ClipDataManager.from_config(cfg)
    if cfg.data.type == "image":
        return host.reid.data.ImageDataManager(**defaults.image_data_arguments(cfg))
    return host.reid.data.VideoDataManager(**defaults.video_data_arguments(cfg))


def build_model(cfg: CfgNode, datamanager: Any) -> nn.Module:
    """The model of ``model.name`` with the weights of ``model.load_weights``, on its device; its size is printed."""
    reid = host.reid
    model = reid.models.build_model(
        name=cfg.model.name,
        num_classes=datamanager.num_train_pids,
        loss=cfg.loss.name,
        pretrained=cfg.model.pretrained,
        use_gpu=cfg.use_gpu,
    )
    parameters, flops = reid.utils.compute_model_complexity(model, (1, 3, cfg.data.height, cfg.data.width))
    say(f"Model {cfg.model.name}: {parameters:,} parameters, {flops:,} multiply-adds a frame")
    if cfg.model.load_weights:
        reid.utils.load_pretrained_weights(model, cfg.model.load_weights)
    if not cfg.use_gpu:
        return model
    model = model.to("cuda")
    several = torch.cuda.device_count() > 1 and cfg.loss.name != JOINT  # the joint engine uses ranks instead
    return nn.DataParallel(model) if several else model


def build_engine(cfg: CfgNode, datamanager: Any, model: nn.Module, optimizer: Any, scheduler: Any) -> Any:
    """Ours for the joint loss, else the toolbox's for the type of the data and the loss."""
    if cfg.loss.name == JOINT:
        from reidar_plugin.engine.joint import JointEngine

        return JointEngine.from_config(cfg, datamanager, model, optimizer, scheduler)
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
