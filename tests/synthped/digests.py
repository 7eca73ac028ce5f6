"""What is in a set on disk, as one short text."""

import hashlib
from pathlib import Path

__all__ = ["TABLES", "digest"]

TABLES = ("info", "published", "truth", "actions.csv", "attributes.csv", "README.md")


def digest(home: Path, *parts: str) -> str:
    """Of names and contents of all files in some parts of a set."""
    paths = [
        path
        for part in parts
        for path in ([home / part] if (home / part).is_file() else (home / part).rglob("*"))
    ]
    total = hashlib.sha256()
    for path in sorted(path for path in paths if path.is_file()):
        total.update(path.relative_to(home).as_posix().encode() + path.read_bytes())
    return total.hexdigest()[:16]
