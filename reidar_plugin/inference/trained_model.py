"""A trained model from a file: the network with its weights, and its card.

============================================ ============================== ========================================
what the file holds                          model                          what must be given
============================================ ============================== ========================================
a checkpoint of the joint engine             that of its run                nothing
weights of a joint model                     ``model``                      its name, and what is not at its default
weights of the released Re-ID-AR code        ``reidar_resnet50_ibn_a``      the labels, if they are not 3, 5 or 8
public weights of AP3D and TCLNet            that of their code             nothing
weights of torchreid's own networks          the network with its own head  its name
============================================ ============================== ========================================
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from warnings import warn

import torch
from torch import Tensor, nn

from reidar_plugin.checkpoint.compatibility import unfilled
from reidar_plugin.checkpoint.state import OURS
from reidar_plugin.checkpoint.store import BEST, CheckpointError, CheckpointStore, read_content
from reidar_plugin.config.files import CheckedConfig, full_config
from reidar_plugin.config.settings import leaves
from reidar_plugin.errors import ConfigError, MissingFileError, nearest, summary
from reidar_plugin.host import model_table
from reidar_plugin.inference.clip_network import FrameAverage
from reidar_plugin.inference.model_card import ModelCard
from reidar_plugin.io.plain_text import PlainTextError, parse_yaml
from reidar_plugin.labels.from_config import configured_space
from reidar_plugin.labels.spaces import LABEL_SPACES
from reidar_plugin.models.registry import PREFIX, builder, builders
from reidar_plugin.models.released import from_released, is_released, public_network
from reidar_plugin.models.weights import tensors_in

__all__ = ["TrainedModel", "find_file", "load_trained"]

Settings = Mapping[str, Any]  # config keys such as ``data.height``, and their values


class TrainedModel(NamedTuple):
    """A network in evaluation mode, and how it is used."""

    network: (
        nn.Module
    )  #: normalised frames ``(B, T, 3, H, W)`` -> :class:`~reidar_plugin.structures.JointOutput`
    card: ModelCard
    config: CheckedConfig  #: the config of its training, or what is known of it


def load_trained(
    path: str | Path, model: str = "", settings: Settings | None = None, thresholds: Sequence[float] = ()
) -> TrainedModel:
    """Read a model; nothing in the file is run.

    Args:
        path: a file, or the folder of a run, see :func:`find_file`.
        model: its name, as in ``model.name``; a checkpoint of ours knows it.
        settings: config keys and values that differ from those that the file has, or from the defaults where it has
            none: ``{"data.height": 128, "data.width": 64}``.
        thresholds: likelihood from which on each action counts as seen; empty for those that the file has, or 0.5.

    Raises:
        CheckpointError: the file is no checkpoint, is damaged, holds numbers that are not finite, or does not fit.
        ConfigError: the file does not say something that must be given.
    """
    file = find_file(path)
    content = read_content(file)
    tensors = tensors_in(content, file)
    _check_finite(tensors, file)
    ours = content.get(OURS) if isinstance(content, dict) else None
    if isinstance(ours, dict) and ours.get("config"):
        cfg = _saved_config(ours["config"], file)
    else:
        cfg = _guessed_config(tensors, model, file)
    if model:
        cfg.model.name = model
    cfg.merge_tree(_nested(settings or {}), "settings")
    network = _build(cfg, tensors, file)
    actions = _actions(cfg, network, file)
    if actions and not thresholds and isinstance(ours, dict) and cfg.reidar.test.thresholds != "half":
        thresholds = _chosen_thresholds(content, file)
    card = ModelCard.from_config(cfg, actions, tuple(thresholds))
    return TrainedModel(network.eval(), replace(card, branches=getattr(network, "branches", 1)), cfg)


def find_file(path: str | Path) -> Path:
    """The file itself; of a run's folder its best checkpoint, or the last where there is no best.

    Raises:
        MissingFileError: there is none.
    """
    path = Path(path).expanduser()
    if path.is_file():
        return path
    if not path.is_dir():
        raise MissingFileError(
            f"no file of a model at {path}; name a checkpoint, weights, or the folder of a run"
        )
    for folder in (path / "model", path):
        store = CheckpointStore(folder)
        for found in (folder / BEST, *map(store.path, store.positions())):
            if found.is_file():
                return found
    raise MissingFileError(
        f"{path} holds no checkpoint: expected model/{BEST} or model/model.pth.tar-<epoch>"
    )


def _saved_config(text: str, file: Path) -> CheckedConfig:
    """The config of a run; keys that this version knows no more are passed over, later ones have their default."""
    cfg = full_config()
    known = dict(leaves(cfg))
    try:
        saved = {key: value for key, value in leaves(parse_yaml(text)) if key in known}
    except (PlainTextError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{file} holds a config that is none ({summary(error)})") from error
    cfg.merge_tree(_nested(saved), f"the config in {file}")
    return cfg


def _guessed_config(tensors: Mapping[str, Tensor], model: str, file: Path) -> CheckedConfig:
    """The defaults, and what names and shapes of weights tell."""
    cfg = full_config()
    if is_released(tensors):
        cfg.merge_tree(_nested(_released_settings(tensors)), f"the weights in {file}")
    elif not model:
        raise ConfigError(
            f"{file} holds weights and not what model they are of: name it, such as model='reidar_osnet_x0_25' (--model "
            "reidar_osnet_x0_25)"
        )
    else:
        cfg.model.name = model
        cfg.video.seq_len = 4 if _is_joint(tensors) else 1  # the papers' T; pictures are clips of one frame
        cfg.reidar.model.num_actions = _count_actions(tensors)
    _name_actions(cfg, _count_actions(from_released(tensors) if is_released(tensors) else tensors))
    return cfg


def _released_settings(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    if name := public_network(tensors):  # as configs/ap3d and configs/tclnet have them
        tested = 4 if "tclnet" in name else 32  # frames of a clip
        reidar = {
            "reidar.data.test_length": tested,
            "reidar.model.pooling": "peak",
            "reidar.model.num_actions": 0,
        }
        return {"model.name": name, "video.seq_len": 4, "test.dist_metric": "cosine", **reidar}
    width, _, height_of_maps, width_of_maps = tensors["attention_conv.weight"].shape
    numbered = any(name.startswith("base.0.") for name in tensors)
    found = {
        "model.name": PREFIX + ("resnet50" if numbered else "resnet50_ibn_a"),
        "data.height": 16 * height_of_maps,
        "data.width": 16 * width_of_maps,
        "video.seq_len": 4,
        "reidar.model.attention_width": width,
        "reidar.model.action_activation": "leaky_relu",
        "reidar.model.num_actions": _count_actions(from_released(tensors)),
    }
    block = tensors.get("class_0.add_block.0.weight")
    return found if block is None else {**found, "reidar.model.action_width": len(block)}


def _name_actions(cfg: CheckedConfig, actions: int) -> None:
    """The published label space of that many actions, where there is one."""
    for name, space in LABEL_SPACES.items():
        if len(space) == actions:
            cfg.reidar.labels.space = name


def _build(cfg: CheckedConfig, tensors: Mapping[str, Tensor], file: Path) -> nn.Module:
    """The network of the config with these weights in it."""
    if is_released(tensors):
        tensors = from_released(tensors)
    name = cfg.model.name
    if not _is_joint(tensors):
        plain = name.removeprefix(PREFIX)
        if plain not in model_table() and builder(name, cfg) is not None:
            raise CheckpointError(
                f"{file} holds no weights of {name}: no bottleneck.weight; give the model that it was trained as, with "
                "model= (--model)"
            )
        picture = _builder(plain, model_table())
        network = picture(num_classes=1, loss="softmax", pretrained=False, use_gpu=False)
        _fill(network, tensors, file)
        return FrameAverage(network)
    cfg.reidar.model.weights = ""  # those of its training may not be here
    build = builder(name, cfg) or _builder(name, {**model_table(), **builders(cfg)})
    people = len(tensors["classifier.weight"]) if "classifier.weight" in tensors else 1
    network = build(num_classes=people, loss="reidar", pretrained=False, use_gpu=False)
    _fill(network, tensors, file)
    layout = torch.channels_last if cfg.reidar.train.channels_last else torch.contiguous_format
    return network.to(memory_format=layout)


def _builder(name: str, table: Mapping[str, Any]) -> Any:
    if name not in table:
        raise ConfigError(
            f"unknown model {name!r};{nearest(name, table)} give a name of torchreid's model table, register your own "
            "before with reidar_plugin.register_model and enable"
        )
    return table[name]


def _fill(network: nn.Module, tensors: Mapping[str, Tensor], file: Path) -> None:
    own = network.state_dict()
    wrong = unfilled(network, tensors)
    wrong += [
        f"{name} has no place" for name in tensors if name not in own and not name.startswith("classifier.")
    ]
    if wrong:
        more = f", and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise CheckpointError(
            f"{file} does not fit the model: {'; '.join(wrong[:3])}{more}; give the model that it was trained as, with "
            "model= and settings= (--model, --settings)"
        )
    fitting = {
        name: value for name, value in tensors.items() if name in own and value.shape == own[name].shape
    }
    network.load_state_dict(fitting, strict=False)


def _actions(cfg: CheckedConfig, network: nn.Module, file: Path) -> tuple[str, ...]:
    blocks = getattr(network, "actions", None)
    if blocks is None:
        return ()
    names = tuple(configured_space(cfg.reidar).names)
    if len(names) != blocks.num_actions:
        raise ConfigError(
            f"{file} has {blocks.num_actions} actions without names, and {cfg.reidar.labels.space!r} names {len(names)}: "
            "give settings={'reidar.labels.space': 'mine', 'reidar.labels.names': [...]} (--settings "
            "reidar.labels.space mine reidar.labels.names '[...]')"
        )
    return names


def _chosen_thresholds(checkpoint: Mapping[str, Any], file: Path) -> tuple[float, ...]:
    """Those that the test of these very weights chose; empty where there was none, which is said."""
    ours = checkpoint[OURS]
    record = ours.get("parts", {}).get("record", {})
    if record.get("thresholds") and (record["tested"], 0) == (checkpoint["epoch"], ours["step"]):
        return tuple(record["thresholds"])
    warn(
        f"{file} was saved without a test that chose thresholds of its actions: 0.5 is taken; give thresholds=",
        RuntimeWarning,
        stacklevel=4,
    )
    return ()


def _check_finite(tensors: Mapping[str, Tensor], file: Path) -> None:
    wrong = [
        name for name, value in tensors.items() if value.is_floating_point() and not value.isfinite().all()
    ]
    if wrong:
        raise CheckpointError(
            f"{file} holds NaN or infinity in {len(wrong)} of {len(tensors)} tensors, the first is {wrong[0]}: "
            "its training diverged, or it is damaged; take an earlier checkpoint"
        )


def _is_joint(tensors: Mapping[str, Tensor]) -> bool:
    return "bottleneck.weight" in tensors


def _count_actions(tensors: Mapping[str, Tensor]) -> int:
    rows = [tensors[name] for name in ("actions.weight", "actions.blocks.weight") if name in tensors]
    return len(rows[0]) if rows else 0


def _nested(flat: Settings) -> dict[str, Any]:
    """``{"a.b": 1}`` -> ``{"a": {"b": 1}}``."""
    tree: dict[str, Any] = {}
    for key, value in flat.items():
        *groups, name = key.split(".")
        node = tree
        for group in groups:
            node = node.setdefault(group, {})
        node[name] = value
    return tree
