import pytest
import torch

from reidar_plugin.models import trunks
from reidar_plugin.models.backbones import Backbone, build_backbone
from reidar_plugin.models.trunks import VIDEO, build_trunk

pytestmark = pytest.mark.usefixtures("quick_weights")


def test_a_plain_name_is_the_hosts_network() -> None:
    torch.manual_seed(0)
    made = build_trunk("osnet_x0_25", frame_size=(64, 32))
    torch.manual_seed(0)
    plain = build_backbone("osnet_x0_25", frame_size=(64, 32))
    assert made[2:] == plain[2:]
    assert made.branches == 1
    theirs = plain.network.state_dict()
    assert all(torch.equal(value, theirs[key]) for key, value in made.network.state_dict().items())


@pytest.mark.parametrize("prefix", VIDEO)
def test_pretrained_weights_are_those_of_the_plain_network(
    prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {}

    def pretrained(name: str, **settings: object) -> Backbone:
        asked.update(settings, name=name)
        return build_backbone(name, frame_size=(64, 32))

    monkeypatch.setattr(trunks, "pretrained_backbone", pretrained)
    made = build_trunk(
        f"{prefix}resnet18", pretrained=True, frame_size=(64, 32), weights="file", sha256="sum"
    )
    assert asked == {
        "name": "resnet18",
        "frame_size": (64, 32),
        "last_stride": 1,
        "weights": "file",
        "sha256": "sum",
    }
    assert made.name == f"{prefix}resnet18"


def test_the_longer_prefix_comes_first() -> None:
    prefixes = list(VIDEO)
    for number, prefix in enumerate(prefixes):
        assert not any(prefix.startswith(earlier) for earlier in prefixes[:number])


def test_an_unknown_network_behind_a_prefix() -> None:
    with pytest.raises(ValueError, match="torchreid has no model 'resnet51'; did you mean 'resnet50'"):
        build_trunk("ap3d_resnet51")
