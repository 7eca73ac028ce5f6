import pytest
import torch
from torch import nn

from reidar_plugin.host import model_table
from reidar_plugin.models.backbones import HEAD, backbone_names, build_backbone, unfit_names

pytestmark = pytest.mark.usefixtures("quick_weights")

#: without padding the inception networks need more than the 64 x 32 that is enough for the others
LARGER = {"inceptionv4": (96, 96), "inceptionresnetv2": (96, 96)}

#: one of each family; the others of a family differ in numbers only
ONE_EACH = [
    "resnet18",
    "se_resnext50_32x4d",
    "densenet121",
    "inceptionresnetv2",
    "inceptionv4",
    "xception",
    "resnet50_ibn_a",
    "resnet50_ibn_b",
    "nasnsetmobile",
    "mobilenetv2_x1_0",
    "shufflenet",
    "squeezenet1_1",
    "shufflenet_v2_x0_5",
]


def frames(name: str, batch: int = 2) -> torch.Tensor:
    size = LARGER.get(name, (64, 32))
    return torch.randn(batch, 3, *size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", ONE_EACH)
def test_maps_are_what_enters_the_hosts_pooling(name: str) -> None:
    x = frames(name)
    theirs = model_table()[name](num_classes=1, loss="softmax", pretrained=False, use_gpu=False).eval()
    backbone = build_backbone(name, frame_size=tuple(x.shape[2:]), last_stride=2)
    backbone.network.eval().load_state_dict(theirs.state_dict(), strict=False)
    with torch.no_grad():
        maps, feature = backbone.maps(backbone.network, x), theirs(x)
    assert feature.std() > 0
    torch.testing.assert_close(maps.mean(dim=(2, 3)), feature, rtol=1e-4, atol=1e-5)
    assert maps.shape[1:] == (backbone.channels, *backbone.map_size)


def test_the_families_with_a_layer_behind_the_pooling() -> None:
    """The same for them: their own layers on the mean of our maps give their own feature."""
    for name, layers in (("osnet_x0_25", "fc"), ("squeezenet1_0_fc512", "fc")):
        theirs = model_table()[name](num_classes=1, loss="softmax", pretrained=False, use_gpu=False).eval()
        backbone = build_backbone(name, frame_size=(64, 32))
        backbone.network.eval().load_state_dict(theirs.state_dict(), strict=False)
        with torch.no_grad():
            mean = backbone.maps(backbone.network, frames(name)).mean(dim=(2, 3))
            torch.testing.assert_close(getattr(theirs, layers)(mean), theirs(frames(name)))


def test_mlfn_maps_enter_its_pooling() -> None:
    theirs = model_table()["mlfn"](num_classes=1, loss="softmax", pretrained=False, use_gpu=False).eval()
    backbone = build_backbone("mlfn", frame_size=(64, 32), last_stride=2)
    backbone.network.eval().load_state_dict(theirs.state_dict(), strict=False)
    entered: list[torch.Tensor] = []
    theirs.global_avgpool.register_forward_hook(lambda module, inputs, output: entered.append(inputs[0]))
    with torch.no_grad():
        theirs(frames("mlfn"))
        torch.testing.assert_close(backbone.maps(backbone.network, frames("mlfn")), entered[0])


@pytest.mark.parametrize(
    "name",
    ["resnet18", "se_resnet50", "xception", "mobilenetv2_x1_0", "shufflenet_v2_x0_5", "shufflenet", "mlfn"],
)
def test_last_stride(name: str) -> None:
    kept, halved = (build_backbone(name, frame_size=(64, 32), last_stride=stride) for stride in (1, 2))
    assert kept.map_size == (4, 2)
    assert halved.map_size == (2, 1)


@pytest.mark.parametrize("name", ["osnet_x0_25", "squeezenet1_1", "densenet121"])
def test_networks_without_a_last_stride_stay_as_they_are(name: str) -> None:
    kept, halved = (build_backbone(name, frame_size=(64, 32), last_stride=stride) for stride in (1, 2))
    assert kept.map_size == halved.map_size


def test_size_of_the_maps_follows_the_frames() -> None:
    assert build_backbone("resnet18", frame_size=(224, 112)).map_size == (14, 7)
    assert build_backbone("resnet18", frame_size=(256, 128)).map_size == (16, 8)


def test_nothing_of_the_head_is_left() -> None:
    for name in ("resnet50_fc512", "mlfn", "densenet121_fc512"):
        network = build_backbone(name, frame_size=(64, 32)).network
        assert not [child for child, _ in network.named_children() if child in HEAD]
        assert not any(isinstance(layer, nn.Linear) for layer in network.modules())


def test_measuring_leaves_no_trace() -> None:
    network = build_backbone("osnet_x0_25", frame_size=(64, 32)).network
    assert network.training
    assert all(layer.training for layer in network.modules())
    counts = [
        layer.num_batches_tracked.item() for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)
    ]
    assert counts
    assert not any(counts)


def test_every_name_of_the_host_serves_or_says_why_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(model_table(), "reidar_mine", build_backbone)  # what others registered is no backbone
    fit, unfit = backbone_names(), unfit_names()
    assert len(fit) == 45
    assert unfit.keys() == {"pcb_p4", "pcb_p6", "hacnn", "resnet50mid"}
    assert {*fit, *unfit} == model_table().keys() - {"reidar_mine"}
    assert all("\n" not in reason and len(reason) > 20 for reason in unfit.values())


def test_errors_name_what_came() -> None:
    with pytest.raises(ValueError, match="pcb_p6 cannot be a backbone: part-based"):
        build_backbone("pcb_p6")
    with pytest.raises(ValueError, match=r"no model 'resnet51'; did you mean 'resnet50'\?"):
        build_backbone("resnet51")
    with pytest.raises(ValueError, match="the last stride must be 1 or 2, got 3"):
        build_backbone("resnet18", last_stride=3)
    with pytest.raises(ValueError, match="inceptionv4 gives no feature maps for frames of 32 x 16: "):
        build_backbone("inceptionv4", frame_size=(32, 16))
