"""What a test leaves on record: figures with their protocols, and what compares two models by query."""

import importlib.metadata
import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reidar_plugin.metrics.actions import PAPER_MAP, ActionReport
from reidar_plugin.metrics.protocol_results import ProtocolResult

__all__ = ["Results", "action_record", "collect_results", "installed_versions", "plain"]

PACKAGES = ("reidar-plugin", "torch", "torchvision", "torchreid", "numpy", "scipy", "opencv-python", "pillow")


@dataclass(frozen=True)
class Results:
    """The content of ``results.json``; docs/protocols.md explains every figure."""

    name: str  #: of what was tested, e.g. ``joint``
    retrieval: tuple[dict[str, Any], ...]  #: one a protocol, see :func:`collect_results`
    actions: dict[str, Any] | None  #: see :func:`action_record`; None where no action was judged
    config: dict[str, Any]
    seeds: dict[str, Any]
    versions: dict[str, str]
    notes: dict[str, Any] = field(default_factory=dict)  #: e.g. the checkpoint, and which set chose it
    #: figures of each valid query: ``<place in retrieval>/<figure>`` -> ``(V,)``; kept in a file of their own
    per_query: dict[str, np.ndarray] = field(default_factory=dict)


def collect_results(
    name: str,
    retrieval: Sequence[ProtocolResult] = (),
    actions: ActionReport | None = None,
    *,
    config: Mapping[str, Any] | None = None,
    seeds: Mapping[str, Any] | None = None,
    notes: Mapping[str, Any] | None = None,
    ranks: Sequence[int] = (1, 5, 10, 20),
    level: float = 0.95,
    resamples: int = 10_000,
) -> Results:
    """Bring everything about a test into one record.

    Args:
        name: what was tested.
        retrieval: one result a protocol, of :func:`~reidar_plugin.metrics.protocol_results.evaluate_retrieval`.
        actions: of :func:`~reidar_plugin.metrics.actions.evaluate_actions`.
        config: the run's, a ``CfgNode`` or any mapping.
        seeds: the run's.
        notes: anything else worth keeping, in plain values.
        ranks: of the CMC.
        level: of the bootstrap intervals.
        resamples: of the bootstrap.
    """
    per_query: dict[str, np.ndarray] = {}
    for place, result in enumerate(retrieval):
        for figure, values in {**result.per_query(), "pid": result.query_pids}.items():
            per_query[f"{place}/{figure}"] = values
    return Results(
        name=name,
        retrieval=tuple(_retrieval_record(result, ranks, level, resamples) for result in retrieval),
        actions=None if actions is None else action_record(actions),
        config=plain(config or {}),
        seeds=plain(seeds or {}),
        versions=installed_versions(),
        notes=plain(notes or {}),
        per_query=per_query,
    )


def _retrieval_record(
    result: ProtocolResult, ranks: Sequence[int], level: float, resamples: int
) -> dict[str, Any]:
    return {
        "protocol": result.title,
        "summary": result.summary,
        "distance": result.distance,
        "reranked": result.reranked,
        "counts": {
            "queries": result.queries,
            "valid": int(result.retrieval.valid.sum()),
            "gallery": result.gallery,
            "distractors": result.distractors,
        },
        "metrics": result.figures(ranks),
        "intervals": {
            "level": level,
            "resamples": resamples,
            **{name: [ends.low, ends.high] for name, ends in result.intervals(level, resamples).items()},
        },
        "fingerprint": result.fingerprint,
    }


def action_record(report: ActionReport) -> dict[str, Any]:
    """An action report in plain values; what cannot be computed is None."""
    names = ("precision", "recall", "f1", "average_precision")
    return {
        "counts": {"known": report.known, "unknown": report.unknown, "confused": report.confused},
        "per_action": {
            name: plain(
                {**dict(zip(names, figures, strict=True)), "support": support, "threshold": threshold}
            )
            for name, figures, support, threshold in zip(
                report.names, report.actions, report.support, report.thresholds, strict=True
            )
        },
        "macro": plain(dict(zip(names, report.macro, strict=True))),
        "micro": plain(dict(zip(names, report.micro, strict=True))),
        "mAP": plain(report.macro.average_precision),
        PAPER_MAP: plain(report.macro.precision),
        "confusion": {
            "rows": list(report.names),
            "columns": [*report.names, "none"],
            "table": report.confusion.tolist(),
        },
    }


def installed_versions() -> dict[str, str]:
    """Versions of Python and of the packages that figures depend on; those not installed are left out."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue  # e.g. a checkout on the path, or opencv-python-headless
    return versions


def plain(value: Any, name: str = "value") -> Any:
    """Nested values as JSON can hold them: text keys, lists, Python numbers, None for NaN."""
    if isinstance(value, Mapping):
        return {str(key): plain(item, f"{name}.{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, f"{name}[{place}]") for place, item in enumerate(value)]
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist(), name)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"{name}: results hold plain values, got {type(value).__name__}; convert it first")
