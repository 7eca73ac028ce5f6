"""By which figure the best checkpoint is chosen."""

from collections.abc import Sequence
from typing import NamedTuple

from reidar_plugin.errors import ConfigError
from reidar_plugin.metrics.protocol_results import ProtocolResult

__all__ = ["BestMetric", "TestFigure"]

_FIGURES = ("mAP", "mINP", "rank-<k>")


class TestFigure(NamedTuple):
    """What a test says of a checkpoint."""

    value: float
    what: str  #: the figure, its protocol and the distance, e.g. ``mAP of MARS usual (cosine)``


class BestMetric:
    """``figure`` or ``figure@protocol``, such as ``mAP`` or ``rank-1@no-distractors``; more is better.

    Without a protocol it is the first of the first data set that is tested.
    """

    def __init__(self, text: str) -> None:
        self.figure, _, self.protocol = text.partition("@")
        rank = self.figure.removeprefix("rank-")
        if self.figure not in ("mAP", "mINP") and not (rank != self.figure and rank.isdigit() and int(rank)):
            raise ConfigError(
                f"reidar.train.best: expected one of {', '.join(_FIGURES)}, with or without @protocol, got {text!r}"
            )

    def check(self, protocols: Sequence[str]) -> None:
        """Refuse a protocol that the test will not have.

        Args:
            protocols: names of those it will.
        """
        if self.protocol and self.protocol not in protocols:
            tested = ", ".join(dict.fromkeys(protocols))
            raise ConfigError(
                f"reidar.train.best names the protocol {self.protocol!r}; the test has {tested}"
            )

    def judge(self, results: Sequence[ProtocolResult]) -> TestFigure:
        """The figure of the first result under the protocol.

        Args:
            results: of a whole test, in order.
        """
        self.check([result.protocol for result in results])
        result = next(result for result in results if self.protocol in ("", result.protocol))
        if self.figure in ("mAP", "mINP"):
            value = float(getattr(result.retrieval, self.figure))
        else:
            value = float(result.retrieval.cmc(int(self.figure.removeprefix("rank-"))))
        return TestFigure(value, f"{self.figure} of {result.title} ({result.distance})")
