"""The names under which the host builds our models, and the one map from a config to a model's arguments."""

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import nn

from reidar_plugin.config import reidar_node
from reidar_plugin.labels.from_config import configured_attributes
from reidar_plugin.labels.spaces import label_space
from reidar_plugin.models.asanet.model import attribute_columns, build_asanet
from reidar_plugin.models.backbones import backbone_names, unfit_names
from reidar_plugin.models.joint import build_joint
from reidar_plugin.models.trunks import TIMM, branches_of, is_trunk, video_trunks

__all__ = [
    "PREFIX",
    "arguments",
    "builder",
    "builders",
    "frames_of_training",
    "is_ours",
    "is_unlisted",
    "timm_name",
    "why_not",
]

#: What stands before the host's name of a backbone.
PREFIX = "reidar_"
#: The model with heads of its own.
ASANET = "asanet"
DEFAULT_FRAME_SIZE = (256, 128)  # the host's data.height and data.width


def builders(cfg: Any = None, *, num_actions: int | None = None) -> dict[str, Callable[..., nn.Module]]:
    """``reidar_<trunk>`` -> builder(num_classes, loss, pretrained, use_gpu), for each that can serve; and ``asanet``.

    The thousand networks of timm are not among them, nor every network behind every prefix of a video network:
    :func:`builder` knows them.

    Args:
        cfg: the host's config with the ``reidar`` node; None for the defaults of both.
        num_actions: see :func:`arguments`.
    """
    settings = arguments(cfg, num_actions=num_actions)
    joint = {PREFIX + name: partial(build_joint, name, **settings) for name in _trunks()}
    return {**joint, ASANET: partial(build_asanet, **_asanet_arguments(cfg, settings))}


def builder(name: str, cfg: Any = None) -> Callable[..., nn.Module] | None:
    """The builder of one model of ours, listed or not; None for a name that is not ours.

    Whether timm has that network, and whether a video network can be made of it, is seen when it is built.
    """
    if not is_ours(name):
        return None
    if name == ASANET:
        return partial(build_asanet, **_asanet_arguments(cfg, arguments(cfg)))
    return partial(build_joint, name.removeprefix(PREFIX), **arguments(cfg))


def is_ours(name: str) -> bool:
    """Whether :func:`builder` knows that name."""
    return name == ASANET or (name.startswith(PREFIX) and is_trunk(name.removeprefix(PREFIX)))


def _trunks() -> list[str]:
    return [*backbone_names(), *video_trunks()]


def is_unlisted(name: str) -> bool:
    """Whether that would be a model of ours which :func:`builders` does not name."""
    return name.startswith(PREFIX) and name.removeprefix(PREFIX) not in _trunks()


def frames_of_training(name: str) -> int:
    """Clips of a training batch have a multiple of so many frames."""
    return branches_of(name.removeprefix(PREFIX))


def timm_name(name: str) -> str:
    """timm's name of the network under ``reidar_timm_<network>``; empty for every other model."""
    return name.removeprefix(PREFIX + TIMM) if name.startswith(PREFIX + TIMM) else ""


def why_not() -> dict[str, str]:
    """``reidar_<backbone>`` -> the reason, in one line, for every backbone of the host that cannot serve."""
    return {PREFIX + name: reason for name, reason in unfit_names().items()}


def arguments(cfg: Any = None, *, num_actions: int | None = None) -> dict[str, Any]:
    """What :func:`~reidar_plugin.models.joint.build_joint` takes beside the host's four, from a config.

    Args:
        cfg: the host's config with the ``reidar`` node; None for the defaults of both.
        num_actions: M; None for ``reidar.model.num_actions``, whose -1 means as many as the label space has.
    """
    node = reidar_node().model if cfg is None else cfg.reidar.model
    if num_actions is None:
        num_actions = _actions_of(cfg) if node.num_actions < 0 else node.num_actions
    frame_size = DEFAULT_FRAME_SIZE if cfg is None else (cfg.data.height, cfg.data.width)
    return {
        "frame_size": frame_size,
        "last_stride": node.last_stride,
        "pooling": node.pooling,
        "attention_width": node.attention_width,
        "attention_relu": node.attention_relu,
        "num_actions": num_actions,
        "action_width": node.action_width,
        "action_dropout": node.action_dropout,
        "action_activation": node.action_activation,
        "action_source": node.action_source,
        "action_gradient": node.action_gradient,
        "action_layers": tuple(node.action_layers),
        "action_pooling": node.action_pooling,
        "weights": node.weights,
        "sha256": node.sha256,
    }


def _asanet_arguments(cfg: Any, settings: dict[str, Any]) -> dict[str, Any]:
    """What :func:`~reidar_plugin.models.asanet.model.build_asanet` takes, given what the joint models take."""
    node = reidar_node() if cfg is None else cfg.reidar
    of_others = ("pooling", "attention_width", "attention_relu")
    shared = {key: value for key, value in settings.items() if key not in of_others}
    columns = attribute_columns(configured_attributes(node))
    return {**shared, **node.model.asanet, "columns": columns}


def _actions_of(cfg: Any) -> int:
    node = reidar_node().labels if cfg is None else cfg.reidar.labels
    return len(label_space(node.space, node.names))
