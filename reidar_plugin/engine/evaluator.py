"""A whole test of a network: every target, every protocol, retrieval and actions."""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from reidar_plugin.data.checker import unmatched_queries
from reidar_plugin.data.held_out import HELD_OUT
from reidar_plugin.data.loader import ClipLoader
from reidar_plugin.data.manager import ClipDataManager
from reidar_plugin.data.tracklet_table import TrackletTable
from reidar_plugin.engine.options import NO_EVIDENCE, EvaluationOptions
from reidar_plugin.errors import ConfigError
from reidar_plugin.inference.features import TrackletOutputs, extract, report_replaced
from reidar_plugin.inference.precision import Precision
from reidar_plugin.io.console import say
from reidar_plugin.metrics.action_evidence import with_action_evidence
from reidar_plugin.metrics.actions import ActionReport, choose_thresholds, evaluate_actions
from reidar_plugin.metrics.distances import check_metric
from reidar_plugin.metrics.protocol_results import ProtocolResult, evaluate_retrieval
from reidar_plugin.metrics.protocols import TrackletFeatures, protocols_of

__all__ = ["Evaluator", "Side", "Target", "TestOutcome", "check_answerable"]


class Side(NamedTuple):
    """The queries or the gallery of a target: their tracklets and the outputs of the network."""

    table: TrackletTable
    outputs: TrackletOutputs

    def tracklets(self) -> TrackletFeatures:
        """Features, identities and cameras, which retrieval reads."""
        features = self.outputs.features
        pids, camids = (
            values[: len(self.table)].to(features.device) for values in (self.table.pids, self.table.camids)
        )
        return TrackletFeatures(features, pids, camids)

    def acting_tracklets(self, weight: float) -> TrackletFeatures:
        """The same, with likelihoods of actions at that weight in what squared Euclidean distances compare."""
        if self.outputs.likelihoods is None:
            raise ConfigError(NO_EVIDENCE)
        plain = self.tracklets()
        likelihoods = self.outputs.likelihoods.to(plain.features.device)
        return plain._replace(features=with_action_evidence(plain.features, likelihoods, weight))


class Target(NamedTuple):
    """Queries and gallery of a data set, with the outputs of the network."""

    name: str  #: as in the config
    query: Side
    gallery: Side


class TestOutcome(NamedTuple):
    """What a test found."""

    targets: list[Target]
    retrieval: list[ProtocolResult]
    """Of each target every protocol, then every protocol with actions, then every protocol re-ranked."""
    first: list[ProtocolResult]
    """Of each target the first protocol, not re-ranked."""
    actions: ActionReport | None
    """Over queries and galleries of all targets; None where no actions are known."""


class Evaluator:
    """Tests a network on the targets of a data manager.

    Args:
        network: frames ``(B, T, 3, H, W)`` -> :class:`~reidar_plugin.structures.JointOutput`.
        data: gives the test loaders and the label space.
        precision: the precision in which the network runs.
        options: thresholds, re-ranking, the weight of actions and the split that is tested.
    """

    def __init__(
        self,
        network: nn.Module,
        data: ClipDataManager,
        precision: Precision,
        options: EvaluationOptions | None = None,
    ) -> None:
        self.network, self.data, self.precision = network, data, precision
        self.options = options or EvaluationOptions()

    def __call__(
        self, metric: str = "euclidean", normalize: bool = False, rerank: bool = False
    ) -> TestOutcome:
        """Test on all targets.

        Args:
            metric: ``euclidean`` or ``cosine``.
            normalize: whether features are brought to unit length.
            rerank: also test re-ranked distances.
        """
        check_metric(metric)
        targets = [self.extract_target(name) for name in self.data.test_loader]
        retrieval: list[ProtocolResult] = []
        first = []
        for target in targets:
            protocols = protocols_of(target.name, self.options.split_id)
            sides = target.query.tracklets(), target.gallery.tracklets()
            compare = partial(
                evaluate_retrieval, protocols=protocols, metric=check_metric(metric), normalize=normalize
            )
            first.append(len(retrieval))
            retrieval += compare(*sides)
            if weight := self.options.action_weight:
                acting = target.query.acting_tracklets(weight), target.gallery.acting_tracklets(weight)
                retrieval += evaluate_retrieval(*acting, protocols, action_weight=weight)
            if rerank:
                retrieval += compare(*sides, reranking=self.options.reranking)
        return TestOutcome(
            targets, retrieval, [retrieval[index] for index in first], self.judge_actions(targets)
        )

    def extract_target(self, name: str) -> Target:
        """Run the network over the queries and the gallery of a target."""
        sides = []
        for part, loader in self.data.test_loader[name].items():
            outputs = self._extract(loader, f"{name} {part}")
            say(
                f"{name} {part}: {len(outputs.features):,} tracklets, features of {outputs.features.shape[1]}"
            )
            report_replaced(loader, f"{name} {part}")
            sides.append(Side(loader.table, outputs))
        return Target(name, *sides)

    def judge_actions(self, targets: Sequence[Target]) -> ActionReport | None:
        """Judge the likelihoods of all tracklets; those of unknown actions are left out, and counted."""
        scores, labels = self._actions(targets)
        if not labels.nan_to_num().any():
            if len(scores):
                say("actions: no tracklet of the test is known to show any, so none is judged")
            return None
        return evaluate_actions(scores, labels, self.action_names(), self._thresholds())

    def known_actions(self, targets: Sequence[Target]) -> tuple[Tensor, Tensor]:
        """Likelihoods and labels ``(N, M)`` of the tracklets whose actions are known, on the CPU."""
        scores, labels = self._actions(targets)
        known = ~labels.isnan().any(dim=1)
        return scores[known], labels[known]

    def protocol_names(self) -> list[str]:
        """Of all targets, in the order of the results."""
        return [
            each.name for name in self.data.test_loader for each in protocols_of(name, self.options.split_id)
        ]

    @property
    def chosen_on(self) -> str:
        """On whom the best checkpoint is chosen, in words: those of the first target."""
        if HELD_OUT in self.data.test_loader:
            return "chosen on people held out of training, not on the test set"
        return "chosen on the test set: take its figures for optimistic, and report the last epoch's"

    def action_names(self) -> tuple[str, ...]:
        """Of the label space; empty without one."""
        space: Any = self.data.space
        return () if space is None else tuple(space.names)

    def _actions(self, targets: Sequence[Target]) -> tuple[Tensor, Tensor]:
        # people who are held out are of the training set
        tests = [target for target in targets if target.name != HELD_OUT]
        sides = [side for target in tests for side in (target.query, target.gallery)]
        pairs = [
            (side.outputs.likelihoods.cpu(), side.table.labels)
            for side in sides
            if side.outputs.likelihoods is not None
        ]
        if not pairs:
            return torch.empty(0, 0), torch.empty(0, 0)
        scores, labels = zip(*pairs, strict=True)
        return torch.cat(scores), torch.cat(labels)

    def _thresholds(self) -> float | tuple[float, ...]:
        if self.options.thresholds == "half":
            return 0.5
        loader = self.data.evaluation_loader(self.data.train_table)
        outputs = self._extract(loader, "training tracklets")
        report_replaced(loader, "training tracklets")
        assert outputs.likelihoods is not None  # the same network gave some at test
        return choose_thresholds(outputs.likelihoods.cpu(), self.data.train_table.labels, self.action_names())

    def _extract(self, loader: ClipLoader, title: str) -> TrackletOutputs:
        self.network.eval()
        return extract(self.network, loader, self.data.normalise, self.precision, title)


def check_answerable(data: ClipDataManager) -> None:
    """Find out before training that a target could not be tested.

    Raises:
        ConfigError: its query or gallery list is empty, or no query has its person in another camera of the gallery.
    """
    for name, parts in data.test_loader.items():
        query, gallery = parts["query"].table, parts["gallery"].table
        if len(unmatched_queries(query.samples(), gallery.samples())) == len(query):
            raise ConfigError(
                f"{name}: none of {len(query)} queries has its person in another camera of the gallery "
                f"({len(gallery)} tracklets), so no rank can be computed; look at its lists and camera ids"
            )
