"""Options of the engine: of training and testing as a config has them, and of one test as the host asks for it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from yacs.config import CfgNode

from reidar_plugin.errors import ConfigError, nearest
from reidar_plugin.metrics.distances import check_metric
from reidar_plugin.metrics.protocol_results import Reranking

__all__ = ["NO_EVIDENCE", "EvaluationOptions", "TestOptions", "TrainingOptions", "check_test"]


#: What is wrong where actions are to be counted in distances and the model gives none.
NO_EVIDENCE = (
    "reidar.test.action_weight: the model has no action network; set the weight to 0, or "
    "reidar.model.num_actions to -1"
)


@dataclass(frozen=True)
class TrainingOptions:
    """How the engine trains: the keys of ``reidar.train``; config/node.py tells where each default comes from."""

    identity_centre_lr: float = 0.5
    action_centre_lr: float = 0.1
    precision: str = "float32"
    clip: float = 0.0
    channels_last: bool = True
    compile: bool = False
    resume: str = "auto"
    save_every: int = 0
    keep: int = 2
    best: str = "mAP"

    def __post_init__(self) -> None:
        _check_choice("reidar.train.resume", self.resume, ("auto", "off"))
        if self.save_every < 0:
            raise ConfigError(
                f"reidar.train.save_every: expected a number of steps (0: never), got {self.save_every}"
            )

    @classmethod
    def from_config(cls, cfg: CfgNode) -> "TrainingOptions":
        """From ``cfg.reidar.train``."""
        return cls(**{name: cfg.reidar.train[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class EvaluationOptions:
    """How every test of a run is made: the keys of ``reidar.test``, and the split that is tested."""

    split_id: int = 0  #: which split of the data set is tested
    reranking: Reranking = field(default_factory=Reranking)
    thresholds: str = "half"
    action_weight: float = 0.0
    interval_level: float = 0.95
    resamples: int = 10_000
    pictures: int = 8

    def __post_init__(self) -> None:
        _check_choice("reidar.test.thresholds", self.thresholds, ("half", "train"))
        if not 0 <= self.action_weight < float("inf"):
            raise ConfigError(
                f"reidar.test.action_weight: expected a weight of 0 or more, got {self.action_weight}"
            )

    @classmethod
    def from_config(cls, cfg: CfgNode) -> "EvaluationOptions":
        """From ``cfg.reidar.test`` and the host's ``data.split_id``."""
        node = cfg.reidar.test
        return cls(
            split_id=cfg.data.split_id,
            reranking=Reranking(node.rerank.k1, node.rerank.k2, node.rerank.lambda_value),
            thresholds=node.thresholds,
            action_weight=node.action_weight,
            interval_level=node.interval_level,
            resamples=node.resamples,
            pictures=node.pictures,
        )


@dataclass(frozen=True)
class TestOptions:
    """How one test is made: the arguments of the host's ``Engine.test``, under their names."""

    dist_metric: str = "euclidean"
    normalize_feature: bool = False
    visrank: bool = False
    visrank_topk: int = 10
    save_dir: str = ""
    use_metric_cuhk03: bool = False
    ranks: Sequence[int] = (1, 5, 10, 20)
    rerank: bool = False

    def __post_init__(self) -> None:
        check_test(self.dist_metric, self.use_metric_cuhk03)


def check_test(dist_metric: str, use_metric_cuhk03: bool) -> None:
    """Refuse a test that cannot be made.

    Args:
        dist_metric: one of the metrics that there are.
        use_metric_cuhk03: only the host's own engines know that protocol.
    """
    check_metric(dist_metric)
    if use_metric_cuhk03:
        raise ConfigError("cuhk03.use_metric_cuhk03 is a protocol of the pictures of CUHK03; leave it False")


def _check_choice(key: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigError(
            f"{key}: unknown {value!r};{nearest(value, choices)} choose one of {', '.join(choices)}"
        )
