"""A network as inference calls it: bytes of frames in, and of each clip what a prediction is made of out."""

from collections.abc import Callable
from threading import Lock
from typing import NamedTuple

import torch
from torch import Tensor, nn

from reidar_plugin.data.pixel_ops import Normalise
from reidar_plugin.inference.features import checked_output
from reidar_plugin.inference.precision import Precision
from reidar_plugin.inference.prediction import ClipOutputs
from reidar_plugin.structures import JointOutput

__all__ = ["ClipJudge", "ClipNetwork", "ClipTensors", "FrameAverage", "TorchJudge"]

#: Frames uint8 ``(B, T, H, W, 3)``, RGB, on the CPU -> what the model says of the clips; any thread may call it.
ClipJudge = Callable[[Tensor], ClipOutputs]


class ClipTensors(NamedTuple):
    """:class:`~reidar_plugin.inference.prediction.ClipOutputs` on the device of the network, float32."""

    feature: Tensor  #: ``(B, D)``
    actions: Tensor  #: ``(B, M)``, likelihoods
    attention: Tensor  #: ``(B, T)``
    action_attention: Tensor | None  #: ``(B, M, T)``


class ClipNetwork(nn.Module):
    """Frames uint8 ``(B, T, H, W, 3)`` -> :class:`ClipTensors`.

    Args:
        model: normalised frames ``(B, T, 3, H, W)`` -> :class:`~reidar_plugin.structures.JointOutput`.
        normalise: turns bytes into the numbers that the model reads.
    """

    def __init__(self, model: nn.Module, normalise: Normalise) -> None:
        super().__init__()
        self.model, self.normalise = model, normalise

    def forward(self, frames: Tensor, counts: Tensor | None = None) -> ClipTensors:
        """Judge clips.

        Args:
            frames: uint8 ``(B, T, H, W, 3)``.
            counts: bool ``(B, T)``, frames that are no copies, for a model whose actions read maps; it finds them itself
                if None.
        """
        given = () if counts is None else (counts,)
        output = checked_output(self.model(self.normalise(frames), *given))
        feature, seen = output.feature.float(), output.action_attention
        return ClipTensors(
            feature,
            feature[:, :0] if output.action_logits is None else output.action_logits.float().sigmoid(),
            _of_given(output.attention.float(), frames.shape[1]),
            None if seen is None else _of_given(seen.float().sum(dim=(3, 4)), frames.shape[1]),
        )


def _of_given(weights: Tensor, length: int) -> Tensor:
    """``(..., T)`` from ``(..., T')``: copies that a model with branches puts at the end weigh for the last frame."""
    rest = weights[..., length - 1 :].sum(dim=-1, keepdim=True)
    return torch.cat([weights[..., : length - 1], rest], dim=-1)


class FrameAverage(nn.Module):
    """A network for pictures, as torchreid has them, over clips: the feature is the mean of the frames' features.

    Args:
        network: normalised pictures ``(N, 3, H, W)`` -> features ``(N, D)``.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, clips: Tensor) -> JointOutput:
        features = self.network(clips.flatten(0, 1)).unflatten(0, clips.shape[:2])
        mean, ones = features.mean(dim=1), features.new_ones(clips.shape[:2])
        return JointOutput(mean[:, :0], mean, mean, ones, ones / clips.shape[1])


class TorchJudge:
    """A :data:`ClipJudge` that runs a network in torch.

    Args:
        network: is brought to the device and into evaluation mode.
        precision: the precision in which it runs, and the device.
    """

    def __init__(self, network: ClipNetwork, precision: Precision) -> None:
        self.network, self.precision = network.to(precision.device).eval(), precision
        self._lock = Lock()  # maps for an action network wait in the backbone until it fetches them

    def __call__(self, frames: Tensor) -> ClipOutputs:
        on_device = frames.to(self.precision.device, non_blocking=True)
        with self._lock, torch.inference_mode(), self.precision.autocast():
            outputs = self.network(on_device)
        feature, actions, attention, seen = (None if each is None else each.cpu().numpy() for each in outputs)
        return ClipOutputs(feature, actions, attention, seen)  # type: ignore[arg-type]
