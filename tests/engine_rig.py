"""A joint engine on a fake MARS, small enough for seconds, and what compares two runs."""

import io
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from yacs.config import CfgNode

from reidar_plugin.checkpoint.store import read_checkpoint
from reidar_plugin.config import add_reidar_config
from reidar_plugin.data.manager import ClipDataManager
from reidar_plugin.engine import reporting
from reidar_plugin.engine.joint import JointEngine
from reidar_plugin.host import defaults, reid
from reidar_plugin.labels.from_config import configured_space
from reidar_plugin.models.backbones import Backbone
from reidar_plugin.models.heads import ActionNetwork
from reidar_plugin.models.joint import JointModel
from reidar_plugin.models.temporal import build_pooling
from reidar_plugin.plugin import registration
from tests import fakes

__all__ = ["OSNET", "build", "config", "differences", "first_step", "make_data", "run", "tiny", "weights"]

#: The smallest backbone of the host.
OSNET = "reidar_osnet_x0_25"

_OPTIONS: dict[str, Any] = {
    "model.name": "tiny",
    "model.pretrained": False,
    "data.type": "video",
    "data.sources": ["mars_actions"],
    "data.targets": ["mars_actions"],
    "data.height": 32,
    "data.width": 16,
    "data.workers": 0,
    "video.seq_len": 2,
    "sampler.train_sampler": "identity_pass",
    "sampler.num_instances": 2,
    "train.batch_size": 4,
    "train.print_freq": 1,
    "train.max_epoch": 2,
    "test.batch_size": 4,
    "loss.name": "reidar",
    "reidar.model.attention_width": 8,
    "reidar.model.action_width": 8,
    "reidar.test.resamples": 50,
    "reidar.test.pictures": 2,
}


def make_data(root: Path) -> Path:
    """A MARS of 6 people to train on (3 batches of 4 an epoch) and 3 to test on."""
    fakes.write_mars(root, train_people=6, test_people=3, frames=[3, 5])
    return root


def tiny(num_classes: int, loss: str, pretrained: bool, use_gpu: bool, actions: int = 8) -> JointModel:
    """A joint model with one convolution, for 32 x 16 pixels; registered as a user would register it."""
    network = nn.Sequential(nn.Conv2d(3, 8, 5, stride=8, padding=2), nn.BatchNorm2d(8), nn.ReLU())
    backbone = Backbone(
        "tiny", network, lambda net, frames: net(frames), channels=8, map_size=(4, 2), frame_size=(32, 16)
    )
    pooling = build_pooling("attention", channels=8, size=(4, 2), width=4)
    heads = ActionNetwork(8, actions, width=4) if actions else None
    return JointModel(backbone, pooling, num_classes=num_classes, actions=heads, loss=loss)


def _builder(cfg: CfgNode) -> Any:
    space = configured_space(cfg.reidar)
    actions = len(space) if cfg.reidar.model.num_actions < 0 else cfg.reidar.model.num_actions

    def tiny_model(**given: Any) -> JointModel:
        return tiny(**given, actions=actions)

    return tiny_model


def config(root: Path, save_dir: Path, **options: Any) -> CfgNode:
    """A config of the toolbox; options as ``train__max_epoch=3``."""
    cfg = add_reidar_config(defaults.toolbox_config())
    given = {key.replace("__", "."): value for key, value in options.items()}
    merged = {**_OPTIONS, "data.root": str(root), "data.save_dir": str(save_dir), **given}
    cfg.use_gpu = False
    cfg.merge_from_list([part for item in merged.items() for part in item])
    return cfg


def build(cfg: CfgNode, engine: type[JointEngine] = JointEngine) -> JointEngine:
    """What a launch script of the toolbox builds, in its order."""
    with redirect_stdout(io.StringIO()):
        registration.disable()
        registration._user_models.clear()
        registration.register_model("tiny", _builder(cfg))
        registration.enable(cfg)
        reid.utils.set_random_seed(cfg.train.seed)
        data = ClipDataManager.from_config(cfg)
        model = reid.models.build_model(
            cfg.model.name, data.num_train_pids, loss=cfg.loss.name, pretrained=False, use_gpu=False
        )
        optimizer = reid.optim.build_optimizer(model, **defaults.optimizer_arguments(cfg))
        scheduler = reid.optim.build_lr_scheduler(optimizer, **defaults.scheduler_arguments(cfg))
        if cfg.model.resume:
            cfg.train.start_epoch = reid.utils.resume_from_checkpoint(
                cfg.model.resume, model, optimizer, scheduler
            )
        return engine.from_config(cfg, data, model, optimizer, scheduler)


def first_step(engine: JointEngine) -> dict[str, float]:
    """The values of one training step, by name."""
    engine.set_model_mode("train")
    engine.epoch = engine.batch_idx = 0
    batch = next(iter(engine.train_loader))
    return {name: float(value) for name, value in engine.forward_backward(batch).items()}


def run(cfg: CfgNode) -> JointEngine:
    """Build an engine and run it."""
    engine = build(cfg)
    engine.run(**defaults.engine_arguments(cfg))
    return engine


def weights(save_dir: Path, name: str) -> dict[str, Any]:
    """A checkpoint of a run."""
    return read_checkpoint(save_dir / "model" / name)


def differences(a: Any, b: Any, name: str = "") -> list[str]:
    """Where two checkpoints differ by a bit; the folder of the run may differ."""
    if isinstance(a, Tensor):
        return [] if torch.equal(a, b) else [name]
    if isinstance(a, dict):
        if a.keys() != b.keys():
            return [f"{name}: keys"]
        return [
            found for key in a if key != "config" for found in differences(a[key], b[key], f"{name}.{key}")
        ]
    if isinstance(a, (list, tuple)):
        lengths = [] if len(a) == len(b) else [f"{name}: length"]
        return lengths + [
            found
            for place, pair in enumerate(zip(a, b, strict=False))
            for found in differences(*pair, f"{name}[{place}]")
        ]
    return [] if a == b else [name]


if __name__ == "__main__":  # one run in a process of its own, for those who kill it: ROOT SAVE_DIR
    torch.set_num_threads(1)
    reporting.draw_training = lambda history, folder: None  # takes longer than the run
    run(
        config(
            Path(sys.argv[1]),
            Path(sys.argv[2]),
            train__max_epoch=3,
            test__eval_freq=1,
            reidar__train__save_every=1,
        )
    )
