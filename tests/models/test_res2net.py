import pytest
import torch
from torch import nn

from reidar_plugin.models.own import build_own
from reidar_plugin.models.res2net import Res2NetBlock

pytestmark = pytest.mark.usefixtures("quick_weights")


@torch.no_grad()
def test_is_the_network_that_timm_has_under_the_names_of_the_public_checkpoints() -> None:
    timm = pytest.importorskip("timm")
    theirs = timm.create_model("res2net50_26w_4s", pretrained=False, num_classes=0).eval()
    for layer in theirs.modules():
        if isinstance(layer, nn.BatchNorm2d):  # as after a training: a mistaken normalisation would show
            nn.init.uniform_(layer.running_mean, -0.1, 0.1)
            nn.init.uniform_(layer.weight, 0.5, 1.5)
    ours = build_own("res2net50", frame_size=(64, 32), last_stride=2)
    ours.network.eval().load_state_dict(theirs.state_dict())
    frames = torch.randn(2, 3, 64, 32, generator=torch.Generator().manual_seed(0))
    expected = theirs.forward_features(frames)
    assert expected.std() > 0.01
    torch.testing.assert_close(ours.maps(ours.network, frames), expected)


def test_the_last_stride_is_taken_out_of_all_that_halves() -> None:
    whole, halved = (build_own("res2net26", frame_size=(64, 32), last_stride=stride) for stride in (1, 2))
    assert (whole.map_size, halved.map_size) == ((4, 2), (2, 1))
    assert whole.network.layer4[0].pool.stride == (1, 1)
    assert whole.network.layer3[0].pool.stride == 2


@torch.no_grad()
def test_a_group_reads_what_the_one_before_gave() -> None:
    torch.manual_seed(0)
    block = Res2NetBlock(8, 2, 8).double().eval()
    inner = torch.randn(1, 8, 3, 3, dtype=torch.double)
    one, two, three, last = (inner[:, 2 * i : 2 * i + 2] for i in range(4))
    step = [lambda x, i=i: block.bns[i](block.convs[i](x)).clamp(min=0) for i in range(3)]
    first = step[0](one)
    second = step[1](two + first)
    expected = torch.cat([first, second, step[2](three + second), last], dim=1)
    torch.testing.assert_close(block._chain(inner), expected)
