import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from yacs.config import CfgNode

from reidar_plugin import losses
from reidar_plugin.config import reidar_node
from reidar_plugin.losses import TERMS, Objective, Sizes
from reidar_plugin.structures import Targets
from tests.versions import TORCH
from tools.benchmarks.kernels import KernelCalls

B, T, K, D, M, E = 8, 3, 5, 6, 4, 7
COUNTS = [40.0, 9.0, 3.0, 20.0]
SIZES: dict[str, Any] = {
    "num_classes": K,
    "feature_dim": D,
    "num_actions": M,
    "hidden_dim": E,
    "counts": COUNTS,
    "total": 64,
    "attributes": [3, 2],
}


class Output(NamedTuple):
    """All that any term reads: more than the joint model gives."""

    logits: Tensor
    feature: Tensor
    pooled: Tensor
    scores: Tensor
    attention: Tensor
    action_logits: Tensor | None
    action_hidden: Tensor | None
    class_vectors: Tensor | None
    attribute_logits: Tensor | None
    pose_motion: Tensor | None


def output(clips: int = B, actions: int = M, device: str = "cpu") -> Output:
    generator = torch.Generator().manual_seed(clips + actions)

    def part(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator).to(device).requires_grad_()

    return Output(
        logits=part(clips, K),
        feature=part(clips, D),
        pooled=part(clips, D),
        scores=part(clips, T),
        attention=part(clips, T).detach().softmax(dim=1).requires_grad_(),
        action_logits=part(clips, actions),
        action_hidden=part(clips, actions, E),
        class_vectors=part(K, D),
        attribute_logits=part(clips, 5),
        pose_motion=part(clips, 3),
    )


def targets(clips: int = B, actions: int = M, device: str = "cpu") -> Targets:
    labels = torch.zeros(clips, actions)
    labels[torch.arange(clips), torch.arange(clips) % actions] = 1
    labels[1] = torch.nan
    attributes = torch.tensor([1.0, 0.0, 0.0, 0.0, 1.0]).repeat(clips, 1)
    erased = torch.arange(clips * T).reshape(clips, T) % 2 == 0
    parts = torch.arange(clips) % 3, labels, attributes, erased
    return Targets(*(part.to(device) for part in parts))


def node(terms: Sequence[str] | None = None, **changes: Any) -> CfgNode:
    """The default config with other terms and other values, by keys such as "soft_mining.vectors"."""
    loss = reidar_node().loss
    if terms is not None:
        loss.terms = list(terms)
    for key, value in changes.items():
        *path, last = key.split(".")
        place = loss
        for part in path:
            place = place[part]
        place[last] = value
    return loss


def objective(terms: Sequence[str] | None = None, **changes: Any) -> Objective:
    torch.manual_seed(99)  # the centres
    return Objective.from_config(node(terms, **changes), **SIZES)


def gradient(x: Tensor | None) -> Tensor:
    assert x is not None
    assert x.grad is not None
    return x.grad


def test_default_is_equations_1_5_and_6() -> None:
    made = objective()
    out, judged = output(), targets()
    total, values = made(out, judged)
    assert list(values) == [
        "smoothed_cross_entropy", "ranked_list", "identity_centre", "erasing",
        "weighted_binary_cross_entropy", "action_centre",
    ]  # fmt: skip
    (identity,), (action,) = made.centres()
    assert out.action_logits is not None
    assert out.action_hidden is not None
    idn = (
        losses.smoothed_cross_entropy(out.logits, judged.pids)
        + losses.ranked_list_loss(out.feature, judged.pids)
        + 0.0005 * losses.identity_centre_loss(out.feature, judged.pids, identity)
        + losses.erasing_loss(out.attention, judged.erased)
    )
    ratios = [count / 64 for count in COUNTS]
    arn = losses.weighted_binary_cross_entropy(out.action_logits, judged.labels, ratios)
    arn = arn + 0.0005 * losses.action_centre_loss(out.action_hidden, judged.labels, action)
    torch.testing.assert_close(total, 0.5 * idn + 0.5 * arn)


@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_lambda_stands_on_the_identity_side(share: float) -> None:
    made = objective(["ranked_list", "focal", "attributes"], balance=share)
    total, value = made(output(), targets())
    expected = share * value["ranked_list"] + (1 - share) * value["focal"] + 1.5 * value["attributes"]
    torch.testing.assert_close(total.detach(), expected)


def test_plain_sum_and_weights() -> None:
    made = objective(["ranked_list", "focal"], combine="sum", **{"weights.focal": 3.0})
    total, value = made(output(), targets())
    torch.testing.assert_close(total.detach(), value["ranked_list"] + 3 * value["focal"])


@pytest.mark.parametrize("terms", [["ranked_list", "erasing"], ["focal", "asymmetric"]], ids=str)
def test_one_side_alone_is_not_halved(terms: list[str]) -> None:
    total, value = objective(terms)(output(), targets())
    torch.testing.assert_close(total.detach(), value[terms[0]] + value[terms[1]])


def test_values_are_before_their_weight_and_carry_no_graph() -> None:
    made = objective(["identity_centre"])
    total, values = made(output(), targets())
    assert not values["identity_centre"].requires_grad
    torch.testing.assert_close(total.detach(), 0.0005 * values["identity_centre"])


@pytest.mark.parametrize("combine", ["balance", "sum"])
def test_centres_learn_as_if_alone(combine: str) -> None:
    """Their gradient is free of lambda and weight; that of the features is not."""
    terms = ["identity_centre", "action_centre", "discriminative_centroids"]
    made = objective(terms, combine=combine)
    out, judged = output(), targets()
    made(out, judged)[0].backward()
    alone = objective(terms)
    free = output()
    for name in terms:
        alone_centres = alone.get_parameter(f"losses.{name}.centres").detach().clone().requires_grad_()
        if name == "identity_centre":
            losses.identity_centre_loss(free.feature, judged.pids, alone_centres).backward()
        elif name == "action_centre":
            assert free.action_hidden is not None
            losses.action_centre_loss(free.action_hidden, judged.labels, alone_centres).backward()
        else:
            assert free.action_hidden is not None
            mean = free.action_hidden.mean(dim=1)
            losses.discriminative_centroids_loss(mean, judged.labels, alone_centres).backward()
        centres = made.get_parameter(f"losses.{name}.centres")
        torch.testing.assert_close(centres.grad, alone_centres.grad)
    share = 0.5 if combine == "balance" else 1.0
    torch.testing.assert_close(gradient(out.feature), share * 0.0005 * gradient(free.feature))


def test_centres_come_by_side() -> None:
    identity, action = objective(["identity_centre", "action_centre", "discriminative_centroids"]).centres()
    assert [tuple(c.shape) for c in identity] == [(K, D)]
    assert [tuple(c.shape) for c in action] == [(M, E), (M, E)]
    assert objective(["ranked_list", "focal"]).centres() == ([], [])


def test_a_term_of_weight_zero_teaches_nothing() -> None:
    made = objective(["ranked_list", "identity_centre"], **{"weights.identity_centre": 0.0})
    out = output()
    total, values = made(out, targets())
    total.backward()
    torch.testing.assert_close(total.detach(), values["ranked_list"])
    assert made.centres()[0][0].grad is None


@pytest.mark.parametrize("name", TERMS)
def test_every_term_is_built_from_the_default_config_and_learns(name: str) -> None:
    terms = [name, "identity_centre"] if name == "soft_mining" else [name]
    out = output()
    made = objective(terms)
    total, values = made(out, targets())
    assert values[name] > 0
    total.backward()
    assert any(x.grad is not None and x.grad.any() for x in out if x is not None)
    for parameter in made.parameters():
        assert gradient(parameter).any()


def test_terms_are_called_as_their_files() -> None:
    folder = Path(losses.__file__).parent
    assert all((folder / f"{name}.py").exists() for name in TERMS)
    weights = reidar_node().loss.weights
    assert set(weights) == set(TERMS)


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("smoothed_cross_entropy", "spread", "batch"),
        ("ranked_list", "margin", 0.04),
        ("ranked_list", "normalise", False),
        ("identity_centre", "reduction", "half_sum"),
        ("erasing", "form", "scores"),
        ("triplet", "metric", "cosine"),
        ("soft_mining", "sigma", 0.4),
        ("weighted_regularisation", "include_anchor", True),
        ("pose_motion", "margin", 0.7),
        ("pose_motion", "include_anchor", True),
        ("weighted_binary_cross_entropy", "ratios", "reciprocal"),
        ("weighted_binary_cross_entropy", "double_sigmoid", True),
        ("action_centre", "form", "summed"),
        ("class_balanced", "beta", 0.5),
        ("focal", "alpha", 0.6),
        ("asymmetric", "clip", 0.3),
        ("distribution_balanced", "middle", 0.9),
        ("discriminative_centroids", "margin", 30.0),
        ("logit_adjustment", "tau", 0.3),
        ("attributes", "by_attribute", True),
        ("attributes", "positive_only", True),
    ],
)
def test_config_keys_reach_the_loss(name: str, key: str, value: Any) -> None:
    usual = objective([name])(output(), targets())[1][name]
    other = objective([name], **{f"{name}.{key}": value})(output(), targets())[1][name]
    assert usual != other


def test_the_options_of_weights_choose_the_right_ones() -> None:
    share = objective(["weighted_binary_cross_entropy"]).losses["weighted_binary_cross_entropy"]
    assert share.ratios.tolist() == pytest.approx([count / 64 for count in COUNTS])
    released = objective(
        ["weighted_binary_cross_entropy"], **{"weighted_binary_cross_entropy.ratios": "reciprocal"}
    )
    ratios = released.losses["weighted_binary_cross_entropy"].ratios
    assert ratios.tolist() == pytest.approx([1 / count for count in COUNTS])
    assert objective(["attributes"]).losses["attributes"].weights is None
    by_attribute = objective(["attributes"], **{"attributes.by_attribute": True}).losses["attributes"]
    assert by_attribute.weights.tolist() == pytest.approx([1 / 3] * 3 + [1 / 2] * 2)


def test_embedding_is_after_or_before_the_neck() -> None:
    for embedding in ("feature", "pooled"):
        out = output()
        objective(["ranked_list"], embedding=embedding)(out, targets())[0].backward()
        assert (out.feature.grad is None) == (embedding == "pooled")
        assert (out.pooled.grad is None) == (embedding == "feature")


def test_soft_mining_reads_the_classifier_or_the_centres() -> None:
    terms = ["soft_mining", "identity_centre"]
    out = output()
    made = objective(terms, **{"soft_mining.vectors": "centres"})
    value = made(out, targets())[1]["soft_mining"]
    assert out.class_vectors is not None
    numbers = {key: reidar_node().loss.soft_mining[key] for key in ("sigma", "alpha", "balance")}
    for vectors, expected in ((made.centres()[0][0], True), (out.class_vectors, False)):
        alone = losses.soft_mining_loss(out.feature, targets().pids, vectors, **numbers)
        assert torch.allclose(value, alone) == expected
    with pytest.raises(ValueError, match=r"add that to reidar\.loss\.terms"):
        objective(["soft_mining"], **{"soft_mining.vectors": "centres"})


def test_soft_mining_moves_the_centres_at_their_pace() -> None:
    """As VPRFT, which frees the whole gradient of the centres from the weight of the centre loss."""
    terms = ["soft_mining", "identity_centre"]
    made = objective(terms, **{"soft_mining.vectors": "centres", "weights.soft_mining": 0.002})
    out = output()
    made(out, targets())[0].backward()
    centres = made.centres()[0][0]
    alone = centres.detach().clone().requires_grad_()
    numbers = {key: reidar_node().loss.soft_mining[key] for key in ("sigma", "alpha", "balance")}
    mined = losses.soft_mining_loss(out.feature, targets().pids, alone, **numbers)
    pulled = losses.identity_centre_loss(out.feature, targets().pids, alone)
    (pulled + 0.002 / 0.0005 * mined).backward()
    torch.testing.assert_close(gradient(centres), gradient(alone))


def test_pose_motion_weight_rises_with_the_attributes() -> None:
    made = objective(["pose_motion", "attributes", "focal"], balance=0.25, **{"pose_motion.margin": 0.5})
    out, judged = output(), targets()
    factors = []
    for sure in (0.0, 20.0, 0.0):
        logits = sure * (2 * judged.attributes - 1)
        total, value = made(out._replace(attribute_logits=logits), judged)
        rest = 1.5 * value["attributes"] + 0.75 * value["focal"]
        factors.append((total.detach() - rest) / value["pose_motion"])
    expected = 0.25 * torch.tensor([0.005, 0.01, 0.01])
    torch.testing.assert_close(torch.stack(factors), expected, rtol=1e-3, atol=0)


def test_without_any_label_the_actions_are_free() -> None:
    """As on a dataset that has none: no counts either, and terms that need them are built all the same."""
    actions = [name for name, term in TERMS.items() if term.group == "action"]
    made = Objective.from_config(node(["ranked_list", *actions]), **{**SIZES, "counts": (), "total": 0})
    out = output()
    nothing = targets()._replace(labels=torch.full((B, M), torch.nan))
    total, values = made(out, nothing)
    torch.testing.assert_close(total.detach(), 0.5 * values["ranked_list"])
    total.backward()
    assert not gradient(out.action_logits).any()
    assert not gradient(out.action_hidden).any()


def test_state_holds_the_centres_and_a_copy_keeps_their_pace() -> None:
    made = objective()
    assert {"losses.identity_centre.centres", "losses.action_centre.centres"} == set(made.state_dict())
    other = copy.deepcopy(made)
    for one in (made, other):
        one(output(), targets())[0].backward()
    for mine, theirs in zip(made.parameters(), other.parameters(), strict=True):
        assert torch.equal(gradient(mine), gradient(theirs))


@pytest.mark.skipif(
    TORCH < (2, 5) and not torch.cuda.is_available(),
    reason="torch 2.4 pretends no GPU where there is no driver",
)
def test_waits_for_no_device() -> None:
    """On a pretended GPU, where reading a value back is an error."""
    made = objective(list(TERMS))
    with FakeTensorMode(allow_non_fake_inputs=True):
        made = made.to("cuda")
        total, _ = made(output(device="cuda"), targets(device="cuda"))
        assert total.device.type == "cuda"
        with pytest.raises(Exception, match=r"_local_scalar_dense|data.dependent"):
            total.item()


def calls(clips: int, actions: int) -> int:
    sizes = {**SIZES, "num_actions": actions, "counts": [5.0] * actions}
    made = Objective.from_config(node(list(TERMS)), **sizes)
    with KernelCalls() as counter:
        made(output(clips, actions), targets(clips, actions))[0].backward()
    return counter.all


def test_number_of_kernels_does_not_grow() -> None:
    assert calls(8, 3) == calls(48, 3) == calls(8, 17)


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        (
            ["ranked_lists"],
            r"'ranked_lists'; did you mean 'ranked_list'\?.* choose from smoothed_cross_entropy, ",
        ),
        (["terms"], "unknown loss term 'terms'"),
        (["focal", "focal"], r"each once, got \['focal', 'focal'\]"),
    ],
)
def test_refuses_terms(terms: list[str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        objective(terms)


def test_refuses_an_empty_list() -> None:
    with pytest.raises(ValueError, match=r"one term or more, each once, got \[\]"):
        Objective({})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ranked_list.alpha": -2.0}, r"reidar\.loss\.ranked_list: expected alpha > 0.*alpha=-2\.0"),
        ({"balance": 1.5}, r"0\.\.1, got 1\.5"),
        ({"combine": "product"}, "'product'; choose one of 'balance', 'sum'"),
        ({"embedding": "logits"}, "'logits'; choose one of 'feature', 'pooled'"),
        ({"weights.erasing": -1.0}, r"must be >= 0, got \{'erasing': -1\.0\}"),
        ({"weighted_binary_cross_entropy.ratios": "counts"}, "'counts'; choose one of 'share', 'reciprocal'"),
    ],
)
def test_refuses_values(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        objective(**changes)


def test_refuses_action_terms_without_an_action_network() -> None:
    with pytest.raises(ValueError, match="weighted_binary_cross_entropy, action_centre judge actions"):
        Objective.from_config(node(), num_classes=K, feature_dim=D)
    made = objective(["focal"])
    with pytest.raises(ValueError, match="reads 'action_logits', which the model does not give"):
        made(output()._replace(action_logits=None), targets())


def test_refuses_counts_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="counts of 4 actions, got 3"):
        Sizes(K, D, M, E, COUNTS[:3], 64)
    with pytest.raises(ValueError, match=r"counts in 0\.\.8 \(the total\), got \[40\.0"):
        Sizes(K, D, M, E, COUNTS, 8)


def test_losses_can_be_handed_in() -> None:
    """As a library, without a config."""
    made = Objective({"triplet": losses.TripletLoss(0.3), "erasing": losses.ErasingLoss()}, {"erasing": 0.1})
    assert isinstance(made.losses, nn.ModuleDict)
    total, value = made(output(), targets())
    torch.testing.assert_close(total.detach(), value["triplet"] + 0.1 * value["erasing"])


@pytest.mark.slow
@pytest.mark.skipif(
    TORCH < (2, 5), reason="torch 2.4 breaks the graph where a module sets a number of its own"
)
def test_compiles_without_a_break() -> None:
    made = objective(list(TERMS))
    out, compiled = output(), torch.compile(made, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(out, targets())[0], made(out, targets())[0])


def test_attributes_that_nobody_named() -> None:
    with pytest.raises(ValueError, match=r"reidar\.labels\.attributes names none"):
        Objective.from_config(node(["attributes"]), **{**SIZES, "attributes": ()})


def test_copies_of_the_classifier_from_several_devices_count_once() -> None:
    made, one = objective(["soft_mining"]), output()
    assert one.class_vectors is not None
    stacked = one._replace(class_vectors=torch.cat([one.class_vectors, one.class_vectors]))
    torch.testing.assert_close(made(stacked, targets())[0], made(one, targets())[0])


def test_smoothing_lets_an_action_be_in_no_sample_or_in_all() -> None:
    sizes = {**SIZES, "counts": [0.0, 64.0, 3.0, 20.0]}
    with pytest.raises(ValueError, match="every action in some samples"):
        Objective.from_config(node(["logit_adjustment"]), **sizes)
    made = Objective.from_config(node(["logit_adjustment"], **{"logit_adjustment.smoothing": 1.0}), **sizes)
    ratios = made.losses["logit_adjustment"].ratios
    assert ratios.tolist() == pytest.approx([1 / 66, 65 / 66, 4 / 66, 21 / 66])
    with pytest.raises(ValueError, match="smoothing must be >= 0, got -1"):
        Objective.from_config(node(["logit_adjustment"], **{"logit_adjustment.smoothing": -1.0}), **SIZES)
