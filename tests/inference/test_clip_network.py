"""A network as inference calls it."""

import torch
from torch import nn

from reidar_plugin.data.pixel_ops import Normalise
from reidar_plugin.inference.clip_network import ClipNetwork, FrameAverage, TorchJudge
from reidar_plugin.inference.precision import Precision
from reidar_plugin.structures import JointOutput


class Said(nn.Module):
    """Says what can be reckoned by hand."""

    def forward(self, clips: torch.Tensor) -> JointOutput:
        mean = clips.mean(dim=(2, 3, 4))  # (B, T)
        places = mean[:, None, :, None, None].expand(-1, 2, -1, 1, 3) / 3
        return JointOutput(mean, mean, mean, mean, mean, torch.zeros(len(clips), 2), action_attention=places)


def test_bytes_in_and_arrays_out() -> None:
    frames = torch.tensor([0, 255]).to(torch.uint8)[None, :, None, None, None].expand(1, 2, 4, 2, 3)
    network = ClipNetwork(Said(), Normalise((0.5,) * 3, (0.25,) * 3))
    said = TorchJudge(network, Precision("float32", torch.device("cpu")))(frames)
    assert said.feature.tolist() == [[-2.0, 2.0]]
    assert said.actions.tolist() == [[0.5, 0.5]]  # sigmoids of 0
    assert said.action_attention is not None
    torch.testing.assert_close(torch.from_numpy(said.action_attention), torch.tensor([[[-2.0, 2.0]] * 2]))
    assert not network.training


class Padding(nn.Module):
    """Adds a copy of the last frame, as a model with two branches does; frame t weighs t + 1."""

    def forward(self, clips: torch.Tensor) -> JointOutput:
        weights = torch.arange(1.0, clips.shape[1] + 2).expand(len(clips), -1)
        maps = weights[:, None, :, None, None]
        return JointOutput(weights, weights, weights, weights, weights, weights, action_attention=maps)


def test_copies_at_the_end_weigh_for_the_last_frame() -> None:
    network = ClipNetwork(Padding(), Normalise())
    said = network(torch.zeros(1, 3, 4, 2, 3, dtype=torch.uint8))
    assert said.attention.tolist() == [[1, 2, 3 + 4]]
    assert said.action_attention.tolist() == [[[1, 2, 3 + 4]]]


def test_pictures_are_averaged() -> None:
    clips = torch.randn(2, 3, 3, 4, 4)
    output = FrameAverage(nn.Flatten())(clips)
    torch.testing.assert_close(output.feature, clips.flatten(2).mean(dim=1))
    assert output.action_logits is None
