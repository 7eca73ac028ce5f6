"""The checks that losses share, and what every loss promises: gradients, dtypes, order of the batch, unknown labels."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

from reidar_plugin import losses
from reidar_plugin.losses.checks import check_focus, check_fraction, class_vector, known_labels, masked_mean

PIDS = torch.tensor([0, 0, 1, 1, 1, 3])  # two pairs and more, and a person alone
RATIOS = [0.6, 0.3, 0.05, 0.4]
COUNTS = [60.0, 30.0, 5.0, 40.0]


class Case(NamedTuple):
    """A loss as a function of what gets a gradient and of the rest that belongs to the clips."""

    call: Callable[..., Tensor]
    shapes: tuple[tuple[int, ...], ...]  # of what gets a gradient; the first is a row a clip
    clips: tuple[str, ...]  # what else there is for each clip: "pids", "labels", "erased" or "covariates"
    module: Callable[[], nn.Module] | None = None


def pairs(call: Callable[..., Tensor], module: Callable[[], nn.Module]) -> Case:
    return Case(call, ((6, 5),), ("pids",), module)


def actions(call: Callable[..., Tensor], module: Callable[[], nn.Module]) -> Case:
    return Case(call, ((6, 4),), ("labels",), module)


CASES = {
    "smoothed_cross_entropy": pairs(losses.smoothed_cross_entropy, losses.SmoothedCrossEntropy),
    "smoothed_cross_entropy over the batch": pairs(
        lambda x, y: losses.smoothed_cross_entropy(x, y, 0.2, "batch"),
        lambda: losses.SmoothedCrossEntropy(0.2, "batch"),
    ),
    "ranked_list": pairs(losses.ranked_list_loss, losses.RankedListLoss),
    "ranked_list raw": pairs(
        lambda x, y: losses.ranked_list_loss(
            x,
            y,
            margin=1.0,
            alpha=4.0,
            temperature=3.0,
            positive_weight=0.3,
            positives="all",
            normalise=False,
        ),
        lambda: losses.RankedListLoss(
            margin=1.0, alpha=4.0, temperature=3.0, positive_weight=0.3, positives="all", normalise=False
        ),
    ),
    "identity_centre": Case(
        lambda x, c, y: losses.identity_centre_loss(x, y, c), ((6, 5), (4, 5)), ("pids",)
    ),
    "erasing": Case(losses.erasing_loss, ((6, 3),), ("erased",)),
    "binary_cross_entropy": actions(losses.binary_cross_entropy, losses.BinaryCrossEntropy),
    "weighted_binary_cross_entropy": actions(
        lambda z, y: losses.weighted_binary_cross_entropy(z, y, RATIOS),
        lambda: losses.WeightedBinaryCrossEntropy(RATIOS),
    ),
    "weighted_binary_cross_entropy as released": actions(
        lambda z, y: losses.weighted_binary_cross_entropy(z, y, RATIOS, True),
        lambda: losses.WeightedBinaryCrossEntropy(RATIOS, True),
    ),
    "action_centre": Case(
        lambda h, c, y: losses.action_centre_loss(h, y, c), ((6, 4, 3), (4, 3)), ("labels",)
    ),
    "action_centre as released": Case(
        lambda h, c, y: losses.action_centre_loss(h, y, c, "summed"), ((6, 4, 3), (4, 3)), ("labels",)
    ),
    "class_balanced": actions(
        lambda z, y: losses.class_balanced_loss(z, y, COUNTS, 0.99),
        lambda: losses.ClassBalancedLoss(COUNTS, 0.99),
    ),
    "focal": actions(losses.focal_loss, losses.FocalLoss),
    "asymmetric": actions(losses.asymmetric_loss, losses.AsymmetricLoss),
    "asymmetric without clip": actions(
        lambda z, y: losses.asymmetric_loss(z, y, 1.0, 2.0, 0.0), lambda: losses.AsymmetricLoss(1.0, 2.0, 0.0)
    ),
    "distribution_balanced": actions(
        lambda z, y: losses.distribution_balanced_loss(z, y, COUNTS, 100),
        lambda: losses.DistributionBalancedLoss(COUNTS, 100),
    ),
    "discriminative_centroids": Case(
        lambda x, c, y: losses.discriminative_centroids_loss(x, y, c, margin=20.0, average=False),
        ((6, 5), (4, 5)),
        ("labels",),
    ),
    "logit_adjustment": actions(
        lambda z, y: losses.logit_adjusted_loss(z, y, RATIOS), lambda: losses.LogitAdjustedLoss(RATIOS)
    ),
    "triplet": pairs(losses.batch_hard_triplet_loss, losses.TripletLoss),
    "triplet in cosine": pairs(
        lambda x, y: losses.batch_hard_triplet_loss(x, y, 0.5, "cosine"),
        lambda: losses.TripletLoss(0.5, "cosine"),
    ),
    "soft_mining": Case(lambda x, c, y: losses.soft_mining_loss(x, y, c), ((6, 5), (4, 5)), ("pids",)),
    "weighted_regularisation": pairs(
        losses.weighted_regularisation_triplet, losses.WeightedRegularisationTriplet
    ),
    "weighted_regularisation as released": pairs(
        lambda x, y: losses.weighted_regularisation_triplet(x, y, True, True),
        lambda: losses.WeightedRegularisationTriplet(True, True),
    ),
    "pose_motion": Case(
        lambda x, g, y: losses.pose_motion_triplet(x, g, y), ((6, 5),), ("covariates", "pids")
    ),
    "attributes": actions(
        lambda z, y: losses.attribute_loss(z, y, losses.column_weights([3, 1])),
        lambda: losses.AttributeLoss([3, 1]),
    ),
    "attributes as printed": actions(
        lambda z, y: losses.attribute_loss(z, y, None, True), lambda: losses.AttributeLoss(None, True)
    ),
}

PAIRED = [name for name, case in CASES.items() if "pids" in case.clips and case.shapes[0] == (6, 5)]
LABELLED = [name for name, case in CASES.items() if case.clips == ("labels",)]


def learnt(case: Case, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    generator = torch.Generator().manual_seed(7)
    values = (torch.randn(shape, generator=generator, dtype=torch.float64) for shape in case.shapes)
    return [value.to(dtype).requires_grad_() for value in values]


def of_clips(case: Case) -> list[Tensor]:
    generator = torch.Generator().manual_seed(8)
    labels = torch.tensor(
        [[1, 0, 0, 0], [0, 1, 0, 0], [1, 0, 0, 1], [0, 0, 1, 0], [0, 0, 0, 0], [1, 0, 0, 0]]
    )
    kinds = {
        "pids": PIDS,
        "labels": labels.double(),
        "erased": torch.rand(6, 3, generator=generator) < 0.5,
        "covariates": torch.randn(6, 2, generator=generator, dtype=torch.float64),
    }
    return [kinds[kind] for kind in case.clips]


@pytest.fixture(params=CASES, ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def test_gradient_is_that_of_the_value(case: Case) -> None:
    rest = of_clips(case)
    assert case.call(*learnt(case), *rest) > 0  # else nothing is compared
    assert torch.autograd.gradcheck(lambda *x: case.call(*x, *rest), learnt(case), atol=1e-6)


def test_order_of_the_batch_does_not_matter(case: Case) -> None:
    first, *more = learnt(case)
    order = torch.tensor([4, 0, 5, 2, 1, 3])
    turned = case.call(first[order], *more, *(x[order] for x in of_clips(case)))
    torch.testing.assert_close(turned, case.call(first, *more, *of_clips(case)), rtol=1e-12, atol=0)


def test_value_is_float32_or_float64(case: Case) -> None:
    for dtype, expected in ((torch.float64, torch.float64), (torch.float32, torch.float32)):
        value = case.call(*learnt(case, dtype), *of_clips(case))
        assert value.dtype == expected
        assert value.shape == ()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision_is_computed_in_float32(case: Case, dtype: torch.dtype) -> None:
    half = learnt(case, dtype)
    value = case.call(*half, *of_clips(case))
    assert value.dtype == torch.float32
    assert torch.equal(value, case.call(*(x.float() for x in half), *of_clips(case)))
    value.backward()
    assert half[0].grad is not None
    assert half[0].grad.dtype == dtype


def test_autocast_changes_nothing(case: Case) -> None:
    values = learnt(case, torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        inside = case.call(*values, *of_clips(case))
    assert torch.equal(inside, case.call(*values, *of_clips(case)))


def test_inputs_are_left_alone(case: Case) -> None:
    values, rest = learnt(case), of_clips(case)
    before = [x.detach().clone() for x in (*values, *rest)]
    case.call(*values, *rest).backward()
    for x, old in zip((*values, *rest), before, strict=True):
        assert torch.equal(x, old)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.module])
def test_module_is_the_function(name: str) -> None:
    case = CASES[name]
    assert case.module is not None
    arguments = (*learnt(case, torch.float32), *of_clips(case))
    assert torch.equal(case.module()(*arguments), case.call(*arguments))


@pytest.mark.parametrize("name", PAIRED)
@pytest.mark.parametrize("features", [torch.ones, torch.zeros], ids=["identical", "zero"])
def test_gradient_is_finite_for_identical_features(name: str, features: Callable[..., Tensor]) -> None:
    case = CASES[name]
    more = learnt(case, torch.float32)[1:]
    same = features(6, 5).requires_grad_()
    value = case.call(same, *more, *of_clips(case))
    value.backward()
    assert same.grad is not None
    assert value.isfinite()
    assert same.grad.isfinite().all()


@pytest.mark.parametrize("name", [n for n in PAIRED if "cross_entropy" not in n and n != "identity_centre"])
@pytest.mark.parametrize("pids", [[0], [0, 1, 2]], ids=["one clip", "no positive"])
def test_without_a_positive_nothing_pulls(name: str, pids: list[int]) -> None:
    """Losses of pairs: 0 with a graph where they need a positive, else the pushing part alone."""
    case = CASES[name]
    features, *more = learnt(case)
    clips = [x[: len(pids)] for x in of_clips(case)]
    clips[-1] = torch.tensor(pids)
    few = features.detach()[: len(pids)].requires_grad_()
    value = case.call(few, *more, *clips)
    value.backward()
    assert few.grad is not None
    assert few.grad.isfinite().all()
    if len(pids) == 1 or not name.startswith(("ranked_list", "soft_mining")):
        assert value == 0
        assert not few.grad.any()


@pytest.mark.parametrize("name", [n for n in PAIRED if n.startswith(("triplet", "weighted_reg"))])
def test_with_one_person_there_is_nothing_to_compare(name: str) -> None:
    (features,) = learnt(CASES[name])
    value = CASES[name].call(features, torch.zeros(6, dtype=torch.long))
    value.backward()
    assert value == 0
    assert features.grad is not None
    assert not features.grad.any()


@pytest.mark.parametrize("name", LABELLED)
def test_unknown_labels_cost_and_teach_nothing(name: str) -> None:
    case = CASES[name]
    (first, *more), (labels,) = learnt(case), of_clips(case)
    value = case.call(first, *more, labels)
    longer = torch.cat([first, 5 * first]).detach().requires_grad_()
    with_unknown = case.call(longer, *more, torch.cat([labels, torch.full_like(labels, torch.nan)]))
    torch.testing.assert_close(with_unknown, value, rtol=1e-12, atol=0)
    with_unknown.backward()
    assert longer.grad is not None
    assert longer.grad[:6].any()
    assert not longer.grad[6:].any()


@pytest.mark.parametrize("name", LABELLED)
def test_a_batch_without_labels_is_free(name: str) -> None:
    case = CASES[name]
    values = learnt(case)
    value = case.call(*values, torch.full((6, 4), torch.nan))
    value.backward()
    assert value == 0
    for x in values:
        assert x.grad is not None
        assert not x.grad.any()


@pytest.mark.parametrize("name", LABELLED)
def test_labels_of_another_shape_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"\(6, .*\(5, 4\)"):
        CASES[name].call(*learnt(CASES[name]), torch.zeros(5, 4))


@pytest.mark.parametrize("name", PAIRED)
def test_pids_of_another_length_are_refused(name: str) -> None:
    case = CASES[name]
    clips = of_clips(case)
    clips[-1] = torch.zeros(3, dtype=torch.long)
    with pytest.raises(ValueError, match=r"\(6, [25]\) and \(3,\)"):
        case.call(*learnt(case), *clips)


def test_every_function_is_a_case() -> None:
    functions = {name for name in losses.__all__ if name.islower() and name != "column_weights"}
    called = {name.split()[0] for name in CASES}
    assert len(functions) == len(called) == 18


def test_masked_mean() -> None:
    values = torch.tensor([1.0, torch.nan, 5.0], requires_grad=True)
    mean = masked_mean(values, torch.tensor([True, False, True]))
    mean.backward()
    assert mean == 3
    assert values.grad is not None
    assert values.grad.tolist() == [0.5, 0.0, 0.5]
    assert masked_mean(values, torch.zeros(3, dtype=torch.bool)) == 0


def test_known_labels() -> None:
    values, known = known_labels(torch.tensor([[1.0, torch.nan, 0.0]]), torch.zeros(1, dtype=torch.float64))
    assert values.tolist() == [[1.0, 0.0, 0.0]]
    assert values.dtype == torch.float64
    assert known.tolist() == [[True, False, True]]


def test_class_vector() -> None:
    vector = class_vector([1, 2], torch.zeros(3, 2, dtype=torch.float64))
    assert vector.tolist() == [1.0, 2.0]
    assert vector.dtype == torch.float64
    with pytest.raises(ValueError, match=r"each of 2 columns, got \(3,\)"):
        class_vector([1, 2, 3], torch.zeros(3, 2))


@pytest.mark.parametrize("gamma", [-1.0, 0.5])
def test_a_focusing_exponent_is_0_or_at_least_1(gamma: float) -> None:
    check_focus("gamma", 0)
    check_focus("gamma", 1.0)
    with pytest.raises(ValueError, match=f"gamma must be 0 or >= 1, got {gamma}"):
        check_focus("gamma", gamma)


@pytest.mark.parametrize("value", [-0.1, 1.0])
def test_a_fraction_is_below_1(value: float) -> None:
    check_fraction("clip", 0.0)
    with pytest.raises(ValueError, match=rf"clip must be in \[0, 1\), got {value}"):
        check_fraction("clip", value)
