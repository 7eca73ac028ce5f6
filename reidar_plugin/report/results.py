"""``results.json``: what a test found, each figure under its protocol, written whole or not at all and read with checks.

Figures of each query, which compare two models, lie beside it in ``results.<digest>.npz``. The JSON names that file and
is replaced last: a process that is killed at any moment leaves the previous pair, or the new one.
"""

import dataclasses
import hashlib
import importlib.metadata
import io
import json
import math
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from reidar_plugin.errors import InputError, MissingFileError, shown, summary
from reidar_plugin.io.arrays import load_arrays
from reidar_plugin.io.atomic import explained, write_atomically
from reidar_plugin.io.plain_text import PlainTextError, parse_json
from reidar_plugin.io.safe_load import UNREADABLE
from reidar_plugin.metrics.actions import PAPER_MAP, ActionReport
from reidar_plugin.metrics.protocol_results import ProtocolResult
from reidar_plugin.report.results_form import unfit_array, unfit_value

__all__ = [
    "SCHEMA",
    "Results",
    "action_results",
    "collect_results",
    "installed_versions",
    "plain",
    "read_results",
    "write_results",
]

_ARRAYS = re.compile(r"results\.[0-9a-f]{12}\.npz")
SCHEMA = 1  #: of results.json; rises when an old reader would misread a new file
PACKAGES = ("reidar-plugin", "torch", "torchvision", "torchreid", "numpy", "scipy", "opencv-python", "pillow")
_LARGEST = 2**27  # bytes of all arrays; those of a test of MARS have 300 kB


@dataclass(frozen=True)
class Results:
    """The content of ``results.json``; docs/protocols.md explains every figure."""

    name: str  #: of what was tested, e.g. ``joint``
    retrieval: tuple[dict[str, Any], ...]  #: one entry a protocol, see :func:`collect_results`
    actions: dict[str, Any] | None  #: see :func:`action_results`; None where no action was judged
    config: dict[str, Any]  #: config of the run
    seeds: dict[str, Any]  #: random seeds of the run, by what they seed
    versions: dict[str, str]  #: see :func:`installed_versions`
    notes: dict[str, Any] = field(default_factory=dict)  #: e.g. the checkpoint, and which set chose it
    #: figures of each valid query: ``<index in retrieval>/<figure>`` -> ``(V,)``; kept in a file of their own
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
    """Bring everything that a test found together.

    Args:
        name: what was tested, e.g. the name of the model.
        retrieval: one result a protocol, as :func:`~reidar_plugin.metrics.protocol_results.evaluate_retrieval` gives them.
        actions: how well actions are recognised, from :func:`~reidar_plugin.metrics.actions.evaluate_actions`; None where
            no action was judged.
        config: config of the run, a ``CfgNode`` or any mapping.
        seeds: random seeds of the run.
        notes: anything else worth keeping, in plain values.
        ranks: ranks k at which rank-k is kept.
        level: share of bootstrap samples that an interval covers, 0..1.
        resamples: bootstrap samples that each interval is computed from.
    """
    per_query: dict[str, np.ndarray] = {}
    for index, result in enumerate(retrieval):
        known = {
            "pid": result.query_pids,
            "query": np.flatnonzero(result.retrieval.valid),
            "first match": result.retrieval.first_match,
        }
        for figure, values in {**result.per_query(), **known}.items():
            per_query[f"{index}/{figure}"] = values
    return Results(
        name=name,
        retrieval=tuple(_retrieval_results(result, ranks, level, resamples) for result in retrieval),
        actions=None if actions is None else action_results(actions),
        config=plain(config or {}),
        seeds=plain(seeds or {}),
        versions=installed_versions(),
        notes=plain(notes or {}),
        per_query=per_query,
    )


def _retrieval_results(
    result: ProtocolResult, ranks: Sequence[int], level: float, resamples: int
) -> dict[str, Any]:
    return {
        "protocol": result.title,
        "summary": result.summary,
        "distance": result.distance,
        "reranked": result.reranked,
        "action_weight": result.action_weight,
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


def action_results(report: ActionReport) -> dict[str, Any]:
    """An action report in plain values; None stands for a figure that cannot be computed."""
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
        return [plain(item, f"{name}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist(), name)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"{name}: results hold plain values, got {type(value).__name__}; convert it first")


def write_results(results: Results, folder: str | Path) -> Path:
    """Write ``results.json`` and its arrays to a folder, which is made if need be.

    Args:
        results: what the test found.
        folder: where to write, usually the ``save_dir`` of the run.

    Returns:
        The path of ``results.json``.
    """
    path = Path(folder) / "results.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = _pack(results.per_query)
    content = {"schema": SCHEMA, **dataclasses.asdict(results)}
    content["per_query"] = f"results.{_digest(arrays)}.npz"
    write_atomically(path.parent / content["per_query"], arrays)
    write_atomically(path, (json.dumps(content, indent=2, allow_nan=False) + "\n").encode())
    for old in path.parent.glob("results.*.npz"):
        if old.name != content["per_query"]:
            with explained(old, "the new results are whole; delete it yourself"):
                old.unlink()
    return path


def read_results(path: str | Path) -> Results:
    """Read what :func:`write_results` wrote.

    Args:
        path: a ``results.json``, or the folder that holds one.

    Raises:
        FileNotFoundError: there is no such file, or its arrays are missing.
        ValueError: a file is broken, or of another schema.
    """
    path = Path(path)
    path = path / "results.json" if path.is_dir() else path
    if not path.is_file():
        there = path.with_name("report.html")
        hint = f"; {there} is there, open that" if there.is_file() else ""
        raise MissingFileError(f"no results at {path}; a test writes them to its save_dir{hint}")
    try:
        content = parse_json(path.read_bytes())
    except PlainTextError as error:
        raise InputError(f"{path}: not a results file ({error}); run the test again") from error
    names = [field.name for field in dataclasses.fields(Results)]
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        found = content.get("schema") if isinstance(content, dict) else None
        raise InputError(
            f"{path}: expected a results file of schema {SCHEMA}, got {found}; run the test again"
        )
    if missing := [name for name in names if name not in content]:
        raise InputError(f"{path}: lacks {', '.join(missing)}; run the test again")
    arrays = content["per_query"]
    if not isinstance(arrays, str) or not _ARRAYS.fullmatch(arrays):
        raise InputError(f"{path}: expected the name of a file beside it in per_query, got {shown(arrays)}")
    if unfit := unfit_value(content):
        raise InputError(
            f"{path}: not a results file ({unfit}; its values are not what they were); run the test again"
        )
    content["per_query"] = _unpack(path.parent / arrays, len(content["retrieval"]))
    content["retrieval"] = tuple(content["retrieval"])
    return Results(**{name: content[name] for name in names})


def _digest(arrays: bytes) -> str:
    return hashlib.sha256(arrays).hexdigest()[:12]


def _pack(arrays: dict[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def _unpack(path: Path, tests: int) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise MissingFileError(f"no figures per query at {path}; keep the .npz beside its results.json")
    try:
        if path.name != f"results.{_digest(path.read_bytes())}.npz":
            raise ValueError("its name is the checksum of another content")
        arrays = load_arrays(path, _LARGEST)
    except UNREADABLE as error:
        raise InputError(
            f"{path}: not the arrays of a test ({summary(error)}); run the test again"
        ) from error
    if unfit := unfit_array(arrays, tests):
        raise InputError(f"{path}: not the arrays of a test ({unfit}); run the test again")
    return arrays
