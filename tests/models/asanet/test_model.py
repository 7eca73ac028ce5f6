"""ASA-Net against the equations of its paper, written once more pixel by pixel."""

import pickle

import pytest
import torch
from torch import Tensor, nn

from reidar_plugin.config import reidar_node
from reidar_plugin.errors import ConfigError
from reidar_plugin.labels.attributes import attribute_space
from reidar_plugin.models.asanet.branches import AttributeBranch
from reidar_plugin.models.asanet.model import AsaNet, attribute_columns, build_asanet
from reidar_plugin.structures import JointOutput

pytestmark = pytest.mark.usefixtures("quick_weights")

COLUMNS = ((0, 1, 4), (2, 3))  # of the person, of the moment


def clips(batch: int = 3, length: int = 2, size: tuple[int, int] = (64, 32)) -> Tensor:
    return torch.randn(batch, length, 3, *size, generator=torch.Generator().manual_seed(0))


def small(**settings: object) -> AsaNet:
    torch.manual_seed(0)
    given = {"backbone": "resnet18", "frame_size": (64, 32), "columns": COLUMNS, "branch_width": 8}
    return build_asanet(5, **{**given, **settings})


def total(output: JointOutput) -> Tensor:
    return sum(part.float().square().mean() for part in output if part is not None)


def idle(model: nn.Module) -> list[str]:
    return [name for name, parameter in model.named_parameters() if parameter.grad is None]


def test_output_has_everything_the_losses_read() -> None:
    model = small(num_actions=3, action_width=7)
    output = model(clips())
    shapes = {name: tuple(part.shape) for name, part in output._asdict().items() if part is not None}
    assert shapes == {
        "logits": (3, 5),
        "feature": (3, 32),
        "pooled": (3, 32),
        "scores": (3, 2),
        "attention": (3, 2),
        "action_logits": (3, 3),
        "action_hidden": (3, 3, 7),
        "class_vectors": (5, 32),
        "attribute_logits": (3, 5),
        "pose_motion": (3, 128),
        "masks": (3, 2, 2, 4, 2),
    }
    total(output).backward()
    assert idle(model) == []
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_attribute_logits_stand_in_the_order_of_the_attribute_space() -> None:
    space = attribute_space(["gender", "pose", "hat"])  # of the person, of the moment, of the person
    columns = attribute_columns(space)
    assert columns == ([0, 1, 8, 9], [2, 3, 4, 5, 6, 7])
    model = small(columns=columns).eval()
    heads = {name: branch.head[-1] for name, branch in model.temporal.attributes.items()}
    with torch.no_grad():
        for head in heads.values():
            head.weight.zero_()
        heads["relevant"].bias.copy_(torch.tensor([10.0, 11.0, 18.0, 19.0]))
        heads["irrelevant"].bias.copy_(torch.arange(12.0, 18.0))
        logits = model(clips(1)).attribute_logits
    assert logits.tolist() == [[10.0 + column for column in range(10)]]


def reaches(model: nn.Module, loss: Tensor) -> set[str]:
    """Branches that a loss trains."""
    model.zero_grad()
    loss.backward(retain_graph=True)
    trunk = model.temporal
    parts = {**trunk.attributes, "identity_stage": trunk.identity_stage, "stem": model.base}
    parts |= {f"{name}_id": branch for name, branch in trunk.enhanced.items()}
    return {
        name
        for name, part in parts.items()
        if any(p.grad is not None and p.grad.abs().sum() > 0 for p in part.parameters())
    }


def test_where_gradients_flow() -> None:
    model = small()
    output = model(clips())
    attributes = output.attribute_logits
    assert reaches(model, attributes[:, list(COLUMNS[0])].sum()) == {"stem", "relevant"}
    assert reaches(model, attributes[:, list(COLUMNS[1])].sum()) == {"stem", "irrelevant"}
    everything = {"stem", "relevant", "irrelevant", "identity_stage"}
    everything |= {"relevant_id", "identity_id", "irrelevant_id"}
    assert reaches(model, output.logits.square().sum()) == everything


def test_ablations_of_table_iv_and_v() -> None:
    x = clips()
    alone = small(branches=["identity"], fusion="none")
    output = alone(x)
    assert output.pooled.shape == (3, 8)
    assert output.masks is None
    assert reaches(alone, output.logits.square().sum()) == {"stem", "identity_stage", "identity_id"}
    pair = small(branches=["irrelevant", "relevant"], fusion="none")
    assert list(pair.temporal.enhanced) == ["relevant", "irrelevant"]  # in the order of the figure
    bare = small(salience=False)
    output = bare(x)
    assert output.masks is None
    assert output.pooled.shape == (3, 32)
    assert not any("salience" in name for name, _ in bare.named_parameters())


@pytest.mark.parametrize(("stride", "size"), [(1, (4, 2)), (2, (2, 1))])
def test_all_stages_have_the_last_stride(stride: int, size: tuple[int, int]) -> None:
    model = small(last_stride=stride).eval()
    trunk, x = model.temporal, clips(1)
    with torch.no_grad():
        third = model.maps(x).flatten(0, 1)
        stages = [trunk.identity_stage, *(branch.stage for branch in trunk.attributes.values())]
        assert [stage(third).shape[2:] for stage in stages] == [size] * 3
        assert model(x).masks.shape == (1, 2, 2, *size)


def test_projected_attribute_feature() -> None:
    model = small(attribute_feature="projected", fusion="a")
    assert isinstance(model.temporal.attributes["relevant"].project, nn.Linear)
    output = model(clips())
    assert output.pose_motion.shape == (3, 64)  # C/4
    assert output.pooled.shape == (3, 3 * 8 + 64)


def test_without_attributes() -> None:
    model = small(columns=((), ()))
    output = model(clips())
    assert output.attribute_logits.shape == (3, 0)
    assert output.pose_motion.shape == (3, 128)
    branch: AttributeBranch = model.temporal.attributes["relevant"]
    assert branch.head is None


def test_any_pooling_of_the_house_serves() -> None:
    model = small(pooling="light").eval()
    with torch.no_grad():
        output = model(clips(2, 3))
    assert output.attention.shape == (2, 3)
    torch.testing.assert_close(output.attention.sum(dim=1), torch.ones(2))
    assert output.scores.std() > 0
    with pytest.raises(ConfigError, match="unknown pooling 'lihgt'"):
        small(pooling="lihgt")


def test_one_clip_is_tested_but_not_trained_on() -> None:
    model = small()
    with pytest.raises(ValueError, match="at least 2 clips in a training batch, got 1"):
        model(clips(1))
    assert model.eval()(clips(1, 1)).feature.isfinite().all()


@pytest.mark.parametrize("stride", [1, 2])
def test_the_full_attention_refuses_frames_of_another_size(stride: int) -> None:
    model = small(pooling="attention", last_stride=stride).eval()
    with torch.no_grad():
        assert model(clips(1)).attention.shape == (1, 2)
        with pytest.raises(
            ValueError, match=r"built for frames of 64 x 32 \(maps 4 x 2\), got frames of 96 x 32"
        ):
            model(clips(1, size=(96, 32)))
    assert small().eval()(clips(1, size=(96, 32))).feature.shape == (1, 32)


@pytest.mark.parametrize("loss", ["softmax", "triplet"])
def test_the_hosts_engines_can_train_it(loss: str) -> None:
    model = small(loss=loss, num_actions=3)
    output = model(clips())
    parts = (output,) if loss == "softmax" else output
    assert [tuple(part.shape) for part in parts] == [(3, 5), (3, 32)][: len(parts)]
    sum(part.square().sum() for part in parts).backward()
    assert idle(model) == []
    assert model.actions is None
    model.eval()
    assert model(clips()[:, 0]).shape == (3, 32)  # a frame is a clip of one


def test_clips_do_not_see_each_other_and_survive_saving() -> None:
    model, x = small().eval(), clips()
    with torch.no_grad():
        together = model(x)
        for b in range(3):
            torch.testing.assert_close(model(x[b : b + 1]).masks[0], together.masks[b], rtol=1e-4, atol=1e-5)
        again = small()
        again.load_state_dict(model.state_dict())
        torch.testing.assert_close(again.eval()(x).feature, together.feature)
        torch.testing.assert_close(pickle.loads(pickle.dumps(model))(x).feature, together.feature)


def test_autocast_keeps_features_and_logits_in_float32() -> None:
    model, x = small(num_actions=2).eval(), clips()
    with torch.no_grad():
        expected = model(x)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = model(x)
    for name in ("logits", "feature", "pooled", "attribute_logits", "pose_motion", "action_logits"):
        assert getattr(found, name).dtype == torch.float32, name
    assert torch.cosine_similarity(found.feature, expected.feature).min() > 0.99


def test_the_papers_size() -> None:
    """ResNet-50: C = 1024, maps of 16 x 8 at 256 x 128, and no parameter more than the parts have."""
    columns = (tuple(range(41)), tuple(range(41, 52)))  # the columns of MARS' table, pose and motion
    model = build_asanet(625, columns=columns)
    trunk = model.temporal
    block = type(trunk.identity_stage[0])
    assert all(type(unit) is block for branch in trunk.attributes.values() for unit in branch.stage)
    assert model.map_size == (16, 8)
    assert model.feature_dim == 512

    def linear(inputs: int, outputs: int) -> int:
        return inputs * outputs + outputs

    stage = 1024 * 512 + 1024  # shortcut and its normalisation
    for inputs in (1024, 512, 512):
        stage += inputs * 128 + 9 * 128 * 128 + 128 * 512 + 2 * (128 + 128 + 512)
    asre = linear(256, 256) + 2 * linear(512, 256) + 2 * 256 + linear(256, 1) + 1
    heads = 2 * (linear(512, 256) + 2 * 256) + linear(256, 41) + linear(256, 11)
    branches = 3 * (linear(2048, 256) + linear(256, 128))
    resnet50 = 23_508_032  # of the host, without classifier
    own = 2 * stage + 2 * asre + heads + branches + linear(1024, 128)
    neck = 512 + 625 * 512  # scale of the neck, classifier
    assert sum(parameter.numel() for parameter in model.parameters()) == resnet50 + own + neck


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"fusion": "c"}, "unknown fusion 'c'; choose one of a, b, none"),
        ({"branches": []}, r"expected one or more of identity, relevant, irrelevant, each once, got \[\]"),
        ({"branches": ["identity", "identity"]}, "each once, got"),
        ({"branches": ["face"]}, r"got \['face'\]"),
        ({"backbone": "osnet_x0_25"}, "osnet_x0_25 has none; set reidar.model.asanet.backbone"),
        ({"attribute_feature": "mean"}, "unknown attribute_feature 'mean'; choose one of pooled, projected"),
    ],
)
def test_says_what_it_cannot_build(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        small(**settings)


def test_the_host_builds_it_from_the_config() -> None:
    from reidar_plugin.host.defaults import toolbox_config
    from reidar_plugin.models.registry import builders

    cfg = toolbox_config()
    cfg.reidar = reidar_node()
    cfg.reidar.labels.attributes = ["gender", "pose"]
    cfg.reidar.model.asanet.backbone = "resnet18"
    cfg.reidar.model.asanet.fusion = "a"
    cfg.reidar.model.asanet.mask = "sigmoid"
    cfg.data.height, cfg.data.width = 64, 32
    model = builders(cfg)["asanet"](num_classes=5, loss="reidar", pretrained=False, use_gpu=False)
    output = model(clips())
    assert output.attribute_logits.shape == (3, 8)
    assert output.pooled.shape == (3, 3 * 128 + 128)
    assert 0 < output.masks.min() < output.masks.max() < 1
    heads = {name: branch.head[-1].out_features for name, branch in model.temporal.attributes.items()}
    assert heads == {"relevant": 2, "irrelevant": 6}  # gender is of the person, pose of the moment
    assert output.action_logits.shape == (3, 8)  # as many as the label space has


def test_actions_may_read_a_stage_of_the_stem() -> None:
    model = small(num_actions=3, action_width=8, action_source="layer2")
    output = model(torch.randn(2, 2, 3, 64, 32, generator=torch.Generator().manual_seed(0)))
    torch.testing.assert_close(output.action_attention.sum(dim=(2, 3, 4)), torch.ones(2, 3))
    total(output).backward()
    assert [name for name in idle(model) if name.startswith("actions.")] == []
    with pytest.raises(ConfigError, match=r"'layer4'.* layer2, layer3"):
        small(num_actions=3, action_source="layer4")
