"""The objective: named loss terms, weighted and added up."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from reidar_plugin.errors import ConfigError, nearest
from reidar_plugin.losses.action_centre import ActionCentreLoss
from reidar_plugin.losses.checks import check_choice
from reidar_plugin.losses.discriminative_centroids import DiscriminativeCentroidsLoss
from reidar_plugin.losses.identity_centre import IdentityCentreLoss
from reidar_plugin.losses.rising_weight import RisingWeight
from reidar_plugin.losses.side_weights import SIDES, ActionRamp, Uncertainty, build_side_weights
from reidar_plugin.losses.terms import TERMS, Batch, Sizes
from reidar_plugin.structures import JointOutput, Targets

__all__ = ["Objective"]

#: Losses that own centres.
CENTRED = (IdentityCentreLoss, ActionCentreLoss, DiscriminativeCentroidsLoss)


class Objective(nn.Module):
    r"""Weighted sum of named loss terms.

    .. math::
        L = \lambda \sum_{identity} w_t L_t + (1 - \lambda) \sum_{action} w_t L_t + \sum_{attribute} w_t L_t

    is equation 6 of Re-ID-AR: :math:`\lambda` stands on the identity side. Where either of the two sides has
    no term, or with ``balance=None``, it is the plain sum. :mod:`~.side_weights` has weights of the two sides
    that are learnt, or change with the epoch, and are multiplied with these.

    The objective owns the centres of its terms. Their gradient arrives freed of :math:`\lambda` and of the
    term's weight, as Luo et al., 3C-Net and the released code have it, so that ``objective.centres()`` can be
    stepped by their own optimisers as they are.

    Args:
        losses: a module for each term, by a name of :data:`~.terms.TERMS`.
        weights: w, by term, >= 0; 1 for a term that is not named.
        balance: :math:`\lambda`, 0..1, or None for the plain sum.
        embedding: what the metric losses compare: "feature" (after the BN neck) or "pooled" (before it).
        pose_motion_weight: takes the place of that term's weight, from the value of the attribute term.
        side_weights: more weights of the two sides, or None.
        diagnose: see ``reidar.loss.diagnose``; the objective only passes it on.
    """

    def __init__(
        self,
        losses: Mapping[str, nn.Module],
        weights: Mapping[str, float] | None = None,
        *,
        balance: float | None = 0.5,
        embedding: str = "feature",
        pose_motion_weight: RisingWeight | None = None,
        side_weights: Uncertainty | ActionRamp | None = None,
        diagnose: int = 0,
    ) -> None:
        super().__init__()
        _check_terms(list(losses))
        check_choice("embedding", embedding, ("feature", "pooled"))
        if balance is not None and not 0 <= balance <= 1:
            raise ConfigError(f"balance (the papers' lambda) must be in 0..1, got {balance}")
        self.losses = nn.ModuleDict(losses)
        self.balance = balance
        self.embedding = embedding
        self.factors = self._shares(weights or {})
        self.pose_motion_weight = pose_motion_weight
        self.side_weights = side_weights if set(SIDES) <= self._groups() else None
        if diagnose < 0:
            raise ConfigError(f"reidar.loss.diagnose: expected a number of steps (0: never), got {diagnose}")
        self.diagnose = diagnose if set(SIDES) <= self._groups() else 0
        self._free_centres(self.factors)

    @classmethod
    def from_config(
        cls,
        node: Mapping[str, Any],
        *,
        num_classes: int,
        feature_dim: int,
        num_actions: int = 0,
        hidden_dim: int = 0,
        counts: Sequence[float] = (),
        total: float = 0,
        attributes: Sequence[int] = (),
    ) -> "Objective":
        """The objective that a ``reidar.loss`` node describes; see :class:`~.terms.Sizes` for the sizes."""
        sizes = Sizes(num_classes, feature_dim, num_actions, hidden_dim, counts, total, attributes)
        names = list(node["terms"])
        _check_terms(names)
        _check_served(node, names, sizes)
        return cls(
            {name: _built(name, node, sizes) for name in names},
            node["weights"],
            balance=_balance(node),
            embedding=node["embedding"],
            pose_motion_weight=_rising(node) if {"pose_motion", "attributes"} <= set(names) else None,
            side_weights=build_side_weights(node),
            diagnose=node["diagnose"],
        )

    def centres(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """Centres of identities and centres of actions, for an optimiser each; empty without such a term."""
        found: dict[str, list[nn.Parameter]] = {"identity": [], "action": []}
        for name, loss in self.losses.items():
            found.setdefault(TERMS[name].group, []).extend(loss.parameters())
        return found["identity"], found["action"]

    def forward(self, output: JointOutput, targets: Targets) -> tuple[Tensor, dict[str, Tensor]]:
        """The sum, and every term's value before its weight, on the device (nothing is waited for)."""
        weighted, values, factors = self._weighted(output, targets)
        # what weighs nothing gives no gradient, not one of zeros, by which weight decay would take its weights away
        counted = [value for name, value in weighted.items() if not _is_zero(factors[name])]
        total = torch.stack(counted or list(weighted.values())).sum()
        if self.side_weights is not None:
            total = total + self.side_weights.penalty()
        return total, {name: value.detach() for name, value in values.items()}

    def sides(self, output: JointOutput, targets: Targets) -> dict[str, Tensor]:
        """What the identity side and the action side put into the sum, weights included."""
        weighted, _, _ = self._weighted(output, targets)
        return {
            side: torch.stack([value for name, value in weighted.items() if TERMS[name].group == side]).sum()
            for side in SIDES
        }

    def set_epoch(self, epoch: int) -> None:
        """Tell it which epoch it is, from 0; weights may change with it."""
        if self.side_weights is not None:
            self.side_weights.set_epoch(epoch)

    def _weighted(
        self, output: JointOutput, targets: Targets
    ) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, float | Tensor]]:
        """Every term's value times its weight, the value, and the weight."""
        factors = self._factors()
        self._free_centres(factors)
        batch = Batch(output, targets, self.embedding, self.losses)
        values = {name: TERMS[name].value(loss, batch) for name, loss in self.losses.items()}
        if self.pose_motion_weight is not None:
            factors["pose_motion"] = self._side("identity") * self.pose_motion_weight(values["attributes"])
        return {name: factors[name] * value for name, value in values.items()}, values, factors

    def _factors(self) -> dict[str, float | Tensor]:
        """What each term is multiplied with in this step."""
        sides: Mapping[str, float | Tensor] = {} if self.side_weights is None else self.side_weights()
        return {name: factor * sides.get(TERMS[name].group, 1.0) for name, factor in self.factors.items()}

    def _free_centres(self, factors: Mapping[str, float | Tensor]) -> None:
        """Let the gradient of the centres come back as if their term weighed 1."""
        for name, loss in self.losses.items():
            if isinstance(loss, CENTRED):
                factor = factors[name]
                given: Any = factor.detach() if isinstance(factor, Tensor) else factor
                loss.gradient_scale = 1 / given if self.factors[name] and not _is_zero(given) else 1.0

    def extra_repr(self) -> str:
        return ", ".join(f"{factor:g} x {name}" for name, factor in self.factors.items())

    def _groups(self) -> set[str]:
        return {TERMS[name].group for name in self.losses}

    def _side(self, group: str) -> float:
        if self.balance is None or not {"identity", "action"} <= self._groups():
            return 1.0
        return {"identity": self.balance, "action": 1 - self.balance, "attribute": 1.0}[group]

    def _shares(self, weights: Mapping[str, float]) -> dict[str, float]:
        negative = {name: weight for name, weight in weights.items() if weight < 0}
        if negative:
            raise ConfigError(f"weights of loss terms must be >= 0, got {negative}")
        return {name: self._side(TERMS[name].group) * weights.get(name, 1.0) for name in self.losses}


def _check_terms(names: Sequence[str]) -> None:
    for name in names:
        if name not in TERMS:
            raise ConfigError(
                f"unknown loss term {name!r};{nearest(name, TERMS)} choose from {', '.join(TERMS)}"
            )
    twice = sorted({name for name in names if names.count(name) > 1})
    if not names or twice:
        raise ConfigError(f"reidar.loss.terms must name one term or more, each once, got {list(names)}")


def _check_served(node: Mapping[str, Any], names: Sequence[str], sizes: Sizes) -> None:
    actions = [name for name in names if TERMS[name].group == "action"]
    if actions and not sizes.num_actions:
        raise ConfigError(
            f"loss terms {', '.join(actions)} judge actions and the model has no action network; "
            "take them out of reidar.loss.terms or give the model one"
        )
    if "attributes" in names and not sizes.attributes:
        raise ConfigError(
            "loss term attributes judges attributes and reidar.labels.attributes names none; "
            "name their groups there or take the term out of reidar.loss.terms"
        )
    mining = "soft_mining" in names and node["soft_mining"]["vectors"] == "centres"
    if mining and "identity_centre" not in names:
        raise ConfigError(
            "reidar.loss.soft_mining.vectors 'centres' reads the centres of the term identity_centre; "
            "add that to reidar.loss.terms or choose 'classifier'"
        )


def _built(name: str, node: Mapping[str, Any], sizes: Sizes) -> nn.Module:
    try:
        return TERMS[name].build(dict(node.get(name, {})), sizes)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"reidar.loss.{name}: {error}") from error


def _balance(node: Mapping[str, Any]) -> float | None:
    check_choice("reidar.loss.combine", node["combine"], ("balance", "sum", "uncertainty", "ramp"))
    return node["balance"] if node["combine"] in ("balance", "ramp") else None


def _is_zero(factor: float | Tensor) -> bool:
    return not isinstance(factor, Tensor) and factor == 0


def _rising(node: Mapping[str, Any]) -> RisingWeight:
    schedule = node["pose_motion"]
    return RisingWeight(node["weights"]["pose_motion"], schedule["end_weight"], schedule["rise_below"])
