"""What the engine is told beyond the arguments of the host's ``run``: ``reidar.train`` and ``reidar.test`` of a config."""

from dataclasses import dataclass, field

from yacs.config import CfgNode

from reidar_plugin.errors import ConfigError, nearest
from reidar_plugin.metrics.protocol_results import Reranking

__all__ = ["EvaluationOptions", "TrainingOptions"]


@dataclass(frozen=True)
class TrainingOptions:
    """Of training; ``reidar.train`` in a config, where each key tells where its default comes from."""

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
    """Of testing; ``reidar.test`` in a config."""

    split_id: int = 0  #: which split of the data set is tested
    reranking: Reranking = field(default_factory=Reranking)
    thresholds: str = "half"
    interval_level: float = 0.95
    resamples: int = 10_000
    pictures: int = 8

    def __post_init__(self) -> None:
        _check_choice("reidar.test.thresholds", self.thresholds, ("half", "train"))

    @classmethod
    def from_config(cls, cfg: CfgNode) -> "EvaluationOptions":
        """From ``cfg.reidar.test`` and the host's ``data.split_id``."""
        node = cfg.reidar.test
        return cls(
            split_id=cfg.data.split_id,
            reranking=Reranking(node.rerank.k1, node.rerank.k2, node.rerank.lambda_value),
            thresholds=node.thresholds,
            interval_level=node.interval_level,
            resamples=node.resamples,
            pictures=node.pictures,
        )


def _check_choice(key: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigError(
            f"{key}: unknown {value!r};{nearest(value, choices)} choose one of {', '.join(choices)}"
        )
