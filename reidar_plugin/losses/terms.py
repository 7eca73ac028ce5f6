"""The table of loss terms: what each is called, how a config builds it, and what it reads of a batch.

A term is called as the file that holds its loss. Only this file knows both config keys and losses.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, Literal

from torch import Tensor, nn

from reidar_plugin.errors import InputError
from reidar_plugin.losses.action_centre import ActionCentreLoss
from reidar_plugin.losses.asymmetric import AsymmetricLoss
from reidar_plugin.losses.attributes import AttributeLoss
from reidar_plugin.losses.binary_cross_entropy import BinaryCrossEntropy
from reidar_plugin.losses.checks import check_choice
from reidar_plugin.losses.class_balanced import ClassBalancedLoss
from reidar_plugin.losses.discriminative_centroids import DiscriminativeCentroidsLoss
from reidar_plugin.losses.distribution_balanced import DistributionBalancedLoss
from reidar_plugin.losses.erasing import ErasingLoss
from reidar_plugin.losses.focal import FocalLoss
from reidar_plugin.losses.identity_centre import IdentityCentreLoss
from reidar_plugin.losses.logit_adjustment import LogitAdjustedLoss
from reidar_plugin.losses.pose_motion import PoseMotionTriplet
from reidar_plugin.losses.ranked_list import RankedListLoss
from reidar_plugin.losses.smoothed_cross_entropy import SmoothedCrossEntropy
from reidar_plugin.losses.soft_mining import SoftMiningLoss
from reidar_plugin.losses.triplet import TripletLoss
from reidar_plugin.losses.weighted_binary_cross_entropy import WeightedBinaryCrossEntropy
from reidar_plugin.losses.weighted_regularisation import WeightedRegularisationTriplet
from reidar_plugin.structures import JointOutput, Targets

__all__ = ["TERMS", "Batch", "Sizes", "Term"]

Group = Literal["identity", "action", "attribute"]


@dataclass(frozen=True)
class Sizes:
    """What model and training data say, and no config key does.

    Args:
        num_classes: K, identities in training.
        feature_dim: D, width of the clip feature.
        num_actions: M, 0 without an action network.
        hidden_dim: E, width of an action block.
        counts: training samples that show each action, ``M`` numbers; empty where nothing is labelled.
        total: training samples whose actions are known.
        attributes: columns of each attribute, in order; their sum is A.
    """

    num_classes: int
    feature_dim: int
    num_actions: int = 0
    hidden_dim: int = 0
    counts: Sequence[float] = ()
    total: float = 0
    attributes: Sequence[int] = ()

    def __post_init__(self) -> None:
        if self.total and len(self.counts) != self.num_actions:
            raise ValueError(f"expected counts of {self.num_actions} actions, got {len(self.counts)}")
        if any(not 0 <= count <= self.total for count in self.counts):
            raise ValueError(f"expected counts in 0..{self.total:g} (the total), got {list(self.counts)}")

    def prior(self) -> tuple[list[float], float]:
        """Counts and total; one of two where nothing is labelled, since no label will ever read it."""
        return (list(self.counts), self.total) if self.total else ([1.0] * self.num_actions, 2.0)

    def ratios(self, smoothing: float = 0.0) -> list[float]:
        """Share of the labelled samples that show each action.

        Args:
            smoothing: samples that are added to those that show an action, and to those that do not.
        """
        counts, total = self.prior()
        return [(count + smoothing) / (total + 2 * smoothing) for count in counts]


class Batch:
    """What the terms read: the model's output, the targets, and the vectors that losses share.

    Args:
        output: output of the model; a tuple with more fields than :class:`JointOutput` serves too.
        targets: targets of the same clips.
        embedding: name of the output that metric losses compare, "feature" or "pooled".
        losses: the losses by term.
    """

    def __init__(self, output: JointOutput, targets: Targets, embedding: str, losses: nn.ModuleDict) -> None:
        self.output = output
        self.targets = targets
        self.compared = embedding
        self.embedding = self.given(embedding)
        self._losses = losses

    def branches(self) -> list["Batch"]:
        """What each branch of the model says, as a batch of its own; the batch itself where there are none."""
        logits = getattr(self.output, "branch_logits", None)
        if logits is None:
            return [self]
        count = logits.shape[1]
        parts = zip(
            logits.unbind(1),
            self.output.feature.chunk(count, 1),
            self.output.pooled.chunk(count, 1),
            strict=True,
        )
        outputs = [
            self.output._replace(logits=logits, feature=feature, pooled=pooled)
            for logits, feature, pooled in parts
        ]
        return [Batch(output, self.targets, self.compared, self._losses) for output in outputs]

    def given(self, field: str) -> Tensor:
        """A field of the output that not every model fills."""
        value = getattr(self.output, field, None)
        if value is None:
            raise InputError(
                f"a loss term reads {field!r}, which the model does not give; "
                "take the term out of reidar.loss.terms or use a model that has it"
            )
        return value

    def class_vectors(self) -> Tensor:
        """One vector an identity for soft mining, ``(K, D)``: the classifier's, or the centres."""
        if self._losses["soft_mining"].vectors == "classifier":
            return self.given("class_vectors")
        centres = self._losses["identity_centre"]
        assert isinstance(centres, IdentityCentreLoss)
        return centres.learning_centres()


@dataclass(frozen=True)
class Term:
    """A loss under its name.

    Args:
        group: which side of equation 6 it stands on; attributes stand on neither.
        build: makes the loss from the term's own config keys and the sizes.
        reads: what the loss is called with.
        each_branch: sum over the branches of a model that has several, each by its own logits and features; else the
            loss reads their sum of logits and their features side by side.
    """

    group: Group
    build: Callable[[Mapping[str, Any], Sizes], nn.Module]
    reads: Callable[[Batch], tuple[Tensor, ...]]
    each_branch: bool = False

    def value(self, loss: nn.Module, batch: Batch) -> Tensor:
        """The loss of a batch, before its weight."""
        parts = batch.branches() if self.each_branch else [batch]
        return reduce(add, [loss(*self.reads(part)) for part in parts])


def _weighted_bce(node: Mapping[str, Any], sizes: Sizes) -> nn.Module:
    check_choice("ratios", node["ratios"], ("share", "reciprocal"))
    ratios = sizes.ratios()
    if node["ratios"] == "reciprocal":
        ratios = [1 / max(count, 1) for count in sizes.prior()[0]]
    return WeightedBinaryCrossEntropy(ratios, node["double_sigmoid"], node["reduction"])


def _logit_adjustment(node: Mapping[str, Any], sizes: Sizes) -> nn.Module:
    if node["smoothing"] < 0:
        raise ValueError(f"smoothing must be >= 0, got {node['smoothing']}")
    return LogitAdjustedLoss(sizes.ratios(node["smoothing"]), node["tau"])


def _attributes(node: Mapping[str, Any], sizes: Sizes) -> nn.Module:
    return AttributeLoss(sizes.attributes if node["by_attribute"] else None, node["positive_only"])


def _pose_motion(node: Mapping[str, Any], sizes: Sizes) -> nn.Module:
    return PoseMotionTriplet(node["margin"], node["include_anchor"])


def _logits(batch: Batch) -> tuple[Tensor, ...]:
    return batch.output.logits, batch.targets.pids


def _embedding(batch: Batch) -> tuple[Tensor, ...]:
    return batch.embedding, batch.targets.pids


def _actions(batch: Batch) -> tuple[Tensor, ...]:
    return batch.given("action_logits"), batch.targets.labels


#: Every term by name.
TERMS: dict[str, Term] = {
    "smoothed_cross_entropy": Term("identity", lambda node, _: SmoothedCrossEntropy(**node), _logits, True),
    "ranked_list": Term("identity", lambda node, _: RankedListLoss(**node), _embedding, True),
    "identity_centre": Term(
        "identity", lambda node, s: IdentityCentreLoss(s.num_classes, s.feature_dim, **node), _embedding
    ),
    "erasing": Term(
        "identity",
        lambda node, _: ErasingLoss(**node),
        lambda b: (b.output.attention, b.output.scores, b.targets.erased),
    ),
    "triplet": Term("identity", lambda node, _: TripletLoss(**node), _embedding, True),
    "soft_mining": Term(
        "identity", lambda node, _: SoftMiningLoss(**node), lambda b: (*_embedding(b), b.class_vectors())
    ),
    "weighted_regularisation": Term(
        "identity", lambda node, _: WeightedRegularisationTriplet(**node), _embedding, True
    ),
    "pose_motion": Term(
        "identity", _pose_motion, lambda b: (b.embedding, b.given("pose_motion"), b.targets.pids)
    ),
    "binary_cross_entropy": Term("action", lambda node, _: BinaryCrossEntropy(**node), _actions),
    "weighted_binary_cross_entropy": Term("action", _weighted_bce, _actions),
    "action_centre": Term(
        "action",
        lambda node, s: ActionCentreLoss(s.num_actions, s.hidden_dim, **node),
        lambda b: (b.given("action_hidden"), b.targets.labels),
    ),
    "class_balanced": Term("action", lambda node, s: ClassBalancedLoss(s.prior()[0], **node), _actions),
    "focal": Term("action", lambda node, _: FocalLoss(**node), _actions),
    "asymmetric": Term("action", lambda node, _: AsymmetricLoss(**node), _actions),
    "distribution_balanced": Term(
        "action", lambda node, s: DistributionBalancedLoss(*s.prior(), **node), _actions
    ),
    "discriminative_centroids": Term(
        "action",
        lambda node, s: DiscriminativeCentroidsLoss(s.num_actions, s.hidden_dim, **node),
        lambda b: (b.given("action_hidden").mean(dim=1), b.targets.labels),
    ),
    "logit_adjustment": Term("action", _logit_adjustment, _actions),
    "attributes": Term(
        "attribute", _attributes, lambda b: (b.given("attribute_logits"), b.targets.attributes)
    ),
}
