"""``results.json``: written whole or not at all, read with checks.

Figures of each query lie beside it in ``results.<digest>.npz``. The JSON names that file and is replaced
last, so that a process killed at any moment leaves the previous pair, or the new one.
"""

import dataclasses
import hashlib
import io
import json
import zipfile
from pathlib import Path

import numpy as np

from reidar_plugin.errors import InputError, MissingFileError
from reidar_plugin.io.atomic import write_atomically
from reidar_plugin.report.records import Results

__all__ = ["SCHEMA", "read_results", "write_atomically", "write_results"]

SCHEMA = 1  #: of results.json; rises when an old reader would misread a new file


def write_results(results: Results, folder: str | Path) -> Path:
    """Write ``results.json`` and its arrays to a folder, which is made if need be.

    Args:
        results: what was found.
        folder: usually the run's ``save_dir``.

    Returns:
        Path of ``results.json``.
    """
    path = Path(folder) / "results.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = _pack(results.per_query)
    content = {"schema": SCHEMA, **dataclasses.asdict(results)}
    content["per_query"] = f"results.{hashlib.sha256(arrays).hexdigest()[:12]}.npz"
    write_atomically(path.parent / content["per_query"], arrays)
    write_atomically(path, (json.dumps(content, indent=2, allow_nan=False) + "\n").encode())
    for old in path.parent.glob("results.*.npz"):
        if old.name != content["per_query"]:
            old.unlink()
    return path


def read_results(path: str | Path) -> Results:
    """Read what :func:`write_results` wrote.

    Args:
        path: a ``results.json``, or the folder that holds one.
    """
    path = Path(path)
    path = path / "results.json" if path.is_dir() else path
    if not path.is_file():
        raise MissingFileError(f"no results at {path}; a test writes them to its save_dir")
    try:
        content = json.loads(path.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a results file ({error}); run the test again") from error
    names = [field.name for field in dataclasses.fields(Results)]
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        found = content.get("schema") if isinstance(content, dict) else None
        raise InputError(
            f"{path}: expected a results file of schema {SCHEMA}, got {found}; run the test again"
        )
    if missing := [name for name in names if name not in content]:
        raise InputError(f"{path}: lacks {', '.join(missing)}; run the test again")
    content["per_query"] = _unpack(path.parent / content["per_query"])
    content["retrieval"] = tuple(content["retrieval"])
    return Results(**{name: content[name] for name in names})


def _pack(arrays: dict[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def _unpack(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise MissingFileError(f"no figures per query at {path}; keep the .npz beside its results.json")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: not the arrays of a test ({error}); run the test again") from error
