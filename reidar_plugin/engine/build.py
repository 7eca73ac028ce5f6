"""The parts of an engine that a config describes: objective, schedule, fingerprint, network."""

from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer
from yacs.config import CfgNode

from reidar_plugin.checkpoint.fingerprint import RunFingerprint, describe_training
from reidar_plugin.checkpoint.state import Stateful
from reidar_plugin.data.held_out import trained_labels
from reidar_plugin.data.manager import ClipDataManager
from reidar_plugin.engine.options import NO_EVIDENCE
from reidar_plugin.engine.schedule import WarmupSteps
from reidar_plugin.errors import ConfigError
from reidar_plugin.io.console import say
from reidar_plugin.losses.objective import Objective
from reidar_plugin.ranks.batch_norm import sync_batch_norms
from reidar_plugin.ranks.job import Job, current

__all__ = [
    "build_fingerprint",
    "build_network",
    "build_objective",
    "build_schedule",
    "check_devices",
    "fingerprint_of",
    "registered_parts",
]


def build_objective(cfg: CfgNode, data: ClipDataManager, model: nn.Module) -> Objective:
    """The objective of ``reidar.loss``, in the sizes of the model and with the label counts of the training set."""
    inner: Any = model
    if not hasattr(inner, "feature_dim"):
        raise ConfigError(
            f"model.name {cfg.model.name!r}: the joint engine trains a model that has a feature_dim and returns a "
            f"JointOutput, and {type(inner).__name__} has none"
        )
    num_actions, width = _action_sizes(inner)
    space = len(data.space) if data.space is not None else 0
    if num_actions not in (0, space):
        raise ConfigError(
            f"the model has {num_actions} action blocks (reidar.model.num_actions) and the label space "
            f"{cfg.reidar.labels.space!r} has {space}; leave the key at -1, or 0 for no action network"
        )
    if cfg.reidar.test.action_weight and not num_actions:
        raise ConfigError(NO_EVIDENCE)  # before a training that may take days
    labels = trained_labels(data)
    known = labels[~labels.isnan().any(dim=1)]
    attributes: Any = data.attribute_space
    return Objective.from_config(
        cfg.reidar.loss,
        num_classes=data.num_train_pids,
        feature_dim=inner.feature_dim,
        num_actions=num_actions,
        hidden_dim=width,
        counts=known.sum(dim=0).tolist() if num_actions and len(known) else (),
        total=len(known) if num_actions else 0,
        attributes=() if attributes is None else attributes.sizes,
    )


def build_schedule(cfg: CfgNode, optimizer: Optimizer, host_scheduler: Any) -> Any:
    """The schedule of ``reidar.train.schedule``: the papers', on the host's optimiser, or the host's own."""
    node = cfg.reidar.train
    if node.schedule == "host":
        return host_scheduler
    if node.schedule != "paper":
        raise ConfigError(f"reidar.train.schedule: unknown {node.schedule!r}; choose one of paper, host")
    return WarmupSteps(optimizer, node.warmup, node.warmup_start, node.milestones, node.gamma)


def build_fingerprint(cfg: CfgNode, data: ClipDataManager, model: nn.Module) -> RunFingerprint:
    """The fingerprint of a run: what a checkpoint must agree with."""
    space: Any = data.space
    attributes: Any = data.attribute_space
    acts = _action_sizes(model)[0] > 0 and space is not None
    return RunFingerprint(
        model=cfg.model.name,
        identities=data.num_train_pids,
        actions=tuple(space.names) if acts else (),
        attributes=() if attributes is None else tuple(attributes.names),
        training=describe_training(data.train_table),
    )


def fingerprint_of(model: nn.Module, data: ClipDataManager) -> RunFingerprint:
    """The fingerprint of a run without a config: the class of the model and the number of people."""
    return RunFingerprint(type(model).__name__, data.num_train_pids)


def registered_parts(engine: Any) -> dict[str, Stateful]:
    """What a subclass of the engine has registered beside the model, by the names under which it is saved.

    Args:
        engine: an engine of the host.
    """
    tables = {"model": engine._models, "optimizer": engine._optims, "schedule": engine._scheds}
    names = engine.get_model_names()[1:]
    return {
        f"{kind} {name}": table[name]
        for kind, table in tables.items()
        for name in names
        if table[name] is not None
    }


def build_network(model: nn.Module, compiled: bool) -> nn.Module:
    """The network that is called: the model, compiled if asked for; of several ranks with its normalisations joined."""
    if current().size == 1:
        return torch.compile(model) if compiled else model  # type: ignore[return-value]
    if compiled:
        raise ConfigError(
            "reidar.train.compile cannot compile what ranks exchange inside the network: set it to False, or use one rank"
        )
    sync_batch_norms(model)
    return model


def check_devices(job: Job, use_gpu: bool) -> None:
    """Refuse two ranks on one GPU; say where GPUs stay idle."""
    gpus = torch.cuda.device_count() if use_gpu else 0
    if use_gpu and job.local_rank >= gpus:
        raise ConfigError(
            f"{job}: this machine has {gpus} GPUs, and a rank needs one of its own: start at most {gpus} ranks here, or "
            "set use_gpu False"
        )
    if gpus > 1 and job.size == 1:
        say(f"one of {gpus} GPUs is used; torchrun --nproc-per-node {gpus} uses all (docs/clusters.md)")


def _action_sizes(model: Any) -> tuple[int, int]:
    """M and E of the action network; zeros without one."""
    actions = getattr(model, "actions", None)
    return (0, 0) if actions is None else (actions.num_actions, actions.width)
