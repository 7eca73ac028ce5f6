"""Which checkpoint of a run is the best, and by which figure of a test it is chosen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from reidar_plugin.errors import ConfigError
from reidar_plugin.metrics.protocol_results import ProtocolResult

__all__ = ["BestCheckpoint", "BestMetric", "TestFigure"]

_FIGURES = ("mAP", "mINP", "rank-<k>")


class TestFigure(NamedTuple):
    """The figure of one test by which its checkpoint is compared with others."""

    value: float
    what: str  #: the figure, its protocol and the distance, e.g. ``mAP of MARS usual (cosine)``


@dataclass(frozen=True)
class BestCheckpoint:
    """The best checkpoint of a run so far."""

    value: float
    what: str  #: the figure, its protocol and the distance, as in :class:`TestFigure`
    epoch: int  #: whole epochs after which it was saved


class BestMetric:
    """The figure by which the best checkpoint is chosen; more is better.

    Args:
        text: ``figure`` or ``figure@protocol``, such as ``mAP`` or ``rank-1@no-distractors``. Without a protocol it is
            the first of the first data set that is tested.
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
            protocols: names of the protocols that it will have.
        """
        if self.protocol and self.protocol not in protocols:
            tested = ", ".join(dict.fromkeys(protocols))
            raise ConfigError(
                f"reidar.train.best names the protocol {self.protocol!r}; the test has {tested}"
            )

    def figure_of(self, results: Sequence[ProtocolResult]) -> TestFigure:
        """The figure of a test, from the first result under the protocol.

        Args:
            results: all results of the test, in order.
        """
        self.check([result.protocol for result in results])
        result = next(result for result in results if self.protocol in ("", result.protocol))
        if self.figure in ("mAP", "mINP"):
            value = float(getattr(result.retrieval, self.figure))
        else:
            value = float(result.retrieval.cmc(int(self.figure.removeprefix("rank-"))))
        return TestFigure(value, f"{self.figure} of {result.title} ({result.distance})")
