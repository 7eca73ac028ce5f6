"""Small models for export, and ONNX files that are none of ours."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from reidar_plugin.config.files import full_config
from reidar_plugin.inference.model_card import ModelCard
from reidar_plugin.inference.trained_model import TrainedModel
from reidar_plugin.models.backbones import Backbone
from reidar_plugin.models.joint import JointModel, chosen_actions
from reidar_plugin.models.temporal import build_pooling
from reidar_plugin.structures import JointOutput

NAMES = ("walking", "riding", "using_hands")


def small(
    pooling: str = "attention", source: str = "feature", action_pooling: str = "clip", **options: Any
) -> TrainedModel:
    """A joint model with two convolutions, for 32 x 16 pixels, whose weights are not those of the start."""
    network = nn.Sequential(
        nn.Conv2d(3, 8, 5, stride=4, padding=2), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3, 2, 1)
    )
    backbone = Backbone("small", network, _call, channels=8, map_size=(4, 2), frame_size=(32, 16))
    actions = chosen_actions(backbone, 3, "reidar", source=source, pooling=action_pooling, width=4, **options)
    model = JointModel(
        backbone,
        build_pooling(pooling, channels=8, size=(4, 2), width=4),
        num_classes=5,
        actions=actions,
        action_source=source,
    )
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.3) if parameter.dim() > 1 else nn.init.uniform_(parameter, 0.5, 1.5)
    cfg = full_config()
    cfg.model.name, cfg.data.height, cfg.data.width, cfg.video.seq_len = "small", 32, 16, 4
    return TrainedModel(model.eval(), ModelCard.from_config(cfg, NAMES), cfg)


class Together(nn.Module):
    """Joint models that read the same clips, each from its pixels on, and say what they say side by side.

    The weights of frames are the mean of theirs.
    """

    def __init__(self, models: Sequence[JointModel]) -> None:
        super().__init__()
        self.models = nn.ModuleList(models)

    @property
    def actions(self) -> nn.Module:
        """The first one's action network, for who asks of which kind it is."""
        return self.models[0].actions

    def forward(self, frames: Tensor, counts: Tensor | None = None) -> JointOutput:
        said = [model(frames, counts) for model in self.models]
        seen = [each.action_attention.sum(dim=(3, 4), keepdim=True) for each in said]
        feature, pooled, logits, hidden = (
            torch.cat([getattr(each, name) for each in said], dim=1)
            for name in ("feature", "pooled", "action_logits", "action_hidden")
        )
        scores, attention = (torch.stack([each[place] for each in said]).mean(dim=0) for place in (3, 4))
        together = JointOutput(said[0].logits, feature, pooled, scores, attention, logits, hidden)
        return together._replace(action_attention=torch.cat(seen, dim=1))


def together(each: Sequence[dict[str, Any]]) -> TrainedModel:
    """Small models of these options as one, whose actions are those of all."""
    trained = [small(**options) for options in each]
    names = tuple(f"{name} {number}" for number in range(len(each)) for name in NAMES)
    card = replace(trained[0].card, actions=names, thresholds=(0.5,) * len(names))
    return TrainedModel(Together([one.network for one in trained]).eval(), card, trained[0].config)


def _call(network: nn.Module, frames: Any) -> Any:
    return network(frames)


def foreign(path: Path, opset: int = 18) -> Path:
    """An ONNX file that adds nothing to anything."""
    import onnx
    from onnx import TensorProto, helper

    value = helper.make_tensor_value_info("frames", TensorProto.FLOAT, [1])
    result = helper.make_tensor_value_info("feature", TensorProto.FLOAT, [1])
    graph = helper.make_graph(
        [helper.make_node("Identity", ["frames"], ["feature"])], "none", [value], [result]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    onnx.save(model, path)
    return path
